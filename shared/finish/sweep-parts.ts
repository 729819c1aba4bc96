import { takePartsBack } from '../job/parts-leftovers.ts';
import type { JobStore } from '../job/job-store.ts';
import type { Finishing } from './finishing.ts';

/** Deletes by name what stands of the files in parts of a job that will not be resumed. No copier of the job may be at work. */
export async function sweepParts({
  job,
  destination,
  manifests,
  store,
  signal,
}: Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal'> & {
  readonly store: Pick<JobStore, 'parts'>;
}): Promise<void> {
  for await (const { batch, units } of manifests.read(job.id)) {
    for (const [index, unit] of units.entries()) {
      // A shorter one never went in parts, and its record is not asked for.
      if (unit.kind !== 'file' || unit.lengthBytes <= job.spec.options.chunkSize) continue;
      const known = await store.parts(job.id, batch, index);
      if (known) await takePartsBack(destination, job, { batch, index, unit }, known, signal);
    }
  }
}
