import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListOnDisk } from '../../../../shared/machine/list-on-disk.ts';
import type { Entry } from '../../../../shared/plan/entry.ts';
import { listLacking } from '../../../../shared/plan/lacking.ts';
import { narrowedDestination, narrowedTo } from '../../../../shared/plan/narrowed.ts';
import { isCovered } from '../../../../shared/plan/path-list.ts';
import { walk, type WalkCursor } from '../../../../shared/plan/walk.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';

const all = { hides: () => undefined };

/** Everything that a walk gives, with a stop behind each name where `stops`. */
async function visited(source: Storage, destination: Storage, stops = false): Promise<string[]> {
  const told: string[] = [];
  const tell = (entry: Entry) => void told.push(entry.path);
  const status = await source.stat('/', never);
  const there = await destination.stat('/', never);
  if (!status) throw new Error('there is no root');
  let from: WalkCursor | undefined;
  do {
    from = await walk(
      {
        source: { storage: source, root: '/', status },
        destination: { storage: destination, root: '/', status: there },
      },
      {
        sourceOnly: tell,
        both: tell,
        destinationOnly: (entry) => {
          tell(entry);
          return 'walk';
        },
      },
      never,
      { from, isOver: () => stops },
    );
  } while (from);
  return told;
}

describe('a narrowed tree', () => {
  const name = fc.constantFrom('a', 'b', 'é', 'a b', 'a%2f', '漢');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  // Names of files are none of directories, so that any paths make a tree.
  const files = fc.array(path, { maxLength: 12 }).map((paths) => paths.map((one) => `${one}/file`));
  const change = fc.record({
    path: fc.oneof(
      path,
      path.map((one) => `${one}/file`),
    ),
    isListed: fc.boolean(),
  });

  it('is walked as the whole one is, but for what is neither listed nor on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        files,
        fc.array(change, { maxLength: 6 }),
        fc.boolean(),
        async (here, there, changes, stops) => {
          const [source, destination] = [new ListedTree(here, namenodeOrder), new ListedTree(there, namenodeOrder)];
          using list = new ListOnDisk();
          await list.addAll(changes);
          const whole = await visited(source, destination);
          const narrowed = await visited(narrowedTo(list, source, '/'), narrowedTo(list, destination, '/'), stops);
          const isLookedAt = (one: string) => one === '' || isCovered(list, one) || list.find(one) !== undefined;
          expect(narrowed).toEqual(whole.filter(isLookedAt));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('lists what is below its root alone', async () => {
    const tree = new ListedTree(['in/x', 'other/y'], namenodeOrder);
    using list = new ListOnDisk();
    const narrowed = narrowedTo(list, tree, '/in');
    const namesIn = async (directory: string) => {
      const names: string[] = [];
      for await (const page of narrowed.list(directory, never)) names.push(...page.map((entry) => entry.name));
      return names;
    };
    expect(await namesIn('/in')).toEqual([]);
    expect(await namesIn('/other')).toEqual(['y']);
  });

  it('lists no directory that is gone as one that has none of the names', async () => {
    const tree = new ListedTree(['in/there'], namenodeOrder);
    using list = new ListOnDisk();
    list.add({ path: 'gone/name', isListed: true });
    const narrowed = narrowedTo(list, tree, '/');
    const listing = async () => {
      for await (const page of narrowed.list('/gone', never)) expect(page).toEqual([]);
    };
    await expect(listing()).rejects.toThrow('/gone is no directory any more');
  });
});

describe('the destination of a narrowed tree', () => {
  const made: string[] = [];
  const disk = decorated(new ListedTree([], namenodeOrder), {
    makeDirectory: (path) => Promise.resolve(void made.push(path)),
  });

  it('gets no directory of which a part alone is looked at', async () => {
    using list = new ListOnDisk();
    list.add({ path: 'new', isListed: true });
    list.add({ path: 'old/new', isListed: true });
    const narrowed = narrowedDestination(list, disk, '/at');
    for (const path of ['/at/new', '/at/new/deep', '/at/old/new', '/elsewhere']) {
      await narrowed.makeDirectory(path, undefined, never);
    }
    for (const path of ['/at', '/at/old', '/at/other']) {
      await expect(narrowed.makeDirectory(path, undefined, never)).rejects.toThrow(`${path} vanished while the job`);
    }
    expect(made).toEqual(['/at/new', '/at/new/deep', '/at/old/new', '/elsewhere']);
  });
});

describe('what the destination lacks', () => {
  const source = new ListedTree(
    ['a/b/c/changed', 'a/b/other', 'file/', 'kept/changed', 'kept/modified/x', 'new/x', 'hidden/changed', 'z'],
    namenodeOrder,
  );
  const mirrored = (there: readonly string[], selection: Parameters<typeof listLacking>[0]['selection'] = all) => ({
    source: { storage: source, root: '/' },
    destination: { storage: new ListedTree(there, namenodeOrder), root: '/' },
    selection,
  });
  const filled = () => {
    const list = new ListOnDisk();
    for (const path of ['a/b/c/changed', 'kept/changed', 'hidden/changed', 'gone/deleted', 'new'])
      list.add({ path, isListed: true });
    for (const path of ['kept/modified', 'file', 'z']) list.add({ path, isListed: false });
    return list;
  };

  it.each([
    ['nothing', ['a/b/c/', 'file/', 'kept/modified/', 'hidden/', 'z'], []],
    ['the uppermost directory that is not there', ['a/', 'file/', 'kept/modified/', 'hidden/'], ['a/b']],
    ['what was removed far above', ['file/', 'kept/modified/', 'hidden/'], ['a']],
    ['what is a file there', ['a/b', 'file', 'kept/modified/', 'hidden/'], ['a/b', 'file']],
    ['a directory that was modified alone', ['a/b/c/', 'file/', 'kept/x', 'hidden/'], ['kept/modified']],
  ])('%s: all of it is looked at', async (_, there, lacking) => {
    using list = filled();
    const found = await listLacking(mirrored(there), list, 9, never);
    expect(found?.toSorted()).toEqual(lacking);
    for (const path of lacking) expect(isCovered(list, `${path}/below`)).toBe(true);
    expect(isCovered(list, 'kept/other')).toBe(false);
  });

  it('is not asked about what is hidden, but below what filters hide', async () => {
    const hides = (path: string) => (path === 'hidden' ? 'exclude' : path === 'a' ? 'filters' : undefined);
    using list = filled();
    expect(await listLacking(mirrored(['file/', 'kept/modified/'], { hides }), list, 9, never)).toEqual(['a']);
  });

  it('ends where it is more than is to be kept', async () => {
    using list = filled();
    expect(await listLacking(mirrored(['x/']), list, 2, never)).toBeUndefined();
  });
});
