import { describe, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What counts as an unchanged file for each value of --compare, and what such a file costs. */

const bed = inject('bed');

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `compare-${name}`);
  const { a, root } = pair;
  await a.put(`${root}/tree/d/file`, 'content');
  await a.put(`${root}/tree/d/other`, 'content of another');
  await a.put(`${root}/tree/empty`, '');
  const args = ['copy', '--exact', '--force', '--silent', `A:${root}/tree`, `B:${root}/tree`];
  const run = (...flags: string[]) => pair.run([...args, ...flags]);
  return { a, b: pair.b, root, args, run, pair };
}

type Scene = Awaited<ReturnType<typeof scene>>;

const setTime = (hdfs: TwoClusters['a'], path: string, atMs: number) =>
  hdfs.call('PUT', 'SETTIMES', path, { modificationtime: String(atMs) });

describe.concurrent('an unchanged file', () => {
  test.each([['--attributes', 'times'], ['--preserve']])(
    'costs no request with --compare time after a copy with %s',
    async (...preserving) => {
      const { args, a, b, root, run, pair } = await scene(`free${preserving.join('-')}`);
      expect((await run('--compare', 'time', ...preserving)).status).toMatchObject({ 'Files Copied': 3 });
      await using source = await FaultProxy.start(bed.a);
      await using destination = await FaultProxy.start(bed.b);
      const conf = pair.conf({ A: { url: source.url }, B: { url: destination.url } });
      const again = await pair.run([...args, '--compare', 'time', ...preserving], { conf });
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
      expect(again.status).toMatchObject({
        Outcome: 'Successful',
        'Files Expected': 3,
        'Files Copied': 0,
        'Files Skipped': 3,
        'Size Skipped': 25,
        'Attributes Updated': 0,
        Skipped: { 'same length and modification time': 2, 'both empty': 1 },
      });
      const requests = [...source.requests, ...destination.requests];
      expect(requests.filter(({ path }) => /\/(?:d\/|empty)/.test(path))).toEqual([]);
      // Extended attributes of directories are in no listing: the end of the job asks for them.
      const listings = source.requests.filter(
        ({ path, operation }) => operation === 'LISTSTATUS_BATCH' && path === `${root}/tree/d`,
      );
      expect(listings).toHaveLength(preserving.includes('--preserve') ? 2 : 1);
      expect(await b.tree(root)).toEqual(await a.tree(root));
    },
  );

  test('whose time is another is compared by content with --compare time, and its time is mended', async () => {
    const { a, b, root, run } = await scene('touched');
    await run('--attributes', 'times');
    await setTime(a, `${root}/tree/d/file`, 1_700_000_000_000);
    const { code, status } = await run('--compare', 'time', '--attributes', 'times');
    expect({ code, ...status }).toMatchObject({
      code: 0,
      'Files Copied': 0,
      'Attributes Updated': 1,
      Skipped: { 'identical content': 1, 'same length and modification time': 1, 'both empty': 1 },
    });
    expect((await b.status(`${root}/tree/d/file`)).modificationTime).toBe(1_700_000_000_000);
  });

  test('is told by its length alone with --compare size, and the status says so', async () => {
    const { a, b, root, run } = await scene('size');
    await run();
    await a.put(`${root}/tree/d/file`, 'CONTENT');
    await a.put(`${root}/tree/d/other`, 'longer content of another');
    const { code, status } = await run('--compare', 'size');
    expect({ code, ...status }).toMatchObject({
      code: 0,
      'Files Copied': 1,
      'Files Skipped': 2,
      Verified: { checksum: 1 },
      Skipped: { 'same length, not compared': 1, 'both empty': 1 },
    });
    expect((await b.get(`${root}/tree/d/file`)).toString()).toBe('content');
    expect((await b.get(`${root}/tree/d/other`)).toString()).toBe('longer content of another');
  });

  test('that was rewritten in place with its length and time is found by checksum, the default, and not by time', async () => {
    const { a, b, root, run } = await scene('in-place');
    await run('--attributes', 'times');
    const path = `${root}/tree/d/file`;
    const { modificationTime } = await a.status(path);
    await a.put(path, 'CONTENT');
    await setTime(a, path, modificationTime);
    expect((await run('--compare', 'time', '--attributes', 'times')).status).toMatchObject({ 'Files Copied': 0 });
    expect((await b.get(path)).toString()).toBe('content');
    expect((await run('--attributes', 'times')).status).toMatchObject({ 'Files Copied': 1 });
    expect((await b.get(path)).toString()).toBe('CONTENT');
  });

  test.each([
    ['has another time', async ({ a, root }: Scene) => setTime(a, `${root}/tree/d`, 1_700_000_000_000)],
    ['has an extra in it', async ({ b, root }: Scene) => b.put(`${root}/tree/d/extra`, 'extra')],
    ['gets a file', async ({ a, root }: Scene) => a.put(`${root}/tree/d/new`, 'new')],
  ])('lies in a directory that %s, which gets its time all the same', async (what, change) => {
    const made = await scene(`directory-${what.replaceAll(' ', '-')}`);
    const { a, b, root, run } = made;
    const flags = ['--compare', 'time', '--attributes', 'times', '--delete'];
    await run(...flags);
    await change(made);
    expect((await run(...flags)).code).toBe(0);
    expect(await b.tree(root)).toEqual(await a.tree(root));
    const times = ({ modificationTime }: { modificationTime: number }) => modificationTime;
    expect(times(await b.status(`${root}/tree/d`))).toBe(times(await a.status(`${root}/tree/d`)));
  });

  test('gets the attributes that differ, and these are counted', async () => {
    const { a, b, root, run } = await scene('attributes');
    await run('--preserve');
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/d/file`, { permission: '600' });
    await b.call('PUT', 'SETOWNER', `${root}/tree/d/other`, { owner: 'somebody' });
    const { code, status } = await run('--compare', 'time', '--preserve');
    expect({ code, ...status }).toMatchObject({
      code: 0,
      'Files Copied': 0,
      'Attributes Updated': 2,
      Skipped: { 'same length and modification time': 2, 'both empty': 1 },
      Warnings: { 'xattr not compared': 3 },
    });
    expect((await b.status(`${root}/tree/d/file`)).permission).toBe('600');
    expect((await b.status(`${root}/tree/d/other`)).owner).toBe((await a.status(`${root}/tree/d/other`)).owner);
  });

  test('is no work when only attributes differ that nobody asked for', async () => {
    const { args, b, root, run, pair } = await scene('unasked');
    await run('--attributes', 'times');
    await b.call('PUT', 'SETOWNER', `${root}/tree/d/other`, { owner: 'somebody' });
    await using destination = await FaultProxy.start(bed.b);
    const conf = pair.conf({ B: { url: destination.url } });
    const again = await pair.run([...args, '--compare', 'time', '--attributes', 'times'], { conf });
    expect(again.status).toMatchObject({ 'Files Skipped': 3, 'Attributes Updated': 0, Warnings: {} });
    expect(destination.requests.filter(({ path }) => path.startsWith(`${root}/tree/d/`))).toEqual([]);
  });
});

test('--compare time without times that are carried over says that it will compare by content', async () => {
  const { run } = await scene('unkept');
  const first = await run('--compare', 'time');
  expect(first.stderr).toContain('--compare time will compare them by content: add --preserve or --attributes times');
  expect(first.code).toBe(0);
  const { status } = await run('--compare', 'time');
  expect(status).toMatchObject({ Skipped: { 'identical content': 2, 'both empty': 1 } });
});

test('what planning settles is told file by file, counted once, and stays counted when the job is resumed', async () => {
  const { a, root, run, pair } = await scene('told');
  await run('--attributes', 'times');
  await a.put(`${root}/tree/new`, 'new');
  await using source = await FaultProxy.start(bed.a, {
    react: ({ operation, path }) =>
      operation === 'OPEN' && path.endsWith('/new')
        ? { answer: { status: 403, body: '{"RemoteException":{"exception":"AccessControlException","message":"no"}}' } }
        : undefined,
  });
  const conf = pair.conf({ A: { url: source.url } });
  const flags = ['--compare', 'time', '--attributes', 'times', '--json'];
  const copy = ['copy', '--exact', '--force', `A:${root}/tree`, `B:${root}/tree`];
  const failed = await pair.run([...copy, ...flags], { conf });
  const skipped = failed.stdout.split('\n').filter((line) => line.includes('"outcome":"skipped"'));
  expect(skipped.map((line) => (JSON.parse(line) as { path: string }).path.slice(root.length))).toEqual([
    '/tree/d/file',
    '/tree/d/other',
    '/tree/empty',
  ]);
  expect(failed.status).toMatchObject({
    'Files Expected': 4,
    'Files Skipped': 3,
    'Files Failed': 1,
    Outcome: 'Failed',
  });
  const resumed = await pair.run(['copy', '--resume', failed.status.Job, '--silent']);
  expect(resumed.status).toMatchObject({
    'Files Expected': 4,
    'Files Skipped': 3,
    'Files Copied': 1,
    Outcome: 'Successful',
  });
});
