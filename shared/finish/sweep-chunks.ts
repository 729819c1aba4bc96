import { takeChunksBack } from '../job/chunk-leftovers.ts';
import { isSplit } from '../job/unit.ts';
import type { Finishing } from './finishing.ts';

/** Deletes by name what stands of the chunks of a job that will not be resumed. No copier of the job may be at work. */
export async function sweepChunks({
  job,
  destination,
  manifests,
  signal,
}: Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal'>): Promise<void> {
  if (Object.keys(job.split ?? {}).length === 0) return;
  for await (const line of manifests.read(job.id)) {
    if (!line.hasSplitFiles) continue;
    for (const unit of line.units) if (isSplit(unit)) await takeChunksBack(destination, job, unit, signal);
  }
}
