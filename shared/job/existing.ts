import { SpecError } from '../errors.ts';

/**
 * What becomes of a file whose name is taken at the destination.
 *
 *     fail       an equal file is skipped, one that differs fails the copied one
 *     skip       whatever file stands there is left alone, uncompared
 *     update     an equal file is skipped, one that differs is replaced
 *     overwrite  whatever file stands there is replaced, uncompared
 */
export const existingChoices = ['fail', 'skip', 'update', 'overwrite'] as const;
export type Existing = (typeof existingChoices)[number];

/** Whether a job may replace files that it did not write. */
export function mayReplace(existing: Existing): boolean {
  return existing === 'update' || existing === 'overwrite';
}

/** What pydistcp's two switches stand for: `--force` and, for false, `--no-checksum`. */
export function existingOf(force: boolean, checksum: boolean): Existing {
  if (!force) return 'fail';
  return checksum ? 'update' : 'overwrite';
}

/**
 * What a planned job does with existing files from here on. What it may have replaced cannot be taken back, and a file that it planned to
 * compare is compared.
 *
 * @throws SpecError when the job cannot change so
 */
export function changedExisting(now: Existing, wanted: Existing): Existing {
  if (wanted === now || !(mayReplace(now) || wanted === 'overwrite')) return wanted;
  const why = mayReplace(now) ? 'files may have been replaced already' : 'the job planned to compare';
  throw new SpecError(`options.existing cannot change from ${now} to ${wanted}: ${why}`, 'leave it out');
}
