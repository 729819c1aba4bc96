import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import type { TestHdfs } from '../support/hdfs.ts';
import { content, oddNames } from '../support/odd-tree.ts';
import { expectOneLine, TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** What each option of `copy` does to two real clusters and to the local disk. */

const bed = inject('bed');
const MIB = 1024 * 1024;

const sceneOf = (name: string) => TwoClusters.make(bed, `options-${name}`);

function expectSuccess({ code, stderr, status }: CliResult, expected: Record<string, unknown>): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ Outcome: 'Successful', ...expected });
}

function localDirectory(files: Record<string, string> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-local-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

describe.concurrent('what is copied again', () => {
  test('--force skips what is equal, --no-checksum with --force copies it again', async () => {
    const { a, b, root, run } = await bound('again');
    await a.put(`${root}/tree/file`, 'content');
    await a.put(`${root}/tree/empty`, '');
    const args = [`A:${root}/tree`, `B:${root}/tree`];
    expectSuccess(await run(args), { 'Files Copied': 2 });
    const inode = async () => (await b.status(`${root}/tree/file`)).fileId;
    const first = await inode();
    expectSuccess(await run(['--force', '--exact', ...args]), { 'Files Copied': 0, 'Files Skipped': 2 });
    expect(await inode()).toBe(first);
    expectSuccess(await run(['--force', '--exact', '--no-checksum', ...args]), { 'Files Copied': 2 });
    expect(await inode()).not.toBe(first);
  });

  test('without --force nothing that exists is replaced, with --no-checksum neither', async () => {
    const { a, b, root, run } = await bound('kept');
    await a.put(`${root}/tree/same`, 'content');
    await a.put(`${root}/tree/other`, 'changed');
    await b.put(`${root}/tree/same`, 'content');
    await b.put(`${root}/tree/other`, 'content');
    const before = await b.tree(root);
    const args = ['--exact', `A:${root}/tree`, `B:${root}/tree`];
    const compared = await run(args);
    expect([compared.code, compared.status['Files Failed'], compared.status['Files Skipped']]).toEqual([1, 1, 1]);
    const blind = await run(['--no-checksum', ...args]);
    expect([blind.code, blind.status['Files Failed'], blind.status['Files Skipped']]).toEqual([1, 1, 1]);
    expect(await b.tree(root)).toEqual(before);
  });
});

describe.concurrent('which files', () => {
  const files = { 'part-1.csv': '12345', 'part-2.csv': '1', 'notes.txt': '12345', 'sub/part-3.csv': '12345' };

  test('--include-pattern and --min-size choose them by name and length', async () => {
    const { b, root, run } = await bound('filter');
    const from = `local:${localDirectory(files)}`;
    const flags = ['--include-pattern', 'part-*.csv', '--min-size', '5', '--exact'];
    expectSuccess(await run([...flags, from, `B:${root}/up`]), { 'Files Expected': 2, 'Files Copied': 2 });
    expect(Object.keys(await b.tree(`${root}/up`))).toEqual(['/part-1.csv', '/sub/', '/sub/part-3.csv']);
  });

  test('--files-only flattens an upload, and of two files of one name one is refused', async () => {
    const { b, root, run } = await bound('flat');
    const from = localDirectory({ ...files, 'other/part-3.csv': 'other', 'other/deep/last': 'last' });
    const result = await run(['--files-only', `local:${from}`, `B:${root}`]);
    expectOneLine(result, ['1 files failed']);
    expect([result.code, result.status['Files Copied'], result.status['Files Failed']]).toEqual([1, 5, 1]);
    expect(Object.keys(await b.tree(root))).toEqual([
      '/last',
      '/notes.txt',
      '/part-1.csv',
      '/part-2.csv',
      '/part-3.csv',
    ]);
    expect((await b.get(`${root}/part-3.csv`)).toString()).toBe('other');
    const { stdout } = await run(['status', result.status.Job, '--failures'], '');
    expect(stdout).toContain(`${from}/sub/part-3.csv\n`);
    expect(stdout).toContain('another source file is named part-3.csv');
  });

  test('globs choose sources, several sources go into a directory', async () => {
    const { a, b, root, run } = await bound('globs');
    for (const day of ['dt=01', 'dt=02', 'dt=11', '.dt=03']) await a.put(`${root}/in/${day}/f`, day);
    await a.put(`${root}/in/file`, 'a file');
    await b.mkdirs(`${root}/out`);
    const sources = [`A:${root}/in/dt=0[1-9]`, `A:${root}/in/fil?`];
    expectSuccess(await run([...sources, `B:${root}/out`]), { 'Files Copied': 3 });
    expect(Object.keys(await b.tree(`${root}/out`))).toEqual(['/dt=01/', '/dt=01/f', '/dt=02/', '/dt=02/f', '/file']);
    expectSuccess(await run([`A:${root}/i*/dt=1{1,2}/`, `B:${root}/out`]), { 'Files Copied': 1 });
    expect(await b.exists(`${root}/out/dt=11/f`)).toBe(true);
  });
});

test.concurrent('odd names and lengths survive an upload and a download', async () => {
  const { a, b, root, run } = await bound('odd');
  const names = oddNames.filter((name) => !name.includes('/'));
  const up = localDirectory(
    Object.fromEntries(
      names.flatMap((name) => [
        [name, name],
        [`d/${name}/${name}`, name],
      ]),
    ),
  );
  writeFileSync(join(up, 'large'), content('large', 5 * MIB + 1));
  writeFileSync(join(up, 'empty'), '');
  mkdirSync(join(up, 'empty directory'));
  const files = names.length * 2 + 2;
  // The local disk stores no checksum that could prove what was read; an empty file has no byte that could differ.
  const verified = { checksum: 1, 'read-back': files - 1 };
  expectSuccess(await run([`local:${up}`, `B:${root}/up`]), { 'Files Copied': files, Verified: verified });
  expect(Object.keys(await b.tree(`${root}/up`))).toContain('/empty directory/');
  const down = join(localDirectory(), 'down');
  expectSuccess(await run([`B:${root}/up`, `local:${down}`]), { 'Files Copied': files });
  const listed = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  expect(listed(down)).toEqual(listed(up));
  for (const path of listed(up)) {
    if (statSync(join(up, path)).isFile())
      expect(readFileSync(join(down, path)).equals(readFileSync(join(up, path)))).toBe(true);
  }
  expectSuccess(await run(['--force', '--exact', `local:${up}`, `B:${root}/up`]), { 'Files Skipped': files });
  expect(await a.tree(root)).toEqual({});
});

describe.concurrent('--preserve', () => {
  /** Everything that it carries over, as a second client sees it. */
  const attributes = async (hdfs: TestHdfs, path: string) => {
    const { type, owner, group, permission, modificationTime, accessTime, replication, blockSize } =
      await hdfs.status(path);
    const [acl, xattrs] = await Promise.all([
      hdfs.json<unknown>('GETACLSTATUS', path),
      hdfs.json<unknown>('GETXATTRS', path, { encoding: 'hex' }),
    ]);
    const times = type === 'FILE' ? { modificationTime, accessTime } : { modificationTime };
    return { owner, group, permission, ...times, replication, blockSize, acl, xattrs };
  };
  const xattr = { 'xattr.name': 'user.origin', 'xattr.value': '0x00ff20', encoding: 'hex', flag: 'CREATE' };

  const dressedTree = async (pair: TwoClusters) => {
    const { a, root } = pair;
    const put = (op: string, path: string, parameters: Record<string, string>) =>
      a.call('PUT', op, `${root}/tree${path}`, parameters);
    await a.put(`${root}/tree/dir/file`, content('preserved', 3 * MIB), { blocksize: `${2 * MIB}`, replication: '2' });
    await a.put(`${root}/tree/dir/plain`, 'plain');
    await a.mkdirs(`${root}/tree/empty`);
    for (const path of ['/dir/file', '/dir']) {
      await put('SETACL', path, { aclspec: 'user::rwx,user:bob:r-x,group::r--,mask::r-x,other::---' });
      await put('SETXATTR', path, xattr);
    }
    await put('MODIFYACLENTRIES', '/dir', { aclspec: 'default:user:carol:rwx' });
    await put('SETOWNER', '/dir/plain', { owner: 'alice', group: 'staff' });
    await put('SETPERMISSION', '/dir/plain', { permission: '640' });
    await put('SETOWNER', '/empty', { owner: 'bob', group: 'staff' });
    await put('SETPERMISSION', '/empty', { permission: '1770' });
    const time = (n: number) => ({
      modificationtime: `${1_500_000_000_000 + n}`,
      accesstime: `${1_600_000_000_000 + n}`,
    });
    for (const [n, path] of ['/dir/file', '/dir/plain', '/dir', '/empty', ''].entries())
      await put('SETTIMES', path, time(n));
  };
  const paths = ['', '/dir', '/dir/file', '/dir/plain', '/empty'];

  test.each([
    { how: 'between namenodes', to: 'B', url: bed.a },
    { how: 'through an HttpFS both ways', to: 'A', url: bed.httpFs },
  ])(
    'carries over $how owner, group, permission, times, replication, block size, ACL and extended attributes',
    async ({ how, to, url }) => {
      const pair = await sceneOf(`preserve-${how.replaceAll(' ', '-')}`);
      const { a, root } = pair;
      const destination = to === 'A' ? a : pair.b;
      const conf = pair.conf({ A: { url } });
      await dressedTree(pair);
      // Reading moves access times (once an hour), so they are taken before.
      const before = await Promise.all(paths.map((path) => attributes(a, `${root}/tree${path}`)));
      const result = await pair.run(['copy', '-p', '--strict-preserve', `A:${root}/tree`, `${to}:${root}/copy`], {
        conf,
      });
      expectSuccess(result, { 'Files Copied': 2, Warnings: {}, Verified: { checksum: 2 } });
      const after = await Promise.all(paths.map((path) => attributes(destination, `${root}/copy${path}`)));
      expect(after).toEqual(before);
      expect(after[2]).toMatchObject({ replication: 2, blockSize: 2 * MIB });
    },
  );

  test('without it files and directories are as the destination makes them', async () => {
    const pair = await sceneOf('not-preserved');
    await dressedTree(pair);
    expectSuccess(await pair.run(['copy', `A:${pair.root}/tree`, `B:${pair.root}/tree`]), { 'Files Copied': 2 });
    const made = await pair.b.status(`${pair.root}/tree/dir/file`);
    expect(made).toMatchObject({ owner: 'root', permission: '644', replication: 1, blockSize: 4 * MIB });
  });

  test('what cannot be set is counted, and fails the file with --strict-preserve', async () => {
    const pair = await sceneOf('strict');
    const { a, b, root } = pair;
    await b.call('PUT', 'SETPERMISSION', root, { permission: '777' });
    await a.put(`${root}/tree/file`, 'content');
    await a.call('PUT', 'SETOWNER', `${root}/tree/file`, { owner: 'alice', group: 'staff' });
    const conf = pair.conf({ B: { user: 'mallory' } });
    const lenient = await pair.run(['copy', '-p', `A:${root}/tree`, `B:${root}/lenient`], { conf });
    expectSuccess(lenient, { 'Files Copied': 1, Warnings: { owner: 2 } });
    const strict = await pair.run(['copy', '--strict-preserve', `A:${root}/tree`, `B:${root}/strict`], { conf });
    expect([strict.code, strict.status['Files Failed'], strict.status['Files Copied']]).toEqual([1, 1, 0]);
    expectOneLine(strict, ['1 files failed']);
    expect(await b.tree(`${root}/strict`)).toEqual({});
    const { stdout } = await pair.run(['status', strict.status.Job, '--failures']);
    expect(stdout).toMatch(/tree\/file\n {4}SETOWNER on localhost:\d+: AccessControlException/);
  });

  test('onto the local disk: permission and times', async () => {
    const { a, root, run } = await bound('preserve-local');
    await a.put(`${root}/file`, 'content', { permission: '640' });
    await a.call('PUT', 'SETTIMES', `${root}/file`, { modificationtime: '1500000000000', accesstime: '1600000000000' });
    const to = join(localDirectory(), 'file');
    expectSuccess(await run(['-p', `A:${root}/file`, `local:${to}`]), { 'Files Copied': 1, Warnings: {} });
    const { mode, mtimeMs, atimeMs } = statSync(to);
    expect([(mode & 0o7777).toString(8), mtimeMs, atimeMs]).toEqual(['640', 1_500_000_000_000, 1_600_000_000_000]);
  });
});

describe.concurrent('how it is written and verified', () => {
  test.each([
    ['--direct', 0],
    ['--force', 2],
  ])('%s: %d renames', async (flag, renames) => {
    const pair = await sceneOf(`write${flag}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/one`, 'one');
    await a.put(`${root}/tree/two`, content('two', MIB));
    await using faultProxy = await FaultProxy.start(bed.b);
    const args = ['copy', flag, `A:${root}/tree`, `B:${root}/tree`];
    expectSuccess(await pair.run(args, { conf: pair.conf({ B: { url: faultProxy.url } }) }), { 'Files Copied': 2 });
    expect(faultProxy.count('RENAME')).toBe(renames);
    const created = faultProxy.requests.filter(({ operation }) => operation === 'CREATE').map(({ path }) => path);
    expect(created.filter((path) => path.includes('/_hdfs-fanout.'))).toHaveLength(renames);
    expect(await b.tree(root)).toEqual(await a.tree(root));
  });

  test.each(['checksum', 'read-back', 'length', 'none'])('--verify %s is reached and reported', async (level) => {
    const { a, b, root, run } = await bound(`verify-${level}`);
    await a.put(`${root}/tree/one`, content(level, 2 * MIB));
    await a.put(`${root}/tree/empty`, '');
    const result = await run(['--verify', level, `A:${root}/tree`, `B:${root}/tree`]);
    expectSuccess(result, { 'Files Copied': 2, Verified: { [level]: 2 } });
    expect(await b.tree(root)).toEqual(await a.tree(root));
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });
});

/** A pair of clusters, and `run` for a copy in it. */
async function bound(name: string) {
  const pair = await sceneOf(name);
  const run = (args: readonly string[], command = 'copy') => pair.run(command ? [command, ...args] : args);
  return { a: pair.a, b: pair.b, root: pair.root, run };
}
