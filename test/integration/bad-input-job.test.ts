import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { startBed } from '../bed/bed.ts';
import { dfsAdmin } from '../support/dfs-admin.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What only the clusters can tell, and what keeps a whole job from going on: exit code 3. */

const bed = inject('bed');
const STOPPED = 3;
const page = (status: number, title: string) => ({ answer: { status, body: `<html><title>${title}</title></html>` } });
/** Seconds: one answer, and all tries of one request. */
const impatient = { timeout: 1, retry_timeout: 3 };
let pair: TwoClusters;
let root: string;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'bad-job');
  root = pair.root;
  await pair.a.put(`${root}/tree/dir/file`, 'content');
  await pair.a.put(`${root}/other/file`, 'other content');
  await pair.b.put(`${root}/there/tree/dir/file`, 'old content');
});

const refused = (args: readonly string[], says: readonly string[], conf?: string) =>
  pair.expectRefused(args, { code: STOPPED, says, ...(conf === undefined ? {} : { conf }) });

describe.concurrent('what the clusters hold', () => {
  test.each([
    ['no such source', ['A:/bad-job/nothing', 'B:/bad-job/x'], ['no source matches A:/bad-job/nothing', '-ls']],
    ['a glob without a match', ['A:/bad-job/n*', 'B:/bad-job/x'], ['no source matches A:/bad-job/n*', '-ls']],
    ['a hidden name', ['A:/bad-job/[.]*', 'B:/bad-job/x'], ['no source matches A:/bad-job/[.]*']],
    ['a file with a trailing slash', ['A:/bad-job/tree/dir/file/', 'B:/bad-job/x'], ['no source matches', 'file/']],
    ['a path through a file', ['A:/bad-job/tree/dir/file/x', 'B:/bad-job/x'], ['no source matches', 'file/x']],
    [
      'a missing parent',
      ['A:/bad-job/tree', 'B:/bad-job/no/such'],
      ['Parent directory of B:/bad-job/no/such does not exist', 'mkdir /bad-job/no'],
    ],
    [
      'a file as parent',
      ['A:/bad-job/tree', 'B:/bad-job/there/tree/dir/file/x'],
      ['The parent of B:/bad-job/there/tree/dir/file/x is not a directory', 'another destination'],
    ],
    [
      'an existing directory without force',
      ['A:/bad-job/tree', 'B:/bad-job/there'],
      ['B:/bad-job/there/tree exists', 'use --force'],
    ],
    [
      'an existing file without force',
      ['A:/bad-job/tree/dir/file', 'B:/bad-job/there/tree/dir/file'],
      ['B:/bad-job/there/tree/dir/file exists', 'use --force'],
    ],
    [
      'a file in the place of a directory',
      ['--force', 'A:/bad-job/tree', 'B:/bad-job/there/tree/dir/file'],
      ['B:/bad-job/there/tree/dir/file is a file', '/bad-job/tree is a directory', 'remove it or name another'],
    ],
    [
      'two matches for one new name',
      ['A:/bad-job/*', 'B:/bad-job/new'],
      ['/bad-job/other and /bad-job/tree would both become B:/bad-job/new', 'one by one'],
    ],
    [
      'two sources of one name',
      ['A:/bad-job/tree/dir/file', 'A:/bad-job/other/file', 'B:/bad-job/there'],
      ['/bad-job/tree/dir/file and /bad-job/other/file would both become B:/bad-job/there/file'],
    ],
    [
      'two matches for an exact destination',
      ['--exact', 'A:/bad-job/*', 'B:/bad-job/there'],
      ['2 sources match', 'leave out --exact'],
    ],
    [
      'a directory into its own parent',
      ['A:/bad-job/tree', 'A:/bad-job'],
      ['A:/bad-job/tree is or lies inside its own source /bad-job/tree', 'another destination'],
    ],
    [
      'a directory into its own parent, with force and by a glob',
      ['--force', 'A:/bad-job/t*', 'A:/bad-job'],
      ['A:/bad-job/tree is or lies inside its own source'],
    ],
    [
      'a file into its own directory',
      ['--force', '--no-checksum', '--direct', 'A:/bad-job/tree/dir/file', 'A:/bad-job/tree/dir'],
      ['A:/bad-job/tree/dir/file is or lies inside its own source'],
    ],
  ])('%s', async (_, args, says) => {
    await refused(['copy', ...args], says);
  });

  test('a dry run is refused as the copy would be', async () => {
    await refused(['copy', '--dry-run', `A:${root}/tree`, `B:${root}/there`], ['exists', 'use --force']);
  });
});

describe.concurrent('a namenode that cannot serve', () => {
  const paths = [`A:/bad-job/tree`, `B:/bad-job/new`];
  const behind = async (options: FaultProxyOptions, says: readonly string[]) => {
    await using faultProxy = await FaultProxy.start(bed.b, options);
    const conf = pair.conf({ B: { url: faultProxy.url, ...impatient } });
    await refused(paths, ['cluster B cannot serve', faultProxy.url.replace('http://', ''), ...says], conf);
    expect(faultProxy.requests.every(({ operation }) => operation === 'GETFILESTATUS')).toBe(true);
    return faultProxy;
  };

  test('refuses the connection', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const conf = pair.conf({ A: { url: `http://127.0.0.1:${port}`, ...impatient } });
    await refused(paths, ['cluster A cannot serve', `127.0.0.1:${port}`, 'connection refused', 'its address'], conf);
  });

  test('has a name that does not resolve', async () => {
    const conf = pair.conf({ A: { url: 'http://nn1.invalid:9870', ...impatient } });
    await refused(paths, ['cluster A cannot serve', 'nn1.invalid:9870', 'does not resolve', 'its address'], conf);
  });

  test('never answers', async () => {
    const faultProxy = await behind({ react: () => 'hang' }, ['no answer within 1 s', 'its address']);
    expect(faultProxy.requests.length).toBeGreaterThan(1);
  });

  test.each([
    ['breaks every connection', 'cut-before' as const, ['connection', 'its address']],
    ['answers a page with 200', page(200, 'Sign in'), ['HTTP 200: Sign in', 'the HTTP address of a namenode']],
    ['answers a page with 404', page(404, 'Not Found'), ['HTTP 404: Not Found', 'the HTTP address of a namenode']],
    ['stands behind a broken proxy', page(502, 'Bad Gateway'), ['HTTP 502: Bad Gateway', 'its address']],
  ])('%s', async (_, reaction, says) => {
    await behind({ react: () => reaction }, says);
  });

  test('one answer in HTML costs nothing but a retry', async () => {
    const own = await TwoClusters.make(bed, 'bad-job-one-answer');
    await own.a.put(`${own.root}/file`, 'content');
    let answers = 0;
    const react = () => (answers++ === 0 ? page(502, 'Bad Gateway') : undefined);
    await using faultProxy = await FaultProxy.start(bed.b, { react });
    const { code, stderr } = await own.run(['copy', `A:${own.root}/file`, `B:${own.root}/file`], {
      conf: own.conf({ B: { url: faultProxy.url } }),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('does not know the token, which is told to nobody', async () => {
    const token = 'HgAEcm9vdARyb290AIoBk';
    // As a secure namenode says it; this one takes any token for nobody's.
    const message = `Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: token can't be found in cache`;
    const body = JSON.stringify({ RemoteException: { exception: 'SecurityException', message } });
    await using faultProxy = await FaultProxy.start(bed.b, { react: () => ({ answer: { status: 403, body } }) });
    const conf = pair.conf({ B: { url: faultProxy.url, auth_mechanism: 'TOKEN', token } });
    const { stderr, stdout } = await refused(paths, ['/bad-job/new', 'put a valid token into the cluster'], conf);
    expect(stderr + stdout).not.toContain(token);
    expect(faultProxy.requests).toHaveLength(1);
  });
});

test('a namenode in safe mode for longer than the budget', async () => {
  await using own = await startBed({ clusters: [{ name: 'S' }] });
  const { namenodeUrl, rpc } = own.clusters.S;
  await new TestHdfs(namenodeUrl).mkdirs('/data');
  await dfsAdmin(rpc, '-safemode', 'enter');
  const conf = pair.conf({ S: { url: namenodeUrl, retry_timeout: impatient.retry_timeout } });
  const says = ['MKDIRS /data/tree', 'cluster S cannot serve', 'safe mode', 'dfsadmin -safemode get', '--resume'];
  const { stderr, status } = await refused(['copy', `A:${root}/tree`, 'S:/data'], says, conf);
  expect(status).toMatchObject({ Outcome: 'Failed', Phase: 'planning' });
  expect(await new TestHdfs(namenodeUrl).tree('/')).toEqual({ '/data/': '' });

  await dfsAdmin(rpc, '-safemode', 'leave');
  const job = / (--resume \S+)\n/.exec(stderr)?.[1] ?? '';
  expect((await pair.run(['copy', ...job.split(' ')], { conf })).code).toBe(0);
  expect(await new TestHdfs(namenodeUrl).tree('/data/tree')).toEqual(await pair.a.tree(`${root}/tree`));
});

describe('a destination root that may not be written', () => {
  const mallory = () => pair.conf({ A: { user: 'mallory' }, B: { user: 'mallory' } });

  test.each([
    ['does not exist', [`A:/bad-job/tree`, `B:/bad-job/new`], ['MKDIRS /bad-job/new', 'access=WRITE']],
    ['exists', ['--exact', '--force', `A:/bad-job/tree`, `B:/bad-job/there/tree`], ['CHECKACCESS /bad-job/there/tree']],
    ['is for one file', [`A:/bad-job/tree/dir/file`, `B:/bad-job/new`], ['CHECKACCESS /bad-job ']],
  ])('and %s', async (_, paths, says) => {
    const everywhere = ['destination cannot be written', 'Permission denied: user=mallory', 'grant the permission'];
    const { status } = await refused(['copy', ...paths], [...everywhere, ...says], mallory());
    expect(status).toMatchObject({ Outcome: 'Failed', 'Files Copied': 0, 'Files Failed': 0 });
  });

  test('nor its parent be read', async () => {
    await pair.b.call('PUT', 'MKDIRS', `${root}/private`, { permission: '700' });
    const says = ['/bad-job/private/new', 'Permission denied: user=mallory', 'access=EXECUTE', 'grant the permission'];
    await refused([`A:${root}/tree`, `B:${root}/private/new`], says, mallory());
  });

  test('a source root that may not be read', async () => {
    const own = await TwoClusters.make(bed, 'bad-job-open');
    await own.b.call('PUT', 'SETPERMISSION', own.root, { permission: '777' });
    await own.a.call('PUT', 'MKDIRS', `${own.root}/secret`, { permission: '700' });
    const says = [
      'LISTSTATUS_BATCH /bad-job-open/secret',
      'Permission denied: user=mallory, access=READ_EXECUTE',
      'grant the permission',
    ];
    await own.expectRefused([`A:${own.root}/secret`, `B:${own.root}/copy`], { code: STOPPED, says, conf: mallory() });
  });
});
