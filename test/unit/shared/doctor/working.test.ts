import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { examined, Patient } from '../../../support/doctor.ts';
import { closedPort, fileStatus, redirect, remoteException, type Seen } from '../../../support/scripted-server.ts';

const unsupported = remoteException('IllegalArgumentException', 'Invalid value for webhdfs parameter "op"', 400);
const toDatanode = (origin: string) => (seen: Seen) =>
  redirect(`${origin}/webhdfs/v1${seen.path}?op=${seen.operation}&namenoderpcaddress=nn:8020&delegation=secret`);

describe('clock', () => {
  const dated = (secondsAhead: number, more: object = {}) => ({
    json: { Path: '/user/me' },
    headers: { date: new Date(Date.now() + secondsAhead * 1000).toUTCString(), ...more },
  });

  it('is taken from the answers', async () => {
    await using patient = await Patient.start({ GETHOMEDIRECTORY: () => dated(-100) });
    expect((await examined([patient.url])).text('clock')).toMatch(
      /^warning: its clock is (?:99|100|101) s behind ours/,
    );
  });

  it('fails where it is too far for Kerberos, also when only who has a ticket is told the time', async () => {
    const challenge = { status: 401, headers: { 'www-authenticate': 'Negotiate', date: '' } };
    await using patient = await Patient.start({
      GETHOMEDIRECTORY: ({ query }: Seen) => (query.has('user.name') ? dated(400) : challenge),
    });
    expect((await examined([patient.url])).text('clock')).toMatch(
      /^failed: its clock is \d+ s ahead of ours, and Kerberos allows 300 s \(set both clocks/,
    );
  });
});

describe('path', () => {
  it.each([
    ['is a file', fileStatus(), 'failed: /data is a file (name a directory as PATH)'],
    [
      'does not exist',
      remoteException('FileNotFoundException', 'File does not exist: /data', 404),
      'failed: /data does not exist (name a directory as PATH, or make it)',
    ],
    [
      'may not be seen',
      remoteException('AccessControlException', 'Permission denied: user=me, access=EXECUTE'),
      'failed: AccessControlException: Permission denied: user=me, access=EXECUTE (grant the permission, or copy as another user)',
    ],
  ])('that %s is told; datanodes and space are still looked at', async (_what, answer, text) => {
    await using patient = await Patient.start({
      GETFILESTATUS: ({ path }: Seen) => (path === '/' ? fileStatus({ type: 'DIRECTORY' }) : answer),
    });
    const rows = await examined([patient.url], { path: '/data' });
    expect(rows.text('path')).toBe(text);
    expect(rows.text('write')).toBe('skipped: needs "path", which did not succeed');
    expect(rows.text('datanode')).toMatch(/^ok/);
    expect(rows.text('space')).toMatch(/^ok/);
  });

  it('that was not given and does not exist is a warning with a command', async () => {
    const absent = remoteException('FileNotFoundException', 'File does not exist', 404);
    await using patient = await Patient.start({
      GETFILESTATUS: ({ path }: Seen) => (path === '/' ? fileStatus({ type: 'DIRECTORY' }) : absent),
    });
    const rows = await examined([patient.url]);
    expect(rows.text('path')).toMatch(
      /^warning: the home directory \/user\/me does not exist .*hdfs-fanout doctor prod \//,
    );
    expect(rows.in('failed')).toEqual([]);
  });

  it('of no mount is told', async () => {
    await using patient = await Patient.start();
    const nameservices = [{ urls: [patient.url], mounts: ['/logs'] }];
    const rows = await examined([], { path: '/data', cluster: { nameservices } });
    expect(rows.text('path')).toMatch(/^failed: .*no nameservice has a mount for \/data/);
  });
});

describe('snapshot', () => {
  const directories = (snapshottable: string) => ({
    GETFILESTATUS: ({ path }: Seen) =>
      fileStatus({ type: 'DIRECTORY', owner: 'etl', ...(path === snapshottable ? { snapshotEnabled: true } : {}) }),
  });

  it.each([
    ['/data/in', 'ok: snapshottable, by etl or a superuser'],
    ['/data', 'ok: snapshottable, as a part of /data, by etl or a superuser'],
    ['/other', 'ok: not snapshottable; a superuser can change that: hdfs dfsadmin -allowSnapshot /data/in'],
  ])('where %s is snapshottable', async (snapshottable, text) => {
    await using patient = await Patient.start(directories(snapshottable));
    const rows = await examined([patient.url], { path: '/data/in', readOnly: true });
    expect(rows.text('snapshot')).toBe(text);
  });

  it('that cannot be told about is no failure', async () => {
    const denied = remoteException('AccessControlException', 'Permission denied');
    const { GETFILESTATUS: answer } = directories('none');
    await using patient = await Patient.start({
      GETFILESTATUS: (seen: Seen) => (seen.path === '/data' ? denied : answer(seen)),
    });
    const rows = await examined([patient.url], { path: '/data/in', readOnly: true });
    expect(rows.text('snapshot')).toMatch(/^warning: AccessControlException/);
    expect(rows.in('failed')).toEqual([]);
  });
});

describe('datanode', () => {
  it('whose name does not resolve fails, and says what can be done', async () => {
    const redirecting = toDatanode('http://dn1.invalid:9864');
    await using patient = await Patient.start({ CREATE: redirecting, OPEN: redirecting });
    const rows = await examined([patient.url], { readOnly: true });
    expect(rows.text('datanode', 'dn1.invalid:9864')).toMatch(/^failed: the host name .*resolve/);
    expect(rows.text('datanode')).toContain('make the names of the datanodes resolve here');
    expect(JSON.stringify(rows.all)).not.toContain('secret');
  });

  it('that is dead fails, and so does the writing, which leaves nothing', async () => {
    const dead = await closedPort();
    await using patient = await Patient.start({ CREATE: toDatanode(dead.url) });
    const rows = await examined([patient.url]);
    expect(rows.text('datanode', dead.host)).toMatch(/^failed: connection refused/);
    expect(rows.text('write')).toMatch(/^failed: .*connection refused/);
    expect(rows.text('rename')).toBe('skipped: needs "write", which did not succeed');
    expect(rows.text('delete')).toMatch(/^ok: left nothing behind/);
  });

  it('in great number: each that fails has a row, the others one together', async () => {
    const dead = await closedPort();
    const [, port = ''] = dead.host.split(':');
    await using patient = await Patient.start({
      jmx: ({ url }: Seen) => {
        const live = [...Array(20).keys()].map((i) => [`127.0.0.${i + 1}:9866`, { infoAddr: `127.0.0.1:${port}` }]);
        const LiveNodes = JSON.stringify(Object.fromEntries(live));
        return url.includes('NameNodeInfo') ? { json: { beans: [{ LiveNodes }] } } : { status: 404 };
      },
    });
    const rows = (await examined([patient.url], { readOnly: true })).of('datanode');
    expect(rows.filter(({ state }) => state === 'failed')).toHaveLength(12);
    expect(rows.at(-1)).toMatchObject({
      state: 'ok',
      found: '1 of 21 datanodes are reached',
      target: patient.namenode.host,
    });
  });

  it('of which there is none', async () => {
    const none = remoteException('IOException', 'Failed to find datanode, suggest to check cluster health.');
    await using patient = await Patient.start({ CREATE: none });
    const rows = await examined([patient.url], { readOnly: true });
    expect(rows.text('datanode')).toMatch(
      /^failed: IOException: Failed to find datanode.*\(check hdfs dfsadmin -report\)/,
    );
    expect(rows.text('version')).toMatch(/^ok: WebHDFS/);
  });
});

describe('write', () => {
  it('that is not permitted fails with the reason, and what may be there is deleted', async () => {
    const denied = remoteException('AccessControlException', 'Permission denied: user=me, access=WRITE, inode="/data"');
    await using patient = await Patient.start({
      MKDIRS: ({ path }: Seen) => (path === '/' ? { json: { boolean: true } } : denied),
    });
    const rows = await examined([patient.url], { path: '/data' });
    expect(rows.text('write')).toMatch(
      /^failed: AccessControlException: Permission denied: user=me.*\(grant the permission/,
    );
    expect(rows.in('failed')).toEqual(['write']);
    expect(patient.namenode.operations).toContain('DELETE');
  });

  it('that is interrupted is still cleaned up after', async () => {
    const interruption = new AbortController();
    await using patient = await Patient.start({
      RENAME: () => async (_request, response) => {
        interruption.abort();
        await sleep(100);
        response.destroy();
      },
    });
    const rows = await examined([patient.url], { signal: interruption.signal });
    expect(rows.text('rename')).toBe('skipped: there was no time left for it');
    expect(rows.text('delete')).toMatch(/^ok/);
    expect(patient.namenode.operations.at(-1)).toBe('DELETE');
  });

  it('whose RENAME does nothing fails: a copy could not be finished', async () => {
    await using patient = await Patient.start({
      RENAME: { json: { boolean: false } },
      GETFILESTATUS: ({ path }: Seen) =>
        path.endsWith('/target')
          ? remoteException('FileNotFoundException', 'no', 404)
          : fileStatus({ type: 'DIRECTORY' }),
    });
    const rows = await examined([patient.url]);
    expect(rows.text('rename')).toMatch(/^failed: /);
    expect(rows.text('concat')).toMatch(/^skipped: needs "rename"/);
  });

  it('whose CONCAT is refused is a warning', async () => {
    const refused = remoteException(
      'HadoopIllegalArgumentException',
      'concat can not be called for files in an encryption zone.',
      400,
    );
    await using patient = await Patient.start({ CONCAT: refused });
    expect((await examined([patient.url])).text('concat')).toMatch(
      /^warning: CONCAT is refused: .*encryption zone\. \(large files here are copied in one piece\)$/,
    );
  });

  it('that cannot be deleted fails, with the command that does', async () => {
    await using patient = await Patient.start({
      DELETE: remoteException('AccessControlException', 'Permission denied'),
    });
    const rows = await examined([patient.url], { path: '/data' });
    expect(rows.text('delete')).toMatch(
      /^failed: (\/data\/\.hdfs-fanout-doctor-\w+) could not be deleted: .* \(hdfs dfs -rm -r -skipTrash \1\)$/,
    );
  });
});

describe('quota and space', () => {
  it('come from older operations where newer ones are unknown', async () => {
    await using patient = await Patient.start({
      GETQUOTAUSAGE: unsupported,
      GETCONTENTSUMMARY: {
        json: { ContentSummary: { quota: 10, fileCount: 4, directoryCount: 1, spaceQuota: -1, spaceConsumed: 5 } },
      },
      GETSTATUS: unsupported,
      jmx: ({ url }: Seen) =>
        url.includes('FSNamesystemState')
          ? { json: { beans: [{ FSState: 'Operational', CapacityTotal: 4096, CapacityRemaining: 100 }] } }
          : { status: 404 },
    });
    const rows = await examined([patient.url]);
    expect(rows.text('quota')).toBe('ok: left: 5 of 10 names');
    expect(rows.text('space')).toMatch(/^warning: 100 B of 4\.0 KiB are free/);
  });

  it('are skipped where the server tells neither', async () => {
    await using patient = await Patient.start({
      GETQUOTAUSAGE: unsupported,
      GETCONTENTSUMMARY: unsupported,
      GETSTATUS: unsupported,
    });
    const rows = await examined([patient.url]);
    expect([rows.text('quota'), rows.text('space')]).toEqual(Array(2).fill('skipped: the server does not tell'));
  });
});
