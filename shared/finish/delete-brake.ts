import { RefusedError } from '../errors.ts';
import type { Found } from '../job/job.ts';
import type { JobOptions } from '../job/spec.ts';

const SHARE_PERCENT = 10;
const MOST = 10_000;
/** Fewer files are no catastrophe, whatever their share. */
const FLOOR = 20;

/**
 * How many files a job may delete.
 *
 *     maxDelete   source has a file   limit
 *     N           any                 N
 *     N%          any                 N % of the destination's files
 *     auto        no                  10 % of the destination's files, at most 10,000
 *     auto        yes                 the same, and at least 20
 */
export function deleteLimit(
  { maxDelete }: Pick<JobOptions, 'maxDelete'>,
  { destinationFiles, sourceFiles }: Pick<Found, 'destinationFiles' | 'sourceFiles'>,
): number {
  if (typeof maxDelete === 'number') return maxDelete;
  const share = (percent: number) => Math.floor((destinationFiles * percent) / 100);
  if (maxDelete !== 'auto') return share(Number.parseInt(maxDelete, 10));
  return Math.max(Math.min(share(SHARE_PERCENT), MOST), sourceFiles > 0 ? FLOOR : 0);
}

/**
 * @param when  `begun`: some of it may be deleted already, and counts as well
 * @throws RefusedError when more would be deleted than the job may
 */
export function requireFewDeletes(
  options: Pick<JobOptions, 'maxDelete'>,
  found: Found,
  when: 'new' | 'begun' = 'new',
): void {
  const limit = deleteLimit(options, found);
  // Empty directories count as well.
  const wanted = found.files + found.directories;
  if (wanted > 0 && found.sourceEntries === 0)
    throw new RefusedError('the source has become empty: nothing is deleted', 'check the source, and resume');
  if (wanted <= limit) return;
  const directories = found.directories > 0 ? ` and ${found.directories} empty directories` : '';
  const nothing = when === 'begun' ? 'nothing more is deleted' : 'nothing is deleted';
  throw new RefusedError(
    `${found.files} of the destination's ${found.destinationFiles} files${directories} would be deleted, more than the limit of ${limit}: ${nothing}`,
    'look at them with --track-missing FILE; if they are meant to go, raise --max-delete',
  );
}
