import { RefusedError } from '../errors.ts';
import { snapshotPath } from '../storage/path.ts';
import type { SnapshotChange } from '../storage/capabilities.ts';
import type { Storage } from '../storage/storage.ts';
import type { GrowingList, ListedPath } from './path-list.ts';

/** Changes that are looked at one by one: where there are more, listing everything is not much dearer. */
const MOST_CHANGES = 1_000_000;
/** Renames that are told one by one, and bytes of all their names: they are kept with a job. */
const MOST_RENAMES = 500;
const RENAME_BYTES = 64 * 1024;

/** What was renamed between two snapshots, and how many renames there were besides. */
export interface Renamed {
  readonly renames: readonly SourceRename[];
  readonly more: number;
}

type SourceRename = Extract<SnapshotChange, { kind: 'rename' }>;

/** A tree, and snapshots of it that follow each other. */
export interface Snapshotted {
  readonly storage: Storage;
  /** The snapshottable directory. */
  readonly root: string;
  /** Of the tree below the root; '' for all of it. */
  readonly within: string;
  /** The tree itself. */
  readonly live: string;
  /** In any order: they are compared in that in which they were made. */
  readonly names: readonly string[];
}

/**
 * Gathers every path that is not the same in all of the snapshots: what is at any other path, by name, bytes and attributes, is the same in all.
 *
 * @returns what was renamed, an entry before what lies in it
 * @throws StorageError where that cannot be told, or not for this user; RefusedError where there is too much of it, or the tree is another one
 */
export async function gatherChanges(
  { storage, root, within, live, names }: Snapshotted,
  list: GrowingList,
  signal: AbortSignal,
  most = MOST_CHANGES,
): Promise<Renamed> {
  const { snapshots } = storage;
  if (!snapshots) throw new RefusedError(`${storage.name} has no snapshots`, 'leave out --snapshot');
  const renames: SourceRename[] = [];
  let [count, bytes, more] = [0, 0, 0];
  async function* pathsOf(changes: AsyncIterable<SnapshotChange>): AsyncGenerator<ListedPath> {
    for await (const change of changes) {
      if (++count > most) throw new RefusedError(`more than ${most} changes`);
      if (change.kind === 'rename' && change.path !== change.target) {
        bytes += Buffer.byteLength(change.path + change.target);
        if (renames.length < MOST_RENAMES && bytes <= RENAME_BYTES) renames.push(change);
        else more += 1;
      }
      for (const touched of touchedBy(change)) {
        if (!isUsable(touched.path)) throw new RefusedError(`a name that changed cannot be asked for: ${touched.path}`);
        yield touched;
      }
    }
  }
  const made = (await snapshots.names(root, signal)).filter((name) => names.includes(name));
  const gone = names.find((name) => !made.includes(name));
  if (gone !== undefined) throw new RefusedError(`the snapshot ${gone} of ${storage.name}:${root} is gone`);
  for (const [index, to] of made.entries()) {
    const from = made[index - 1];
    if (from === undefined) continue;
    await list.addAll(pathsOf(snapshots.changes(root, from, to, within, signal)));
  }
  if (within !== '') await requireOneTree();
  return { renames: renames.sort((a, b) => (a.path < b.path ? -1 : 1)), more };

  /** Servers tell what became of the directory that has the path now; asked last, since it may be moved at any time. */
  async function requireOneTree(): Promise<void> {
    const places = [live, ...names.map((name) => snapshotPath(root, name, within))];
    const found = await Promise.all(places.map((place) => storage.stat(place, signal)));
    const [first, ...others] = found.map((status) => status?.fileId);
    if (first === undefined || others.some((id) => id !== first)) {
      throw new RefusedError(`${storage.name}:${live} is not the directory that it was`);
    }
  }
}

/** What has to be looked at for a change: a name that came or went with all that is below it, what was modified alone. */
function* touchedBy(change: SnapshotChange): Generator<ListedPath> {
  switch (change.kind) {
    case 'create':
    case 'delete':
      yield { path: change.path, isListed: true };
      return;
    case 'modify':
      // The tree itself is looked at in any case.
      if (change.path !== '') yield { path: change.path, isListed: false };
      return;
    case 'rename':
      yield { path: change.path, isListed: true };
      yield { path: change.target, isListed: true };
  }
}

/** Whether a path names what it was told of: what is no Unicode on the server comes with replacement characters, and no other part may lead elsewhere. */
function isUsable(path: string): boolean {
  if (!path.isWellFormed() || /[\0\uFFFD]/.test(path)) return false;
  return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}
