import type { SnapshotChange } from '../../shared/storage/capabilities.ts';
import { snapshotPath } from '../../shared/storage/path.ts';
import type { TestHdfs, TestStatus } from './hdfs.ts';

/** What stands at each path of a tree, relative: its inode, and what can change of it. */
export type Seen = ReadonlyMap<string, string>;

/** What a snapshot holds below a directory of its root. */
export async function seenIn(hdfs: TestHdfs, root: string, name: string, within = ''): Promise<Seen> {
  const seen = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    for (const entry of await hdfs.list(snapshotPath(root, name, [within, path].filter(Boolean).join('/')))) {
      const below = path === '' ? entry.pathSuffix : `${path}/${entry.pathSuffix}`;
      seen.set(below, described(entry));
      if (entry.type === 'DIRECTORY') await visit(below);
    }
  };
  await visit('');
  return seen;
}

function described({ fileId, type, length, permission, modificationTime }: TestStatus): string {
  return [fileId, type, length, permission, modificationTime].join(' ');
}

/**
 * The later tree as whoever knows the earlier one makes it by the changes alone, looking only at what they name: equal to the later
 * one exactly where they tell all and nothing that is not so.
 * @throws Error for a change that cannot be
 */
export function replayed(from: Seen, changes: readonly SnapshotChange[], to: Seen): Map<string, string> {
  const renames = new Map(changes.flatMap((one) => (one.kind === 'rename' ? [[one.path, one.target]] : [])));
  const deletes = new Set(changes.flatMap((one) => (one.kind === 'delete' ? [one.path] : [])));
  const later = (path: string): string | undefined => {
    if (path === '') return '';
    const target = renames.get(path);
    if (target !== undefined) return target;
    const cut = path.lastIndexOf('/');
    const directory = deletes.has(path) ? undefined : later(path.slice(0, Math.max(0, cut)));
    const name = path.slice(cut + 1);
    return directory === undefined ? undefined : directory === '' ? name : `${directory}/${name}`;
  };
  const tree = new Map<string, string>();
  for (const [path, what] of from) {
    const now = later(path);
    if (now === undefined) continue;
    if (tree.has(now)) throw new Error(`two things are called ${now}`);
    tree.set(now, what);
  }
  for (const path of [...renames.keys(), ...deletes]) {
    if (!from.has(path)) throw new Error(`${path} was not there`);
  }
  for (const { kind, path } of changes) {
    if (kind !== 'modify' || path === '') continue;
    const what = to.get(path);
    if (what === undefined || !tree.has(path)) throw new Error(`${path} is not there and was modified`);
    tree.set(path, what);
  }
  for (const { kind, path } of changes) {
    if (kind !== 'create') continue;
    if (tree.has(path)) throw new Error(`${path} was there before it was made`);
    for (const [each, what] of to) {
      if ((each === path || each.startsWith(`${path}/`)) && !tree.has(each)) tree.set(each, what);
    }
  }
  return tree;
}
