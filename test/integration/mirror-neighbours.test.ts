import { describe, expect, inject, test } from 'vitest';
import { chmod } from '../support/attributes.ts';
import { Mirror } from '../support/mirror.ts';
import { openFile } from '../support/open-file.ts';

/** What users of rsync, rclone and DistCp were hurt by when they mirrored. */

const bed = inject('bed');
const make = (name: string, kept: readonly string[], extra: readonly string[]) =>
  Mirror.make(bed, `neighbours-${name}`, kept, extra);

const deleting = ['--force', '--delete', '--max-delete', '100%'];

async function mirrored(mirror: Mirror, flags: readonly string[], counts: object): Promise<void> {
  const { code, stderr, status } = await mirror.copy([...deleting, ...flags]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Failed': 0, ...counts });
  await mirror.expectEqual();
}

describe.concurrent('a mirror', () => {
  test('that somebody wrote to between two runs is the source again, and what was written lies in the trash', async () => {
    const mirror = await make('by-hand', ['same', 'longer', 'gone', 'd/e'], []);
    const { b } = mirror.pair;
    await mirrored(mirror, ['-p'], { 'Files Copied': 0 });
    await b.put(`${mirror.mirror}/same`, 'SAME');
    await b.append(`${mirror.mirror}/longer`, 'more');
    await b.remove(`${mirror.mirror}/gone`);
    await b.put(`${mirror.mirror}/d/theirs`, 'theirs');
    await mirrored(mirror, ['-p'], { 'Files Copied': 3, 'Files Skipped': 1, 'Files Deleted': 1 });
    expect(await mirror.trashed()).toContain('d/theirs');
  });

  test('keeps names apart that differ in case, a trailing space, or how a letter is composed', async () => {
    const kept = ['case', 'space ', 'composed \u00e9', 'dir /file', 'dot.'];
    const extra = ['CASE', 'space', 'composed e\u0301', 'dir/file', 'dot'];
    const mirror = await make('alike', kept, extra);
    await mirrored(mirror, [], { 'Files Copied': 0, 'Files Skipped': kept.length, 'Files Deleted': extra.length });
    await mirrored(mirror, [], { 'Files Copied': 0, 'Files Deleted': 0 });
  });

  test('loses a file named like a pattern, and nothing that the pattern would match', async () => {
    const extra = ['*', '?', '[ab]', '{a,b}', 'd/*', '**'];
    const mirror = await make('patterns', ['a', 'b', 'ab', 'd/a'], extra);
    await mirrored(mirror, ['--skip-trash'], { 'Files Skipped': 4, 'Files Deleted': extra.length });
  });

  test('loses files that Hadoop hides from jobs, and keeps those of the source', async () => {
    const mirror = await make('hidden', ['_SUCCESS', '.kept', '_d/f'], ['_temporary/0/f', '.hidden', '_logs', '_d/_g']);
    await mirrored(mirror, [], { 'Files Skipped': 3, 'Files Deleted': 4 });
  });

  test('gets and loses directories that hold nothing but directories', async () => {
    const mirror = await make('hollow', ['a'], []);
    const { a, b } = mirror.pair;
    await a.mkdirs(`${mirror.source}/new/inner/inmost`);
    await b.mkdirs(`${mirror.mirror}/old/inner/inmost`);
    await mirrored(mirror, [], { 'Files Deleted': 0 });
    expect(await b.exists(`${mirror.mirror}/old`)).toBe(false);
    expect(await b.exists(`${mirror.mirror}/new/inner/inmost`)).toBe(true);
  });

  test.each(['checksum', 'time'])(
    'is equal whatever the clocks of both clusters say, with --compare %s',
    async (compare) => {
      const mirror = await make(`clocks-${compare}`, ['future', 'past', 'd/equal'], []);
      const { a, b } = mirror.pair;
      const touch = (path: string, at: string) =>
        a.call('PUT', 'SETTIMES', `${mirror.source}/${path}`, { modificationtime: String(Date.parse(at)) });
      await touch('future', '2097-01-01');
      await touch('past', '1999-01-01');
      const flags = ['-p', '--compare', compare];
      await mirrored(mirror, flags, { 'Files Copied': 0, 'Attributes Updated': 3 });
      await mirrored(mirror, flags, { 'Files Copied': 0, 'Attributes Updated': 0 });
      // Longer, and older than the copy.
      await a.put(`${mirror.source}/future`, 'FUTURE!');
      await touch('future', '1998-01-01');
      await mirrored(mirror, flags, { 'Files Copied': 1 });
      expect((await b.status(`${mirror.mirror}/future`)).modificationTime).toBe(Date.parse('1998-01-01'));
    },
  );

  test('finds a file that has become empty, or is no longer', async () => {
    const mirror = await make('empty', ['full', 'emptied'], []);
    const { a } = mirror.pair;
    await a.put(`${mirror.source}/none`, '');
    await mirrored(mirror, ['-p'], { 'Files Copied': 1 });
    await a.put(`${mirror.source}/emptied`, '');
    await a.put(`${mirror.source}/none`, 'some');
    await mirrored(mirror, ['-p'], { 'Files Copied': 2, 'Files Skipped': 1 });
  });

  test('of a renamed directory is copied anew, and the old one deleted, each file counted once', async () => {
    const files = Array.from({ length: 12 }, (_, i) => `old/d${i % 3}/${i}`);
    const mirror = await make('renamed', ['a', ...files], []);
    const destination = `${mirror.source}/new`;
    await mirror.pair.a.call('PUT', 'RENAME', `${mirror.source}/old`, { destination });
    await mirrored(mirror, ['-p'], { 'Files Copied': 12, 'Files Skipped': 1, 'Files Deleted': 12 });
  });

  test('of a snapshot of the source is what the source was', async () => {
    const mirror = await make('snapshot', ['a', 'd/b', 'd/c'], ['extra', 'd/extra']);
    const { a, b } = mirror.pair;
    const before = await a.tree(mirror.source);
    await a.call('PUT', 'ALLOWSNAPSHOT', mirror.source);
    await a.call('PUT', 'CREATESNAPSHOT', mirror.source, { snapshotname: 'cut-over' });
    await a.remove(`${mirror.source}/d`);
    await a.put(`${mirror.source}/a`, 'other');
    const from = `A:${mirror.source}/.snapshot/cut-over`;
    const copy = () => mirror.pair.run(['copy', '--silent', '--exact', '-p', ...deleting, from, `B:${mirror.mirror}`]);
    expect((await copy()).status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 0, 'Files Deleted': 2 });
    expect(await b.tree(mirror.mirror)).toEqual(before);
    expect((await copy()).status).toMatchObject({ 'Files Copied': 0, 'Files Deleted': 0, 'Attributes Updated': 0 });
  });

  test('whose quota of names is full deletes nothing, since a copy fails first, and says what to do', async () => {
    const mirror = await make('quota', ['a', 'd/b'], ['extra']);
    const { a, b } = mirror.pair;
    const quota = async (namespacequota: number) =>
      b.call('PUT', 'SETQUOTA', mirror.mirror, { namespacequota: String(namespacequota), storagespacequota: '-1' });
    // The directory itself, a, d, b, extra.
    await quota(5);
    await a.put(`${mirror.source}/new`, 'new');
    const full = await mirror.copy(deleting);
    expect(full.code).toBe(1);
    expect(full.status).toMatchObject({
      'Files Failed': 1,
      'Files Deleted': 0,
      'Not Deleted': expect.any(String) as string,
    });
    const failures = await mirror.pair.run(['status', full.status.Job, '--failures']);
    expect(failures.stdout).toContain('NSQuotaExceededException');
    await quota(6);
    const resumed = await mirror.resume(full.status.Job);
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1, 'Files Deleted': 1 });
    await mirror.expectEqual();
  });

  test('loses a directory that somebody writes into, and the writer loses nothing', async () => {
    const mirror = await make('written', ['a'], ['extra/done']);
    const { b } = mirror.pair;
    {
      await using file = await openFile(b, `${mirror.mirror}/extra/open`, 10);
      const { code, status } = await mirror.copy(deleting);
      expect(code).toBe(0);
      expect(status).toMatchObject({ Outcome: 'Successful' });
      expect(file.listedBytes).toBe(0);
      // Whole where it was, or whole in the trash.
      const [left, trashed] = [await mirror.names(), await mirror.trashed()];
      expect([...left, ...trashed].filter((name) => name.startsWith('extra/') && !name.endsWith('/')).sort()).toEqual([
        'extra/done',
        'extra/open',
      ]);
    }
    await mirror.copy(deleting);
    await mirror.expectEqual();
  });

  test('that its user may not write to loses and gets nothing, and names each file', async () => {
    const mirror = await make('read-only', ['a', 'd/b'], ['d/extra']);
    const { a, b } = mirror.pair;
    await a.put(`${mirror.source}/d/new`, 'new');
    await chmod(b, `${mirror.mirror}/d`, '555');
    await b.mkdirs('/user/guest');
    for (const path of ['/user/guest', mirror.mirror]) await b.call('PUT', 'SETOWNER', path, { owner: 'guest' });
    const conf = mirror.pair.conf({ B: { user: 'guest' } });
    const before = await b.tree(mirror.mirror);
    const { code, stderr, status } = await mirror.copy(deleting, { conf });
    expect(code, stderr).toBe(1);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Skipped': 2, 'Files Deleted': 0 });
    const { stdout } = await mirror.pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain(`${mirror.source}/d/new`);
    expect(await b.tree(mirror.mirror)).toEqual(before);
  });
});
