import { SpecError } from '../errors.ts';

/**
 * What becomes of a file whose name is taken at the destination.
 *
 *     fail       a file is skipped where an equal one stands, and fails where another one stands
 *     skip       a file is skipped whatever file stands there, uncompared
 *     update     a file is skipped where an equal one stands, and replaces another one
 *     overwrite  a file replaces whatever file stands there, uncompared
 */
export const existingChoices = ['fail', 'skip', 'update', 'overwrite'] as const;
export type Existing = (typeof existingChoices)[number];

/** Whether a job may replace files that it did not write. */
export function mayReplace(existing: Existing): boolean {
  return existing === 'update' || existing === 'overwrite';
}

/** The choice that pydistcp's two switches make: `force` is `--force`, `checksum` is false for `--no-checksum`. */
export function existingOf(force: boolean, checksum: boolean): Existing {
  if (!force) return 'fail';
  return checksum ? 'update' : 'overwrite';
}

/**
 * The choice of a job whose plan was made under another one. A job that may have replaced files keeps its choice, and `overwrite` is chosen
 * before planning, which leaves comparisons to the copiers otherwise.
 *
 * @throws SpecError when the job cannot change so
 */
export function changedExisting(now: Existing, wanted: Existing): Existing {
  if (wanted === now || !(mayReplace(now) || wanted === 'overwrite')) return wanted;
  const why = mayReplace(now) ? 'files may have been replaced already' : 'the job planned to compare';
  throw new SpecError(`options.existing cannot change from ${now} to ${wanted}: ${why}`, 'leave it out');
}
