import { forEach } from '../for-each.ts';
import { join } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { type GrowingList, isCovered } from './path-list.ts';
import type { Selection } from './selection.ts';

const AT_ONCE = 40;

/** A tree and its mirror, of which a list says what is looked at. */
export interface Mirrored {
  readonly source: { readonly storage: Storage; readonly root: string };
  readonly destination: { readonly storage: Storage; readonly root: string };
  readonly selection: Pick<Selection, 'hides'>;
}

/**
 * Lists the directories besides that the source has and the destination has not, of those that lead to what has changed or were modified: somebody has
 * removed them, and everything in them is missing. To be asked before anything is made.
 *
 * @param most  how many of them at most
 * @returns their paths, none of them in another one; undefined where there are more
 */
export async function listLacking(
  { source, destination, selection }: Mirrored,
  list: GrowingList,
  most: number,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const atOnce = Math.min(
    AT_ONCE,
    source.storage.maxConcurrency ?? AT_ONCE,
    destination.storage.maxConcurrency ?? AT_ONCE,
  );
  const lacking = new Set<string>();
  const look = async (path: string, both: AbortSignal) => {
    const why = selection.hides(path, 'directory');
    // What lies in a directory that filters hide is looked at by itself.
    if ((why !== undefined && why !== 'filters') || isCovered(list, path)) return;
    const there = await destination.storage.stat(join(destination.root, path), both);
    if (there?.kind === 'directory') return;
    const status = await source.storage.stat(join(source.root, path), both);
    if (status?.kind !== 'directory') return;
    lacking.add(path);
    list.add({ path, isListed: true });
  };
  const stopped = await forEach(list.unlisted(), atOnce, signal, look, () => lacking.size > most);
  if (stopped || lacking.size > most) return undefined;
  const isInAnother = (path: string) => {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (lacking.has(path.slice(0, end))) return true;
    }
    return false;
  };
  return [...lacking].filter((path) => !isInAnother(path));
}
