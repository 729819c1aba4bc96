import type { Log } from '../log.ts';
import type { Narrowed } from '../plan/narrowed.ts';
import { listedAt, type ListedPath, type PathList } from '../plan/path-list.ts';
import { narrowedView, type Snapshotting, whyWhole } from '../plan/snapshot.ts';
import { seeksExtras } from './extras.ts';

interface NarrowedFinishing extends Omit<Snapshotting, 'store'> {
  readonly typeChanges: PathList | undefined;
  readonly log: Log;
}

/**
 * Both trees of a job as far as its end looks at them, where that is not all of them. A base that somebody has dropped since the job was planned
 * costs a walk of everything, and finds the same and more. All of a directory of the destination is looked at that a file is to take the place of:
 * somebody else made it, and no change of the source tells what is in it.
 */
export async function narrowedFinish({ typeChanges, log, ...how }: NarrowedFinishing): Promise<Narrowed | undefined> {
  const { options } = how.job.spec;
  if (!seeksExtras(options) && !options.preserve) return undefined;
  try {
    const narrowed = await narrowedView(how);
    if (narrowed && typeChanges) await how.list.addAll(replacedIn(typeChanges));
    return narrowed;
  } catch (error) {
    const why = whyWhole(error, how.signal);
    if (why === undefined) throw error;
    log.warn({ why }, 'what has changed cannot be told any more: all directories are looked at');
    return undefined;
  }
}

function* replacedIn(typeChanges: PathList): Generator<ListedPath> {
  for (const path of listedAt(typeChanges, '', false)) yield { path, isListed: true };
}
