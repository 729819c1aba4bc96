import { FanoutError } from '../errors.ts';
import type { Rename } from '../job/snapshot.ts';
import type { JobOptions } from '../job/spec.ts';
import { retry } from '../retry.ts';
import { promoting } from '../storage/budget.ts';
import { join } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { Directories } from './directories.ts';
import { directoryOf, entryOf } from './entry.ts';
import { inheritedFrom } from './inherited.ts';

/** Why a rename that was planned is a copy and a deletion after all. */
const CHANGED = 'the destination has changed meanwhile';
const REFUSED = 'the destination refused it';
const WHOLE = 'everything is looked at';

/** Both trees of a job that renames at its destination. */
export interface RenamingTrees {
  readonly source: Storage;
  /** The source's root. */
  readonly from: string;
  readonly destination: Storage;
  /** The destination's. */
  readonly root: string;
  readonly options: JobOptions;
}

/**
 * Makes planned renames, one after the other. Safe to be killed in, and to run again: each entry is known by its inode, and is at its old name, at its
 * new one, or somebody else has moved it, which is then copied and deleted. An entry that is not the planned one is not moved.
 *
 * @param makes  false: only tells what was made already
 * @returns those that are made, by this or an earlier call, and why the rest is not
 */
export async function rename(
  trees: RenamingTrees,
  renames: readonly Rename[],
  makes: boolean,
  signal: AbortSignal,
): Promise<{ readonly made: readonly Rename[]; readonly notRenamed: Readonly<Record<string, number>> }> {
  const notRenamed: Record<string, number> = {};
  const made: Rename[] = [];
  let left = makes ? undefined : WHOLE;
  for (const one of renames) {
    const ended = await renameOne(trees, one, left, signal);
    if (ended === 'renamed') made.push(one);
    else notRenamed[ended.why] = (notRenamed[ended.why] ?? 0) + 1;
    // A destination that has refused it for so long is not asked for each of the others as long again.
    if (ended !== 'renamed' && ended.isSpent) left = REFUSED;
  }
  return { made, notRenamed };
}

type Ended = 'renamed' | { readonly why: string; readonly isSpent: boolean };

/** @param left  why it is not made unless that was done before */
async function renameOne(
  trees: RenamingTrees,
  one: Rename,
  left: string | undefined,
  signal: AbortSignal,
): Promise<Ended> {
  const { destination, root } = trees;
  const [from, to] = [join(root, one.from), join(root, one.to)];
  const isAt = async (path: string) => (await destination.stat(path, signal))?.fileId === one.fileId;
  try {
    const there = await destination.stat(to, signal);
    if (there?.fileId === one.fileId) return 'renamed';
    if (left !== undefined) return { why: left, isSpent: false };
    if (there || !(await isAt(from))) return { why: CHANGED, isSpent: false };
    await makeDirectory(trees, directoryOf(one.to), signal);
    await retry(promoting, signal, againSoon, async () => {
      try {
        await destination.rename(from, to, false, signal);
      } catch (error) {
        // The answer was lost, or the request of a job that was killed took place just now.
        if (!(await isAt(to))) throw error;
      }
    });
    if (await isAt(to)) return 'renamed';
    // Somebody put another entry there between the question and the rename.
    await destination.rename(to, from, false, signal);
    return { why: CHANGED, isSpent: false };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return { why: REFUSED, isSpent: error.disposition === 'retry' };
  }
}

function againSoon(error: unknown): 'soon' | 'no' {
  return error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no';
}

/** Makes a directory that the source has, with all that lead there, as the plan would make them. */
async function makeDirectory(trees: RenamingTrees, path: string, signal: AbortSignal): Promise<void> {
  const { source, from, destination, root, options } = trees;
  if (path === '' || (await destination.stat(join(root, path), signal))) return;
  const top = await destination.stat(root, signal);
  if (!top) return;
  const onFailed = (_: unknown, error: FanoutError) => Promise.reject(error);
  const making = { storage: destination, root, options, makes: true, isOptional: () => false, signal, onFailed };
  const directories = new Directories(making, inheritedFrom(top));
  const names = path.split('/');
  for (const [depth, name] of names.entries()) {
    const above = names.slice(0, depth).join('/');
    const below = above === '' ? name : `${above}/${name}`;
    const status = await source.stat(join(from, below), signal);
    if (status?.kind !== 'directory') return;
    await directories.enter(entryOf(above, name, status, await destination.stat(join(root, below), signal)));
  }
  await directories.settled();
}
