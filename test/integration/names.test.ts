import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { startBed } from '../bed/bed.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** Names from outside, and names that the destination cannot hold: told before a byte moves. */

const bed = inject('bed');
const [SOME_FAILED, USAGE, STOPPED] = [1, 2, 3];

/** A directory of this machine with these files; a name may hold slashes. */
function localTree(...files: (string | Buffer)[]): string {
  const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-names-'));
  for (const file of files) {
    const path = Buffer.concat([Buffer.from(`${top}/`), Buffer.from(file)]);
    const slash = path.lastIndexOf('/');
    mkdirSync(path.subarray(0, slash), { recursive: true });
    writeFileSync(path, 'content');
  }
  return top;
}

/** What failed, and why: `path: reason`. */
async function failuresOf(pair: TwoClusters, stderr: string): Promise<string> {
  const [, job = ''] = /hdfs-fanout status (\S+) --failures/.exec(stderr) ?? [];
  return (await pair.run(['status', job, '--failures'])).stdout;
}

describe('a server that lists what is no name', () => {
  let pair: TwoClusters;
  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'names-listed');
    await pair.a.put(`${pair.root}/tree/dir/good`, 'good');
    await pair.a.put(`${pair.root}/tree/first`, 'first');
  });

  /** A fault proxy that adds an entry to the listing of one directory. */
  const listing = (directory: string, pathSuffix: string, type: string) =>
    FaultProxy.start(bed.a, {
      react: async ({ operation, path }) => {
        if (operation !== 'LISTSTATUS_BATCH' || path !== directory) return undefined;
        interface Listing {
          DirectoryListing: { partialListing: { FileStatuses: { FileStatus: { pathSuffix: string }[] } } };
        }
        const answer = await pair.a.json<Listing>('LISTSTATUS_BATCH', path);
        const { FileStatus: entries } = answer.DirectoryListing.partialListing.FileStatuses;
        const added = { ...entries[0], pathSuffix, type, length: 4 };
        answer.DirectoryListing.partialListing.FileStatuses.FileStatus =
          pathSuffix < 'd' && pathSuffix.isWellFormed() ? [added, ...entries] : [...entries, added];
        return { answer: { status: 200, body: JSON.stringify(answer) } };
      },
    });

  test.each([
    ['../escaped', 'FILE', 'could lead out of its directory'],
    ['../escaped', 'DIRECTORY', 'could lead out of its directory'],
    ['/tmp/escaped', 'FILE', 'could lead out of its directory'],
    ['a/b', 'FILE', 'could lead out of its directory'],
    ['..', 'DIRECTORY', 'could lead out of its directory'],
    ['.', 'DIRECTORY', 'could lead out of its directory'],
    ['', 'FILE', 'could lead out of its directory'],
    ['nul\0', 'FILE', 'holds a NUL character'],
    ['nul\0', 'DIRECTORY', 'holds a NUL character'],
  ])('%j as a %s: it fails by itself, and nothing leaves the tree', async (name, type, reason) => {
    await using faultProxy = await listing(`${pair.root}/tree/dir`, name, type);
    const conf = pair.conf({ A: { url: faultProxy.url } });
    const top = localTree();
    const target = `/to${Math.random()}`;
    for (const to of [`local:${top}/tree`, `B:${pair.root}${target}`]) {
      const { code, status, stderr } = await pair.run(['copy', '--silent', `A:${pair.root}/tree`, to], { conf });
      expect(code, stderr).toBe(SOME_FAILED);
      expect(status).toMatchObject({ 'Files Expected': 3, 'Files Copied': 2, 'Files Failed': 1 });
      expect(await failuresOf(pair, stderr)).toContain(reason);
    }
    expect(readdirSync(top, { recursive: true }).sort()).toEqual(['tree', 'tree/dir', 'tree/dir/good', 'tree/first']);
    expect(Object.keys(await pair.b.tree(pair.root + target))).toEqual(['/dir/', '/dir/good', '/first']);
    expect(Object.keys(await pair.b.tree(pair.root)).filter((path) => path.includes('escaped'))).toEqual([]);
  });

  test('as a match of a glob it ends the job', async () => {
    await using faultProxy = await listing(`${pair.root}/tree`, '../escaped', 'FILE');
    const conf = pair.conf({ A: { url: faultProxy.url } });
    const args = ['copy', `A:${pair.root}/tree/.*`, `B:${pair.root}`];
    await pair.expectRefused(args, { code: STOPPED, says: ['could lead out of its directory'], conf });
  });
});

describe('names that HDFS cannot hold', () => {
  const colon = '2024-01-01T00:00:00.log';
  let pair: TwoClusters;
  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'names-local');
  });

  test.each([
    ['a namenode', 'b', (): string => bed.b],
    ['HttpFS', 'a', (): string => bed.httpFs],
  ] as const)('a tree with some goes to %s without them', async (what, on, url) => {
    const top = localTree(colon, 'good', 'a:directory/x', '.snapshot/x', Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    await using faultProxy = await FaultProxy.start(url());
    const to = `${pair.root}/${on}`;
    const conf = pair.conf({ B: { url: faultProxy.url } });
    const { code, status, stderr } = await pair.run(['copy', '--silent', `local:${top}`, `B:${to}`], { conf });
    expect(code, what).toBe(SOME_FAILED);
    expect(status).toMatchObject({ 'Files Expected': 5, 'Files Copied': 1, 'Files Failed': 4 });
    const failures = await failuresOf(pair, stderr);
    for (const reason of ['takes no ":" in a name', 'keeps the name .snapshot', 'is not UTF-8']) {
      expect(failures).toContain(reason);
    }
    expect(Object.keys(await pair[on].tree(to))).toEqual(['/good']);
    const created = faultProxy.requests.filter(({ operation }) => operation === 'CREATE' || operation === 'MKDIRS');
    // HttpFS redirects the upload to itself.
    expect(new Set(created.map(({ operation, path }) => `${operation} ${path.replace(/_hdfs.*/, '')}`))).toEqual(
      new Set([`MKDIRS ${to}`, `CREATE ${to}/`]),
    );
  });

  test('flattened files are looked at as well', async () => {
    const top = localTree(`deep/${colon}`, 'a:directory/x');
    await pair.b.mkdirs(`${pair.root}/flat`);
    const { code, status } = await pair.run(['copy', '--files-only', `local:${top}`, `B:${pair.root}/flat`]);
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: SOME_FAILED, failed: 1 });
    expect(Object.keys(await pair.b.tree(`${pair.root}/flat`))).toEqual(['/x']);
  });

  test('one that is all there is to copy is refused, and so is one that was typed', async () => {
    const top = localTree(colon, 'good');
    const says = [`${colon}: HDFS takes no ":" in a name`];
    await pair.expectRefused(['copy', `local:${top}/${colon}`, `B:${pair.root}`], { code: STOPPED, says });
    const typed = ['copy', `local:${top}/good`, `B:${pair.root}/a:b`];
    await pair.expectRefused(typed, { code: USAGE, says: ['HDFS takes no ":" in a name'] });
    const long = ['copy', `local:${top}/good`, `B:${pair.root}/${'n'.repeat(256)}`];
    await pair.expectRefused(long, { code: STOPPED, says: ['256 bytes, and the cluster takes at most 255'] });
  });

  test('a dry run tells them', async () => {
    const top = localTree(colon, 'good');
    const { code, stdout } = await pair.run(['copy', '--dry-run', `local:${top}`, `B:${pair.root}/dry`]);
    expect(code).toBe(SOME_FAILED);
    expect(stdout).toMatch(/^fail .*2024-01-01T00:00:00\.log -> .*HDFS takes no ":" in a name/m);
    expect(stdout).toMatch(/^copy .*good -> /m);
  });
});

describe('a cluster with its own limit of names', () => {
  test('says it once, and what is longer fails before it is made', async () => {
    const limited = { 'dfs.namenode.fs-limits.max-component-length': '100' };
    const none = { 'dfs.namenode.fs-limits.max-component-length': '0' };
    await using own = await startBed({
      clusters: [
        { name: 'L', extraHdfs: limited },
        { name: 'U', extraHdfs: none },
      ],
    });
    const pair = await TwoClusters.make(bed, 'names-limit');
    const [short, long, longer] = ['s'.repeat(100), 'l'.repeat(101), 'u'.repeat(300)];
    const [l, u] = [new TestHdfs(own.clusters.L.namenodeUrl), new TestHdfs(own.clusters.U.namenodeUrl)];
    await u.put(`/tree/${short}`, 'short');
    await u.put(`/tree/${long}`, 'long');
    await u.put(`/tree/${longer}`, 'longer');
    await u.put(`/tree/${'d'.repeat(101)}/x`, 'below');
    await using faultProxy = await FaultProxy.start(own.clusters.L.namenodeUrl);
    const conf = pair.conf({ L: { url: faultProxy.url }, U: { url: u.url } });
    const { code, status, stderr } = await pair.run(['copy', '--silent', 'U:/tree', 'L:/tree'], { conf });
    expect(code, stderr).toBe(SOME_FAILED);
    expect(status).toMatchObject({ 'Files Expected': 4, 'Files Copied': 1, 'Files Failed': 3 });
    expect(await failuresOf(pair, stderr)).toContain('its name has 101 bytes, and the cluster takes at most 100');
    expect(faultProxy.count('CREATE')).toBe(1);
    expect(Object.keys(await l.tree('/tree'))).toEqual([`/${short}`]);
    // Without a limit nothing is refused.
    const copied = await pair.run(['copy', '--silent', 'U:/tree', 'U:/copy'], { conf });
    expect(copied.code, copied.stderr).toBe(0);
    expect(await u.tree('/copy')).toEqual(await u.tree('/tree'));

    // The limit is told to owners only; others learn it from the first file that is refused.
    for (const name of ['1', '2', '3']) await u.put(`/many/${name.repeat(101)}`, name);
    await l.call('PUT', 'MKDIRS', '/open', { permission: '777' });
    faultProxy.requests.length = 0;
    const other = pair.conf({ L: { url: faultProxy.url, user: 'mallory' }, U: { url: u.url } });
    const refused = await pair.run(['copy', '--threads', '1', '--exact', 'U:/many', 'L:/open'], { conf: other });
    expect(refused.status).toMatchObject({ 'Files Failed': 3, 'Files Copied': 0, Retries: 0 });
    expect(faultProxy.count('CREATE')).toBe(1);
    expect(await l.tree('/open')).toEqual({});
  });
});

describe('paths that HDFS keeps for itself', () => {
  let pair: TwoClusters;
  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'names-reserved');
    await pair.a.put(`${pair.root}/d/file`, 'of a snapshot');
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', `${pair.root}/d`);
    await pair.a.call('PUT', 'CREATESNAPSHOT', `${pair.root}/d`, { snapshotname: 's1' });
    await pair.a.put(`${pair.root}/d/file`, 'changed since');
  });

  const raw = 'WebHDFS does not carry the raw.* attributes';
  test.each([
    ['A:/.reserved/raw/names-reserved/d', 'B:/names-reserved/x', raw],
    ['A://.reserved/./raw', 'B:/names-reserved/x', raw],
    ['A:/x/../.reserved/raw/', 'B:/names-reserved/x', raw],
    ['RAW:raw/names-reserved/d', 'B:/names-reserved/x', raw],
    ['A:/.reserved/raw/*', 'B:/names-reserved/x', raw],
    ['A:/{.reserved/raw,names-reserved}/d', 'B:/names-reserved/x', raw],
    ['A:/.reserved/.inodes/16385', 'B:/names-reserved/x', 'other names for what lies elsewhere'],
    ['A:/.reserved', 'B:/names-reserved/x', 'other names for what lies elsewhere'],
    ['A:/names-reserved/d', 'B:/.reserved/raw/names-reserved', raw],
    ['A:/names-reserved/d', 'B:/.reserved/.inodes/16385', 'belongs to HDFS itself'],
    ['A:/names-reserved/d', 'A:/names-reserved/d/.snapshot/s1', 'a snapshot is read-only'],
    ['A:/names-reserved/d', 'A:/names-reserved/d/.snapshot', 'a snapshot is read-only'],
  ])('%s to %s is refused', async (from, to, reason) => {
    const conf = pair.conf({ RAW: { url: bed.a, root: '/.reserved' } });
    await pair.expectRefused(['copy', from, to], { code: USAGE, says: [reason], conf });
  });

  test('a name that only looks like one is a name', async () => {
    await pair.a.put(`${pair.root}/.reserved/x`, 'x');
    const copied = await pair.run(['copy', `A:${pair.root}/.reserved`, `B:${pair.root}/.reserved`]);
    expect(copied.code, copied.stderr).toBe(0);
  });

  test('a snapshot is copied, also over the directory that it is of', async () => {
    const snapshot = `A:${pair.root}/d/.snapshot/s1`;
    for (const to of [`B:${pair.root}/copy`, `A:${pair.root}/d`]) {
      const { code, stderr } = await pair.run(['copy', '--exact', '--force', snapshot, to]);
      expect({ code, stderr: stderr.replace(/.*\r/, '') }).toMatchObject({ code: 0 });
    }
    expect((await pair.a.get(`${pair.root}/d/file`)).toString()).toBe('of a snapshot');
    expect((await pair.b.get(`${pair.root}/copy/file`)).toString()).toBe('of a snapshot');
  });
});

describe('names with a meaning of their own', () => {
  let pair: TwoClusters;
  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'names-own');
  });

  test('what another copy left is counted as skipped, whatever it is, unless it is named itself', async () => {
    const { a, b, root } = pair;
    const left = '_hdfs-fanout.20240101-000000-abcdef.0.0.1.0.old';
    await a.put(`${root}/tree/${left}`, 'the only copy');
    await a.put(`${root}/tree/_hdfs-fanout.directory/x`, 'x');
    await a.put(`${root}/tree/file`, 'file');
    const { code, status } = await pair.run(['copy', `A:${root}/tree`, `B:${root}/tree`]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Expected': 3, 'Files Copied': 1, 'Files Skipped': 2 });
    expect(status.Skipped).toEqual({ 'temporary file of a copy': 2 });
    expect(Object.keys(await b.tree(`${root}/tree`))).toEqual(['/file']);
    const rescued = await pair.run(['copy', `A:${root}/tree/${left}`, `B:${root}/rescued`]);
    expect(rescued.status['Files Copied']).toBe(1);
    expect((await b.get(`${root}/rescued`)).toString()).toBe('the only copy');
  });

  test.each([
    ['A://names-own///./p/../p//f', '/slashes'],
    ['A:/x/../../names-own/p/f', '/above-the-root'],
    ['HOME:p/f', '/relative'],
    ['HOME:q/../p/f', '/relative-dots'],
    ['HOME:../names-own/p/f', '/relative-above'],
  ])('%s is the path that it means', async (from, name) => {
    await pair.a.put(`${pair.root}/p/f`, 'f');
    const conf = pair.conf({ HOME: { url: bed.a, root: pair.root } });
    const { code, stderr } = await pair.run(['copy', '--silent', from, `B:${pair.root}${name}`], { conf });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await pair.b.get(pair.root + name)).toString()).toBe('f');
  });

  test('the same source twice is copied once', async () => {
    await pair.a.put(`${pair.root}/p/f`, 'f');
    const { status } = await pair.run(['copy', `A:${pair.root}/p/f`, `A:${pair.root}//p/[f]`, `B:${pair.root}/once`]);
    expect(status).toMatchObject({ 'Files Expected': 1, 'Files Copied': 1 });
  });

  test('sources one inside of the other are both copied', async () => {
    await pair.a.put(`${pair.root}/outer/inner/f`, 'f');
    await pair.b.mkdirs(`${pair.root}/both`);
    const args = ['copy', `A:${pair.root}/outer`, `A:${pair.root}/outer/inner`, `B:${pair.root}/both`];
    expect((await pair.run(args)).code).toBe(0);
    const files = ['/inner/', '/inner/f', '/outer/', '/outer/inner/', '/outer/inner/f'];
    expect(Object.keys(await pair.b.tree(`${pair.root}/both`))).toEqual(files);
  });

  test('links of this machine that lead in circles or nowhere are skipped, not followed', async () => {
    const top = localTree('dir/file');
    for (const [target, link] of [
      ['..', 'dir/up'],
      ['self', 'dir/self'],
      ['nowhere', 'broken'],
    ] as const)
      symlinkSync(target, join(top, link));
    symlinkSync(top, `${top}-link`);
    const { code, status } = await pair.run(['copy', `local:${top}-link`, `B:${pair.root}/links`]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Expected': 4, 'Files Copied': 1, 'Files Skipped': 3 });
    expect(Object.keys(await pair.b.tree(`${pair.root}/links`))).toEqual(['/dir/', '/dir/file']);
  });

  test('a dry run tells what a pattern leaves out because of a dot', async () => {
    for (const name of ['seen', '.hidden', '.hidden-too']) await pair.a.put(`${pair.root}/dots/${name}`, name);
    const from = `A:${pair.root}/dots/`;
    const dry = await pair.run(['copy', '--dry-run', `${from}*`, `B:${pair.root}/dots`]);
    expect(dry.stdout.split('\n').map((line) => line.replace(/ {2}.*/, ''))).toContain('hidden');
    expect(dry.stdout).toMatch(/^hidden {4}\/names-own\/dots\/\.hidden {2}\(it begins with a dot/m);
    await pair.b.mkdirs(`${pair.root}/dots`);
    const { status } = await pair.run(['copy', `${from}*`, `${from}.hidden*`, `B:${pair.root}/dots`]);
    expect(status['Files Copied']).toBe(3);
    // Patterns for files take them all.
    const args = ['--include-pattern', '*n', '--exact', from, `B:${pair.root}/included`];
    expect((await pair.run(['copy', ...args])).status).toMatchObject({ 'Files Copied': 2 });
  });

  test('nothing temporary is left', async () => {
    const { a, b } = await pair.trees();
    expect(temporaryNames(b)).toEqual([]);
    expect(temporaryNames(a)).toHaveLength(3);
  });
});
