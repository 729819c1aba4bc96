import { putBack, type Remains } from '../storage/promote.ts';
import type { Storage } from '../storage/storage.ts';
import { backupOf } from './backup.ts';
import { mayReplace } from './existing.ts';
import type { Job } from './job.ts';
import { policy, withdrawLeft } from './leftovers.ts';
import type { PartedFile, PartsName } from './parts.ts';
import { partsPath } from './temporary.ts';
import { destinationPathOf, type FileUnit } from './unit.ts';

/** A unit, and where it stands in the manifest. */
export interface PlacedUnit {
  readonly batch: number;
  readonly index: number;
  readonly unit: FileUnit;
}

/** Deletes by name what may stand of a file in parts; an old file that it was to replace gets its name again. */
export async function takePartsBack(
  storage: Storage,
  job: Job,
  placed: PlacedUnit,
  { names }: Pick<PartedFile, 'names'>,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) await withdrawLeft(remainsOf(storage, job, placed, name), signal);
}

/** Gives an old file its name again that a file in parts was to replace, and did not; what stands of that stays for a resume. */
export async function putReplacedBack(
  storage: Storage,
  job: Job,
  placed: PlacedUnit,
  { names }: Pick<PartedFile, 'names'>,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) await putBack(remainsOf(storage, job, placed, name), policy, signal);
}

function remainsOf(storage: Storage, job: Job, { batch, index, unit }: PlacedUnit, name: PartsName): Remains {
  const finalPath = destinationPathOf(job.roots, unit);
  const overwrite = mayReplace(job.spec.options.existing);
  const temporary = partsPath(finalPath, { job: job.id, batch, unit: index, ...name });
  return { storage, temporary, finalPath, overwrite, backup: backupOf(job, storage) };
}
