import { describe, expect, it } from 'vitest';
import { ListOnDisk } from '../../../../shared/machine/list-on-disk.ts';
import { gatherChanges } from '../../../../shared/plan/changes.ts';
import { isCovered } from '../../../../shared/plan/path-list.ts';
import type { SnapshotChange, Snapshots } from '../../../../shared/storage/capabilities.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';

/** A tree at /top/in whose snapshots differ as told, by the earlier one's name. @param inodes  of the tree, where it is not always 1 */
function storageOf(changes: Record<string, readonly SnapshotChange[]>, inodes: Record<string, number> = {}) {
  const snapshots = {
    names: () => Promise.resolve(['s1', 'other', 's2', 's3']),
    async *changes(_root: string, from: string) {
      yield* await Promise.resolve(changes[from] ?? []);
    },
  } as unknown as Snapshots;
  return decorated(new ListedTree([], namenodeOrder), {
    snapshots,
    stat: (path) => Promise.resolve({ fileId: inodes[path] ?? 1 } as FileStatus),
  });
}

const gather = (storage: ReturnType<typeof storageOf>, list: ListOnDisk, names = ['s1', 's2'], most?: number) =>
  gatherChanges({ storage, root: '/top', within: 'in', live: '/top/in', names }, list, never, most);

/** What of some paths is looked at: `all` of what is below too, or it `alone`. */
function seen(list: ListOnDisk, ...paths: readonly string[]) {
  return paths.map((path) => (isCovered(list, path) ? 'all' : list.find(path) ? 'alone' : undefined));
}

describe('what is looked at', () => {
  it.each<[SnapshotChange, string[], (string | undefined)[]]>([
    [{ kind: 'create', path: 'a/new' }, ['a', 'a/new', 'a/new/x', 'a/old'], ['alone', 'all', 'all', undefined]],
    [{ kind: 'delete', path: 'a/old' }, ['a', 'a/old', 'a/old/x'], ['alone', 'all', 'all']],
    [{ kind: 'modify', path: 'a/b' }, ['a', 'a/b', 'a/b/x'], ['alone', 'alone', undefined]],
    [{ kind: 'rename', path: 'a/x', target: 'b/y' }, ['a/x', 'b/y', 'b/y/z', 'b/x'], ['all', 'all', 'all', undefined]],
    [{ kind: 'rename', path: 'x', target: 'x' }, ['x', 'x/y'], ['all', 'all']],
    [{ kind: 'modify', path: '' }, ['x'], [undefined]],
  ])('for %o', async (change, paths, expected) => {
    using list = new ListOnDisk();
    await gather(storageOf({ s1: [change] }), list);
    expect(seen(list, ...paths)).toEqual(expected);
  });

  it('is all that differs between any two that follow each other', async () => {
    using list = new ListOnDisk();
    const storage = storageOf({
      s1: [
        { kind: 'create', path: 'briefly' },
        { kind: 'modify', path: 'd' },
      ],
      s2: [
        { kind: 'delete', path: 'briefly' },
        { kind: 'rename', path: 'd', target: 'e' },
      ],
    });
    await gather(storage, list, ['s3', 's1', 's2']);
    expect(seen(list, 'briefly', 'd/x', 'e/x', 'f')).toEqual(['all', 'all', 'all', undefined]);
  });
});

describe('what was renamed', () => {
  const renamesOf = (number: number, length = 1): SnapshotChange[] =>
    Array.from({ length: number }, (_, i) => ({
      kind: 'rename',
      path: `${i}`.padStart(length, 'é'),
      target: `to/${i}`,
    }));

  it.each<[string, SnapshotChange[], number, number]>([
    ['nothing', [{ kind: 'rename', path: 'x', target: 'x' }], 0, 0],
    ['500 names', renamesOf(500), 500, 0],
    ['more names', renamesOf(510), 500, 10],
    ['64 KiB of names', renamesOf(40, 1000), 32, 8],
  ])('is told apart, of %s', async (_, changes, told, more) => {
    using list = new ListOnDisk();
    const renamed = await gather(storageOf({ s1: changes }), list);
    expect({ told: renamed.renames.length, more: renamed.more }).toEqual({ told, more });
    expect(seen(list, ...changes.map(({ path }) => path))).toEqual(changes.map(() => 'all'));
  });
});

describe('it cannot be told', () => {
  it.each(['a/\uFFFD', 'a/\0', 'a/\uD800', '../a', 'a//b'])('of a name that cannot be asked for: %j', async (path) => {
    using list = new ListOnDisk();
    const gathered = gather(storageOf({ s1: [{ kind: 'create', path }] }), list);
    await expect(gathered).rejects.toThrow('a name that changed cannot be asked for');
  });

  it.each(['/top/in', '/top/.snapshot/s1/in', '/top/.snapshot/s2/in'])(
    'where %s is another directory',
    async (path) => {
      using list = new ListOnDisk();
      await expect(gather(storageOf({}, { [path]: 2 }), list)).rejects.toThrow(
        '/top/in is not the directory that it was',
      );
    },
  );

  it('where one of the snapshots is gone', async () => {
    using list = new ListOnDisk();
    await expect(gather(storageOf({}), list, ['s1', 's4'])).rejects.toThrow('the snapshot s4 of local:/top is gone');
  });

  it('where there is too much', async () => {
    using list = new ListOnDisk();
    const changes = ['a', 'b', 'c'].map((path) => ({ kind: 'create', path }) as const);
    await expect(gather(storageOf({ s1: changes }), list, ['s1', 's2'], 2)).rejects.toThrow('more than 2 changes');
  });
});
