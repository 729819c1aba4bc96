import type { Job } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import type { Counters } from '../job/outcome.ts';
import type { Selection } from '../plan/selection.ts';

/** As many are held as may be lost with some trees that somebody deletes while they are walked. */
export const MOST_VANISHED = 10_000;
const A_PAGE = 1000;

/**
 * Directories of the source that vanished while they were walked, below the root. What they held may have been moved to where this job did not
 * look any more.
 *
 * @returns undefined where there are too many
 */
export async function vanishedDirectories(
  { id, roots }: Job,
  store: Pick<JobStore, 'failures'>,
  counters: Counters,
): Promise<readonly string[] | undefined> {
  if (!counters.has('files.vanished')) return [];
  const root = `${roots[0]?.source ?? ''}/`.replace(/\/+$/, '/');
  const vanished: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.failures(id, A_PAGE, after);
    for (const { path, directory } of page) if (directory) vanished.push(path.slice(root.length));
    if (vanished.length > MOST_VANISHED) return undefined;
    after = page.at(-1)?.sequence;
  } while (after !== undefined);
  return vanished;
}

/** A choice that hides these directories as well: nothing is deleted in them, and none that holds one. */
export function keeping(directories: readonly string[], selection: Selection): Selection {
  if (directories.length === 0) return selection;
  const kept = new Set(directories);
  return { ...selection, hides: (path, kind) => (kept.has(path) ? 'vanished' : selection.hides(path, kind)) };
}
