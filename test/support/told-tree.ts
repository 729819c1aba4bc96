import type { WholeTree } from './whole-tree.ts';

/** A tree at one moment. */
export interface Sighting {
  readonly tree: WholeTree;
  /** By the paths of the tree. */
  readonly inodes: ReadonlyMap<string, number>;
}

/**
 * A source as a mirror must have it that looks only at what a comparison of snapshots tells: all of it, but where nothing changed of an entry
 * save its time, that may be left alone. The time of a directory changes so when a name comes and goes.
 *
 * @param base  the source when the mirror was brought up to date last
 * @param before  the mirror, before it was brought up to date now
 * @param after  the mirror as it is
 */
export function toldTree(source: Sighting, base: Sighting, before: WholeTree, after: WholeTree): WholeTree {
  const [children, childrenThen] = [childrenOf(source), childrenOf(base)];
  const isUntold = (path: string) =>
    timeless(source.tree, path) === timeless(base.tree, path) &&
    source.inodes.get(path) === base.inodes.get(path) &&
    children.get(path) === childrenThen.get(path);
  const told = [...source.tree].map(([path, entry]) => {
    const modifiedAtMs = before.get(path)?.modifiedAtMs;
    const isLeftAlone = modifiedAtMs !== undefined && modifiedAtMs === after.get(path)?.modifiedAtMs;
    return [path, isLeftAlone && isUntold(path) ? { ...entry, modifiedAtMs } : entry] as const;
  });
  return new Map(told);
}

function timeless(tree: WholeTree, path: string): string {
  const entry = tree.get(path);
  return JSON.stringify(entry && { ...entry, modifiedAtMs: 0 });
}

/** Names and inodes in each directory, as a text. */
function childrenOf({ inodes }: Sighting): Map<string, string> {
  const children = new Map<string, string>();
  for (const [path, inode] of [...inodes].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const cut = path.lastIndexOf('/');
    if (cut < 0) continue;
    const directory = path.slice(0, cut);
    children.set(directory, `${children.get(directory) ?? ''}${path.slice(cut)} ${inode}`);
  }
  return children;
}
