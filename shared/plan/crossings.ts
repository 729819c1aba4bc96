import type { Root } from '../job/root.ts';
import { isWithin, parentOf } from '../storage/path.ts';

/**
 * The roots whose destination is, holds or lies inside the source of another one, each with that one: where all lie in one file system, a copy
 * would write into what another reads. Not every root is held against every other one: jobs have 10,000 pairs.
 *
 * Nothing of flattened trees, which share one destination: a file that goes there lies in no tree of another.
 */
export function* crossings(roots: readonly Root[]): Generator<readonly [root: Root, read: Root]> {
  if (new Set(roots.map(({ destination }) => destination)).size < roots.length) return;
  const bySource = Map.groupBy(roots, ({ source }) => source);
  // With the slash behind them, paths below a directory stand right behind it: `/a-b` would come between `/a` and `/a/b`.
  const keyOf = (path: string) => (path === '/' ? path : `${path}/`);
  const sorted = [...bySource.keys()].map((path) => ({ path, key: keyOf(path) }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const root of roots) {
    const { destination } = root;
    const another = (source: string) => bySource.get(source)?.find((one) => one !== root);
    for (let above = destination; ; above = parentOf(above)) {
      const read = another(above);
      if (read) yield [root, read];
      if (above === '/') break;
    }
    let at = firstAfter(sorted, keyOf(destination));
    for (let next = sorted[at]; next && isWithin(next.path, destination); next = sorted[++at]) {
      const read = another(next.path);
      if (read) yield [root, read];
    }
  }
}

/** Index of the first one whose key comes after this one. */
function firstAfter(sorted: readonly { readonly key: string }[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.key ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
