import type { Storage } from '../storage/storage.ts';
import { mayReplace } from './existing.ts';
import type { Job } from './job.ts';
import { withdrawLeft } from './leftovers.ts';
import type { PartedFile } from './parts.ts';
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
  { batch, index, unit }: PlacedUnit,
  { names }: Pick<PartedFile, 'names'>,
  signal: AbortSignal,
): Promise<void> {
  const finalPath = destinationPathOf(job.roots, unit);
  const overwrite = mayReplace(job.spec.options.existing);
  for (const name of names) {
    const temporary = partsPath(finalPath, { job: job.id, batch, unit: index, ...name });
    await withdrawLeft({ storage, temporary, finalPath, overwrite }, signal);
  }
}
