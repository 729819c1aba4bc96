import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { systemProgram } from '../bed/packages.ts';
import { runProgram } from '../bed/tools.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-clusters-'));

interface Answer {
  status: number;
  body: string;
  /** Of curl: 60 for a certificate that it does not trust, or that names another host. */
  code: number;
}

/** With a ticket of the user's, if one is named, from its keytab. */
async function curl({ name, ca, kerberos }: Cluster, url: string, user?: string, ...more: string[]): Promise<Answer> {
  const cache = `FILE:${join(scratch, `${name}-${user ?? 'nobody'}`)}`;
  const env = { ...process.env, KRB5CCNAME: cache, KRB5_CONFIG: kerberos?.krb5Conf ?? '/dev/null' };
  const options = ['-s', '-L', '-w', '\n%{http_code}', ...(ca === undefined ? [] : ['--cacert', ca]), ...more];
  if (user !== undefined) {
    const { keytab = '', principal = '' } = kerberos?.users[user] ?? {};
    const ticket = await runProgram(systemProgram('kinit'), ['-kt', keytab, principal], { env });
    expect(ticket).toMatchObject({ code: 0 });
    options.push('--negotiate', '-u', ':');
  }
  const { code, stdout } = await runProgram(systemProgram('curl'), [...options, url], { env });
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at)), body: stdout.slice(0, at), code };
}

const list = ({ namenodeUrl }: Cluster): string => `${namenodeUrl}/webhdfs/v1/?op=LISTSTATUS`;

describe('clusters with Kerberos', () => {
  test('ask for a ticket, whatever user.name says', async () => {
    const k = await sharedCluster('K');
    expect(k.kerberos?.realm).toBe('ONE.TEST');
    expect(await curl(k, list(k))).toMatchObject({ status: 401 });
    expect(await curl(k, `${list(k)}&user.name=hdfs`)).toMatchObject({ status: 401 });
    const { status, body } = await curl(k, list(k), 'alice');
    expect(status).toBe(200);
    expect(body).toContain('"pathSuffix":"tmp"');
  });

  test('take files through a datanode over TLS', async () => {
    const k = await sharedCluster('K');
    const file = join(scratch, 'hello');
    writeFileSync(file, 'hello\n');
    const at = `${k.namenodeUrl}/webhdfs/v1/tmp/bed-test`;
    expect(await curl(k, `${at}?op=CREATE&overwrite=true`, 'alice', '-T', file)).toMatchObject({ status: 201 });
    expect(await curl(k, `${at}?op=OPEN`, 'bob')).toMatchObject({ status: 200, body: 'hello\n' });
  });

  test('let proxy impersonate others, and alice not', async () => {
    const k = await sharedCluster('K');
    const home = `${k.namenodeUrl}/webhdfs/v1/?op=GETHOMEDIRECTORY&doas=bob`;
    expect((await curl(k, home, 'proxy')).body).toContain('/user/bob');
    expect(await curl(k, home, 'alice')).toMatchObject({ status: 403 });
  });

  test('do not trust another realm', async () => {
    const [k, l] = await Promise.all([sharedCluster('K'), sharedCluster('L')]);
    expect(await curl(l, list(l), 'alice')).toMatchObject({ status: 200 });
    const stranger = { ...k, name: 'K-of-L', ...(l.kerberos ? { kerberos: l.kerberos } : {}) };
    const { status, body } = await curl(stranger, list(k), 'alice');
    expect(status).toBe(403);
    expect(body).toContain('GSSException');
  });

  test('give tokens that live as long as the cluster says', async () => {
    const t = await sharedCluster('T');
    const { body } = await curl(t, `${t.namenodeUrl}/webhdfs/v1/?op=GETDELEGATIONTOKEN&renewer=alice`, 'alice');
    const token = (JSON.parse(body) as { Token: { urlString: string } }).Token.urlString;
    const beforeMs = Date.now();
    const renewed = await curl(
      t,
      `${t.namenodeUrl}/webhdfs/v1/?op=RENEWDELEGATIONTOKEN&token=${token}`,
      'alice',
      '-X',
      'PUT',
    );
    const { long } = JSON.parse(renewed.body) as { long: number };
    expect(long).toBeGreaterThanOrEqual(beforeMs);
    expect(long).toBeLessThanOrEqual(Date.now() + 6000);
  });

  test('are described as a client reads them', async () => {
    const k = await sharedCluster('K');
    expect(definitionOf(k, 'alice')).toEqual({
      name: 'K',
      auth_mechanism: 'GSSAPI',
      principal: 'alice@ONE.TEST',
      keytab: k.kerberos?.users['alice']?.keytab,
      krb5_conf: k.kerberos?.krb5Conf,
      truststore: k.ca,
      nameservices: [{ urls: [k.namenodeUrl], mounts: ['/'] }],
    });
  });
});

test('a certificate for another host is refused', async () => {
  const w = await sharedCluster('W');
  expect(w.namenodeUrl).toMatch(/^https:/);
  expect(await curl(w, `${list(w)}&user.name=root`)).toMatchObject({ code: 60 });
  expect(await curl(w, `${list(w)}&user.name=root`, undefined, '--insecure')).toMatchObject({ status: 200 });
});

test('a file in an encryption zone is read as it was written, and says that it is encrypted', async () => {
  const { namenodeUrl } = await sharedCluster('E');
  const e = new TestHdfs(namenodeUrl);
  for (const zone of ['/ez', '/ez2']) {
    await e.put(`${zone}/bed-test`, 'secret');
    expect((await e.get(`${zone}/bed-test`)).toString()).toBe('secret');
    expect(await e.json('GETFILESTATUS', `${zone}/bed-test`)).toMatchObject({ FileStatus: { encBit: true } });
  }
  await expect(
    e.call('PUT', 'RENAME', '/ez/bed-test', { destination: '/ez2/moved', renameoptions: 'NONE' }),
  ).rejects.toThrow(/encryption zone/);
});

test('a file in an erasure coded directory says so', async () => {
  const { namenodeUrl, datanodes } = await sharedCluster('X');
  expect(datanodes).toHaveLength(3);
  const x = new TestHdfs(namenodeUrl);
  await x.put('/ec/bed-test', 'cells');
  expect((await x.get('/ec/bed-test')).toString()).toBe('cells');
  expect(await x.json('GETFILESTATUS', '/ec/bed-test')).toMatchObject({
    FileStatus: { ecBit: true, ecPolicy: 'XOR-2-1-1024k' },
  });
});

test('an HttpFS serves what the namenode behind it does', async () => {
  const [a, b] = await Promise.all([sharedCluster('A'), sharedCluster('B')]);
  expect(b.httpfs).toBeUndefined();
  await new TestHdfs(a.namenodeUrl).put('/bed-test', 'through');
  const { status, body } = await curl(a, `${a.httpfs?.url}/webhdfs/v1/bed-test?op=OPEN&user.name=root`);
  expect({ status, body }).toEqual({ status: 200, body: 'through' });
});

test.each([
  ['edgeAcls', 'SETACL', { aclspec: 'user:a:r--' }, /AclException/],
  [
    'edgeXattrs',
    'SETXATTR',
    { 'xattr.name': 'user.a', 'xattr.value': '"a"', flag: 'CREATE' },
    /XAttrs has been disabled/,
  ],
  ['edgeItems', 'MKDIRS', {}, /directory item limit/],
  ['edgeNames', 'MKDIRS', {}, /PathComponentTooLongException/],
  ['edgeReplication', 'SETREPLICATION', { replication: '3' }, /exceeds maximum of 2/],
] as const)('%s refuses %s', async (name, operation, parameters, says) => {
  const { namenodeUrl } = await sharedCluster(name);
  const edge = new TestHdfs(namenodeUrl);
  const five = [1, 2, 3, 4].map((index) => edge.mkdirs(`/bed-test/${index}`));
  await Promise.all([edge.put('/bed-test/file', 'content'), ...five]);
  const path = operation === 'MKDIRS' ? `/bed-test/${'n'.repeat(21)}` : '/bed-test/file';
  await expect(edge.call('PUT', operation, path, parameters)).rejects.toThrow(says);
});

test('a cluster without checksums says so, and one that does not follow access times leaves them alone', async () => {
  const [checksums, times] = await Promise.all([sharedCluster('edgeChecksums'), sharedCluster('edgeTimes')]);
  const defaults = await new TestHdfs(checksums.namenodeUrl).json('GETSERVERDEFAULTS', '/');
  expect(defaults).toMatchObject({ FsServerDefaults: { checksumType: 0 } });
  const hdfs = new TestHdfs(times.namenodeUrl);
  await hdfs.put('/bed-test', 'content');
  await hdfs.call('PUT', 'SETTIMES', '/bed-test', { accesstime: '1000' });
  await hdfs.get('/bed-test');
  expect(await hdfs.status('/bed-test')).toMatchObject({ accessTime: 1000 });
});
