import type { Checkpoint } from '../checkpoint.ts';
import type { JobStore } from '../job/job-store.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { takePartsBack } from '../job/parts-leftovers.ts';
import type { Finishing } from './finishing.ts';

/** What a job's files in parts are swept with. */
export type PartsSweeping = Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal' | 'isOver'> & {
  readonly store: Pick<JobStore, 'parts'>;
};

/**
 * Deletes by name what stands of the files in parts of a job that will not be resumed. No copier of the job may be at work.
 * @returns where it stopped before the end
 */
export async function sweepParts(
  { job, destination, manifests, store, signal, isOver }: PartsSweeping,
  from: ManifestPosition = manifestStart,
  checkpoint?: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  for await (const { batch, units, next } of manifests.read(job.id, from)) {
    for (const [index, unit] of units.entries()) {
      // A shorter one never went in parts, and its record is not asked for.
      if (unit.kind !== 'file' || unit.lengthBytes <= job.spec.options.chunkSize) continue;
      const known = await store.parts(job.id, batch, index);
      if (known) await takePartsBack(destination, job, { batch, index, unit }, known, signal);
    }
    if (isOver()) return next;
    if (checkpoint?.isDue) await checkpoint.keep(next);
  }
  return undefined;
}
