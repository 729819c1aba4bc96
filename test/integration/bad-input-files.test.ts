import { describe, expect, inject, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { expectOneLine, TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** What keeps single files from being copied: the others are copied, nothing half-done stays, exit code 1 and a report. */

const bed = inject('bed');
const SOME_FAILED = 1;
const mallory = { A: { user: 'mallory' }, B: { user: 'mallory' } };

/** A tree on A with some good files, and a directory on B that anyone may write to. */
async function sceneWith(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `bad-files-${name}`);
  const { a, b, root } = pair;
  await Promise.all([
    b.call('PUT', 'SETPERMISSION', root, { permission: '777' }),
    a.put(`${root}/tree/first`, 'first file'),
    a.put(`${root}/tree/dir/good`, 'good file'),
    a.put(`${root}/tree/last`, 'last file'),
  ]);
  return pair;
}

const good = ['/dir/', '/dir/good', '/first', '/last'];

async function copied(pair: TwoClusters): Promise<string[]> {
  const tree = await pair.b.tree(`${pair.root}/tree`);
  expect(temporaryNames(tree)).toEqual([]);
  return Object.keys(tree);
}

/** The copy ended with some failed files, and the report names what is said of each. */
async function expectReport(pair: TwoClusters, result: CliResult, says: readonly string[][]): Promise<void> {
  expectOneLine(result, [`${says.length} files failed`, 'hdfs-fanout status', '--failures']);
  expect(result.code).toBe(SOME_FAILED);
  expect(result.status).toMatchObject({ Outcome: 'Failed', Phase: 'done', 'Files Failed': says.length });
  const report = await pair.run(['status', result.status.Job, '--failures']);
  const failures = report.stdout.split(/\n(?=\/)/).sort();
  expect(failures, report.stdout).toHaveLength(says.length);
  for (const [index, words] of says.entries()) for (const word of words) expect(failures[index]).toContain(word);
  expect(report.stdout).not.toMatch(/\.java:\d+|\n\s+at /);
}

const copy = (pair: TwoClusters, conf?: string, ...flags: string[]) =>
  pair.run(['copy', ...flags, `A:${pair.root}/tree`, `B:${pair.root}/tree`], conf === undefined ? {} : { conf });

describe.concurrent('permissions', () => {
  test('one file may not be read', async () => {
    const pair = await sceneWith('unreadable');
    await pair.a.put(`${pair.root}/tree/dir/secret`, 'secret', { permission: '600' });
    const result = await copy(pair, pair.conf(mallory));
    await expectReport(pair, result, [
      [
        `${pair.root}/tree/dir/secret\n`,
        'OPEN on localhost:',
        'AccessControlException: Permission denied: user=mallory, access=READ',
        'grant the permission, or copy as another user',
      ],
    ]);
    expect(await copied(pair)).toEqual(good);
    expect(result.status).toMatchObject({ 'Files Expected': 4, 'Files Copied': 3, 'Size Failed': 6 });
  });

  test('one directory may not be listed', async () => {
    const pair = await sceneWith('closed');
    await pair.a.put(`${pair.root}/tree/dir/closed/file`, 'never listed');
    await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/tree/dir/closed`, { permission: '700' });
    await expectReport(pair, await copy(pair, pair.conf(mallory)), [
      [
        `${pair.root}/tree/dir/closed\n`,
        'LISTSTATUS_BATCH',
        'on localhost:',
        'Permission denied: user=mallory, access=READ_EXECUTE',
        'grant the permission',
      ],
    ]);
    expect(await copied(pair)).toEqual(['/dir/', '/dir/closed/', ...good.slice(1)]);
  });

  test('one directory may not be written to', async () => {
    const pair = await sceneWith('locked');
    await pair.b.call('PUT', 'MKDIRS', `${pair.root}/tree`, { permission: '777' });
    await pair.b.call('PUT', 'MKDIRS', `${pair.root}/tree/dir`, { permission: '755' });
    await pair.a.put(`${pair.root}/tree/dir/below/file`, 'below');
    await expectReport(pair, await copy(pair, pair.conf(mallory), '--exact'), [
      [`${pair.root}/tree/dir/below`, 'MKDIRS', 'on localhost:', 'access=WRITE', 'grant the permission'],
      [`${pair.root}/tree/dir/below/file`, 'CREATE on localhost:', 'Permission denied: user=mallory', 'access=WRITE'],
      [`${pair.root}/tree/dir/good`, 'CREATE on localhost:', 'Permission denied: user=mallory', 'access=WRITE'],
    ]);
    expect(await copied(pair)).toEqual(['/dir/', '/first', '/last']);
  });
});

describe.concurrent('quotas', () => {
  const setQuota = async (name: string, quota: Record<string, string>) => {
    const pair = await sceneWith(name);
    await pair.a.put(`${pair.root}/tree/full/file`, 'no room');
    await pair.b.mkdirs(`${pair.root}/tree/full`);
    await pair.b.call('PUT', 'SETQUOTA', `${pair.root}/tree/full`, quota);
    return pair;
  };

  // A whole block is charged for any file, and B's have 4 MiB.
  test.each([
    ['space', 'storagespacequota', 1024 * 1024, 'DSQuotaExceededException', 'raise the space quota or free space'],
    ['names', 'namespacequota', 1, 'NSQuotaExceededException', 'raise the name quota'],
  ])('of %s', async (name, quota, limit, exception, remedy) => {
    const pair = await setQuota(`quota-${name}`, { [quota]: String(limit) });
    await expectReport(pair, await copy(pair, undefined, '--exact'), [
      [`${pair.root}/tree/full/file`, 'CREATE on localhost:', exception, remedy],
    ]);
    expect(await copied(pair)).toEqual([...good, '/full/'].sort());
  });
});

describe.concurrent('a source file that is not what it was', () => {
  /** Copies `tree` while `change` is called before the first (or each) request of this kind for `tree/it` goes through. */
  const copyWhile = async (
    name: string,
    { operation, to }: Pick<FaultProxyRequest, 'operation' | 'to'>,
    change: (pair: TwoClusters, path: string, time: number) => Promise<void>,
  ) => {
    const pair = await sceneWith(name);
    const path = `${pair.root}/tree/it`;
    await pair.a.put(path, 'as it was planned');
    let times = 0;
    await using faultProxy = await FaultProxy.start(bed.a, {
      datanodes: true,
      react: async (request) => {
        if (request.path !== path || request.operation !== operation || request.to !== to) return undefined;
        await change(pair, path, times++);
        return undefined;
      },
    });
    const result = await copy(pair, pair.conf({ A: { url: faultProxy.url } }));
    expect(times).toBeGreaterThan(0);
    return { pair, result, path };
  };
  const opened = { operation: 'OPEN', to: 'namenode' } as const;
  /** Asked for when the file has been read. */
  const read = { operation: 'GETFILECHECKSUM', to: 'datanode' } as const;

  test('has vanished', async () => {
    const { pair, result, path } = await copyWhile('vanished', opened, (pair, path) => pair.a.remove(path));
    await expectReport(pair, result, [
      [`${path}\n`, 'OPEN on 127.0.0.1:', 'it vanished before it was copied', 'copy again'],
    ]);
    expect(await copied(pair)).toEqual(good);
  });

  test('has vanished after it was read', async () => {
    const { pair, result, path } = await copyWhile('vanished-late', read, (pair, path, time) =>
      time === 0 ? pair.a.remove(path) : Promise.resolve(),
    );
    await expectReport(pair, result, [[`${path}\n`, 'it vanished before it was copied', 'copy again']]);
    expect(await copied(pair)).toEqual(good);
  });

  test.each([
    ['has grown', 'grown', opened, 'as it was planned, and more'],
    ['has shrunk', 'shrunk', opened, 'as it was'],
    ['has become empty', 'emptied', opened, ''],
    ['was rewritten in place with the same length', 'rewritten', read, 'as it never was!!'],
    ['was rewritten with another length after it was read', 'rewritten-longer', read, 'as it never was planned'],
  ])('%s: it is copied as it is now', async (_, name, when, content) => {
    const { pair, result } = await copyWhile(name, when, (pair, path, time) =>
      time === 0 ? pair.a.put(path, content) : Promise.resolve(),
    );
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(result.status).toMatchObject({ 'Files Copied': 4, Verified: { checksum: 4 }, Retries: 1 });
    expect(await copied(pair)).toEqual([...good.slice(0, 3), '/it', '/last']);
    expect(await pair.b.tree(`${pair.root}/tree`)).toEqual(await pair.a.tree(`${pair.root}/tree`));
  });

  test.each([
    ['keeps growing', 'growing', opened, (time: number) => `as it was planned${'+'.repeat(time + 1)}`],
    ['keeps shrinking', 'shrinking', opened, (time: number) => 'as it was planned'.slice(time + 1)],
    ['is rewritten all the time', 'rewriting', read, (time: number) => `as it was, take ${time}`],
  ])('%s: it fails', async (_, name, when, content) => {
    const { pair, result, path } = await copyWhile(name, when, (pair, path, time) => pair.a.put(path, content(time)));
    const changes: Record<string, string> = { shrinking: 'it has shrunk from', growing: 'it has grown beyond' };
    const changed = changes[name] ?? 'it changed while it was copied';
    await expectReport(pair, result, [[`${path}\n`, changed, 'when its writer is done', 'snapshot']]);
    expect(await copied(pair)).toEqual(good);
  });
});

test.concurrent.each([
  ['source', 'OPEN', 'A'],
  ['destination', 'CREATE', 'B'],
] as const)('a datanode of the %s whose name does not resolve', async (side, operation, cluster) => {
  const pair = await sceneWith(`datanode-${side}`);
  await using faultProxy = await FaultProxy.start(side === 'source' ? bed.a : bed.b, {
    react: (request) =>
      request.path.includes('/dir/') && request.operation === operation
        ? { location: (location) => location.replace(/\/\/[^/:]+/, '//dn1.invalid') }
        : undefined,
  });
  const namenode = faultProxy.url.replace('http://', '');
  await expectReport(pair, await copy(pair, pair.conf({ [cluster]: { url: faultProxy.url } })), [
    [
      `${pair.root}/tree/dir/good\n`,
      `${operation} on dn1.invalid:`,
      `: the datanode could not be used: the host name does not resolve; the namenode ${namenode} works`,
      'make the name dn1.invalid resolve on this machine',
    ],
  ]);
  expect(await copied(pair)).toEqual(['/dir/', '/first', '/last']);
  // One for each of the other files, and three tries.
  expect(faultProxy.count(operation)).toBe(5);
});

describe.concurrent('--max-failures', () => {
  const twoFail = async (name: string) => {
    const pair = await sceneWith(name);
    for (const file of ['one', 'two']) await pair.a.put(`${pair.root}/tree/${file}`, file, { permission: '600' });
    return pair;
  };

  test.each([0, 1])('%d ends the job', async (limit) => {
    const pair = await twoFail(`limit-${limit}`);
    const result = await copy(pair, pair.conf(mallory), '--max-failures', String(limit), '--threads', '1');
    expect(result.code).toBe(3);
    expectOneLine(result, [
      `${limit + 1} files failed, more than the limit of ${limit}`,
      'mend the cause, or raise --max-failures, and resume',
      `--resume ${result.status.Job}`,
    ]);
    expect(result.status).toMatchObject({ Outcome: 'Failed', Phase: 'copying' });
    expect(await copied(pair)).not.toContain('/one');
    await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/tree/one`, { permission: '644' });
    await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/tree/two`, { permission: '644' });
    const resumed = await pair.run(['copy', '--resume', result.status.Job], { conf: pair.conf(mallory) });
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ 'Files Expected': 5, 'Files Copied': 5, 'Files Failed': 0 });
    expect(await pair.b.tree(`${pair.root}/tree`)).toEqual(await pair.a.tree(`${pair.root}/tree`));
  });

  test('2 lets it go on', async () => {
    const pair = await twoFail('limit-2');
    const result = await copy(pair, pair.conf(mallory), '--max-failures', '2');
    await expectReport(pair, result, [[`${pair.root}/tree/one\n`], [`${pair.root}/tree/two\n`]]);
  });
});
