import { IncompleteError } from '../errors.ts';
import { type Counters, withPlanned } from './outcome.ts';
import type { Job } from './job.ts';

/**
 * What is counted of directories that only the source has, and that may have been made there after the job was planned: as little a loss as
 * a file that came later.
 */
export const NEWER_DIRECTORY = 'directory newer than the job';

/** What is counted of directories that were not given any attributes: one may have kept the permission that it was made with. */
export const REFUSED_DIRECTORY = 'directory refused';

/** What is counted of directories that are gone from the source: nothing of them is left that could be lost. */
export const VANISHED_DIRECTORY = 'directory vanished';

/**
 * The last change of a job whose batches were all handed out and whose directories are done: successful, or with failed files or deletions.
 *
 * @param directoryWarnings  attributes of directories that could not be preserved, by attribute
 * @param directoryLosses  the first of these directories, each with the reason
 * @throws IncompleteError fail-job: a planned file has no outcome
 */
export function endingOf(
  job: Job,
  counters: Counters,
  directoryWarnings: Job['directoryWarnings'],
  directoryLosses: readonly string[] = [],
) {
  requireSettled(job, counters);
  const isLoss = (name: string) =>
    ![NEWER_DIRECTORY, VANISHED_DIRECTORY].some((no) => name === no || name.startsWith(`reasons.${no}`));
  const strict = job.spec.options.strictPreserve && Object.keys(directoryWarnings).some(isLoss);
  const failed = (counters.get('files.failed') ?? 0) + (counters.get('deletes.failed') ?? 0);
  return {
    phase: 'done',
    directoryWarnings,
    directoryLosses: directoryLosses.length > 0 ? directoryLosses : undefined,
    outcome: failed === 0 && !strict ? 'Successful' : 'Failed',
    endedAtMs: Date.now(),
    error: strict ? 'attributes of directories could not be preserved: see Warnings' : undefined,
  } as const satisfies Partial<Job>;
}

/** @throws IncompleteError fail-job: a planned file has no outcome */
export function requireSettled(job: Job, counters: Counters): void {
  const settled = settledFiles(withPlanned(counters, job));
  if (settled !== job.expectedFiles) throw new IncompleteError(job.expectedFiles, settled);
}

/** Files that have an outcome, whichever. */
export function settledFiles(counters: Counters): number {
  return sumOf(counters, 'files.');
}

/** Bytes that those outcomes stand for, and those of chunks whose file has none yet. */
export function settledBytes(counters: Counters): number {
  return sumOf(counters, 'bytes.') + (counters.get('chunks.bytes') ?? 0);
}

function sumOf(counters: Counters, prefix: string): number {
  let sum = 0;
  for (const [name, value] of counters) if (name.startsWith(prefix)) sum += value;
  return sum;
}
