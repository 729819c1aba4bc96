import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { newHome } from '../support/cli.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';

/** What stays although only the destination has it, and what of a deletion goes wrong on the way. */

const bed = inject('bed');
const make = (name: string, extra: readonly string[]) => Mirror.make(bed, `kept-${name}`, ['a', 'both/b'], extra);

/** Mirrors with a proxy before each cluster. */
async function through(mirror: Mirror, a: FaultProxyOptions, b: FaultProxyOptions = {}, flags: readonly string[] = []) {
  await using onA = await FaultProxy.start(bed.a, a);
  await using onB = await FaultProxy.start(bed.b, b);
  const conf = mirror.pair.conf({ A: { url: onA.url }, B: { url: onB.url } });
  return { ...(await mirror.copy(['--delete', ...flags], { conf })), requests: [...onA.requests, ...onB.requests] };
}

/** Does something once, before the n-th request of a kind goes on. */
function before(operation: string, path: string, nth: number, act: () => Promise<void>): FaultProxyOptions {
  let seen = 0;
  return {
    react: async (request) => {
      if (request.operation === operation && request.path === path && ++seen === nth) await act();
      return undefined;
    },
  };
}

/** Listings of the source's directory: by the plan, by the search for extras, and once more before they are deleted. */
const LAST_LISTING = 3;

describe.concurrent('stays:', () => {
  test('a temporary file of another job, with the directories that hold it', async () => {
    const mirror = await make('temporary', ['extra/_hdfs-fanout.other.0.0.1.0', 'extra/1', 'extra/deep/2']);
    const { code, status } = await mirror.copy(['--delete']);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 2 });
    expect(status['Deletes Kept']).toBeUndefined();
    const left = ['a', 'both/', 'both/b', 'extra/', 'extra/_hdfs-fanout.other.0.0.1.0'];
    expect(await mirror.names()).toEqual(left);
    // The directory is no extra that the limit would count.
    expect((await mirror.copy(['--delete', '--max-delete', '0'])).code).toBe(0);
    expect(await mirror.names()).toEqual(left);
  });

  test('what a filter hides', async () => {
    const mirror = await make('hidden', ['big.csv', 'small', 'extra/x.txt', 'extra/y.csv', 'other/z.csv']);
    const { code, status } = await mirror.copy(['--delete', '--include-pattern', '*.csv']);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 3 });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'extra/', 'extra/x.txt', 'small']);
  });

  test('what lies in a directory that is excluded, on either side', async () => {
    const mirror = await make('excluded', ['both/new', 'logs/1', 'extra/logs/2', 'extra/3', 'other/4']);
    const { code, stderr, status } = await mirror.copy(['--delete', '--exclude', 'both/', '--exclude', 'logs']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Deleted': 2 });
    expect(await mirror.names()).toEqual([
      'a',
      'both/',
      'both/b',
      'both/new',
      'extra/',
      'extra/logs/',
      'extra/logs/2',
      'logs/',
      'logs/1',
    ]);
  });

  test('what lies in a directory that --filters leaves out', async () => {
    const mirror = await make('filters', ['both/new', 'other']);
    const file = join(newHome(), 'filters');
    writeFileSync(file, '.*/both\n');
    const { code, stderr, status } = await mirror.copy(['--delete', '--filters', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Deleted': 1 });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'both/new']);
  });

  test('the trash, whatever holds it', async () => {
    const mirror = await make('trash', ['home/.Trash/Current/x', 'home/y']);
    expect((await mirror.copy(['--delete'])).status).toMatchObject({ 'Files Deleted': 1 });
    expect(await mirror.names()).toEqual([
      'a',
      'both/',
      'both/b',
      'home/',
      'home/.Trash/',
      'home/.Trash/Current/',
      'home/.Trash/Current/x',
    ]);
  });

  test.each([[[]], [['--skip-trash']]])('a snapshottable directory, and what holds it, with %j', async (flags) => {
    const mirror = await make(`snapshottable${flags.length}`, ['extra/snap/1', 'extra/2', 'gone/3']);
    const { b } = mirror.pair;
    const snap = `${mirror.mirror}/extra/snap`;
    await b.call('PUT', 'ALLOWSNAPSHOT', snap);
    const { code, stderr, status } = await mirror.copy(['--delete', ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Deleted': 3 });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'extra/', 'extra/snap/']);
  });

  test('a directory with snapshots, whose files go', async () => {
    const mirror = await make('snapshots', ['snap/1']);
    const { b } = mirror.pair;
    await b.call('PUT', 'ALLOWSNAPSHOT', `${mirror.mirror}/snap`);
    await b.call('PUT', 'CREATESNAPSHOT', `${mirror.mirror}/snap`, { snapshotname: 's' });
    const { code, status } = await mirror.copy(['--delete', '--skip-trash']);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 1 });
    expect(await b.exists(`${mirror.mirror}/snap/.snapshot/s/1`)).toBe(true);
  });

  test('a file that was replaced since it was listed', async () => {
    const mirror = await make('replaced', ['both/new', 'both/other']);
    const { b } = mirror.pair;
    const replace = () => b.put(`${mirror.mirror}/both/new`, 'new');
    const { status } = await through(
      mirror,
      before('LISTSTATUS_BATCH', `${mirror.source}/both`, LAST_LISTING, replace),
    );
    expect(status).toMatchObject({ 'Files Deleted': 1, 'Deletes Kept': { 'changed since it was listed': 1 } });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'both/new']);
  });

  test('a directory in which something has changed since it was listed, however deep', async () => {
    const mirror = await make('changed', ['extra/deep/er/1', 'other/2']);
    const { b } = mirror.pair;
    const change = () => b.put(`${mirror.mirror}/extra/deep/er/1`, 'other');
    const { status } = await through(mirror, before('LISTSTATUS_BATCH', mirror.source, LAST_LISTING + 1, change));
    expect(status).toMatchObject({ 'Files Deleted': 1, 'Deletes Kept': { 'changed since it was listed': 1 } });
    expect(await mirror.names()).toEqual([
      'a',
      'both/',
      'both/b',
      'extra/',
      'extra/deep/',
      'extra/deep/er/',
      'extra/deep/er/1',
    ]);
  });

  test('what the source has again', async () => {
    const mirror = await make('again', ['both/new', 'both/other']);
    const { a } = mirror.pair;
    const put = () => a.put(`${mirror.source}/both/new`, 'new');
    const { status } = await through(mirror, before('LISTSTATUS_BATCH', `${mirror.source}/both`, LAST_LISTING, put));
    expect(status).toMatchObject({ 'Files Deleted': 1, 'Deletes Kept': { 'the source has it again': 1 } });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'both/new']);
  });

  test.each([2, LAST_LISTING])(
    'what is in a directory that vanishes from the source before its listing %i',
    async (nth) => {
      const mirror = await make(`vanishing${nth}`, ['both/new', 'other']);
      const { a } = mirror.pair;
      const remove = () => a.remove(`${mirror.source}/both`);
      const { status } = await through(mirror, before('LISTSTATUS_BATCH', `${mirror.source}/both`, nth, remove));
      expect(status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 1 });
      if (nth === 2) expect(status['Not Deleted']).toBe('1 directories could not be listed, and keep what is in them');
      else expect(status['Deletes Kept']).toEqual({ 'its directory could not be listed at the source': 1 });
      expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'both/new']);
    },
  );
});

describe.concurrent('on the way', () => {
  test.each(['cut-before', 'cut-after'] as const)('an answer that is lost (%s) counts each file once', async (cut) => {
    const mirror = await make(cut, ['both/new', 'extra/1', 'extra/2', 'other']);
    const cutOnce = new Set<string>();
    const { code, status } = await through(
      mirror,
      {},
      {
        react: ({ operation, path }) => {
          if (operation !== 'RENAME' || cutOnce.has(path)) return undefined;
          cutOnce.add(path);
          return cut;
        },
      },
    );
    expect(code).toBe(0);
    expect(cutOnce.size).toBe(3);
    expect(status).toMatchObject({ 'Files Deleted': 4 });
    await mirror.expectEqual();
    expect(await mirror.trashed()).toEqual(['both/', 'both/new', 'extra/', 'extra/1', 'extra/2', 'other']);
  });

  test('the emptier may give the trash another name', async () => {
    const mirror = await make('emptier', ['both/1', 'both/2', 'both/3']);
    const { b } = mirror.pair;
    for (const [path, owner] of [
      ['/user/emptied', 'emptied'],
      [mirror.mirror, 'emptied'],
      [`${mirror.mirror}/both`, 'emptied'],
    ] as const) {
      await b.mkdirs(path);
      await b.call('PUT', 'SETOWNER', path, { owner });
    }
    let isMoved = false;
    await using onB = await FaultProxy.start(bed.b, {
      react: async ({ operation }) => {
        if (operation !== 'RENAME' || isMoved) return undefined;
        isMoved = true;
        const destination = '/user/emptied/.Trash/261127180000';
        await b.call('PUT', 'RENAME', '/user/emptied/.Trash/Current', { destination });
        return undefined;
      },
    });
    const conf = mirror.pair.conf({ B: { url: onB.url, user: 'emptied' } });
    const { code, stderr, status } = await mirror.copy(['--delete'], { conf });
    expect({ code, stderr, isMoved }).toEqual({ code: 0, stderr: '', isMoved: true });
    expect(status).toMatchObject({ 'Files Deleted': 3 });
    // Any of the three may have come before the emptier.
    const trashes = ['Current', '261127180000'].map((name) => `/user/emptied/.Trash/${name}${mirror.mirror}`);
    const trees = await Promise.all(trashes.map((path) => b.tree(path).catch(() => ({}))));
    expect(trees.flatMap(Object.keys)).toEqual(expect.arrayContaining(['/both/1', '/both/2', '/both/3']));
  });

  test('a deletion that is refused fails alone, is named, and is tried again by a resume', async () => {
    const mirror = await make('denied', ['both/new', 'mine/1']);
    const { b } = mirror.pair;
    await b.mkdirs('/user/guest');
    await b.call('PUT', 'SETOWNER', '/user/guest', { owner: 'guest' });
    await b.call('PUT', 'SETOWNER', mirror.mirror, { owner: 'guest' });
    const conf = mirror.pair.conf({ B: { user: 'guest' } });
    const { code, stderr, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(1);
    expect(stderr).toContain('1 deletions failed: hdfs-fanout status');
    expect(status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 0, 'Files Deleted': 1, 'Deletes Failed': 1 });
    const { stdout } = await mirror.pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain(`${mirror.mirror}/both/new\n    RENAME on localhost`);
    expect(stdout).toContain('Permission denied');
    await b.call('PUT', 'SETOWNER', `${mirror.mirror}/both`, { owner: 'guest' });
    const resumed = await mirror.resume(status.Job, [], { conf });
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 2 });
    expect(resumed.status['Deletes Failed']).toBeUndefined();
    await mirror.expectEqual();
  });
});
