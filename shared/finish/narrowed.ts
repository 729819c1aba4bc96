import type { Log } from '../log.ts';
import type { Narrowed } from '../plan/narrowed.ts';
import { narrowedView, type Snapshotting, whyWhole } from '../plan/snapshot.ts';
import { seeksExtras } from './extras.ts';

/**
 * Both trees of a job as far as its end looks at them, where that is not all of them. A base that somebody has dropped since the job was planned
 * costs a walk of everything, and finds the same and more.
 */
export async function narrowedFinish({
  log,
  ...how
}: Omit<Snapshotting, 'store'> & { readonly log: Log }): Promise<Narrowed | undefined> {
  const { options } = how.job.spec;
  if (!seeksExtras(options) && !options.preserve) return undefined;
  try {
    return await narrowedView(how);
  } catch (error) {
    const why = whyWhole(error, how.signal);
    if (why === undefined) throw error;
    log.warn({ why }, 'what has changed cannot be told any more: all directories are looked at');
    return undefined;
  }
}
