import type { Checkpoint } from '../checkpoint.ts';
import { takeChunksBack } from '../job/chunk-leftovers.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import { failedUnits } from '../job/failed-units.ts';
import type { JobStore } from '../job/job-store.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { isSplit } from '../job/unit.ts';
import type { Finishing } from './finishing.ts';

/** What a job's chunks are swept with. */
export type ChunkSweeping = Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal' | 'isOver'> & {
  readonly store: Pick<JobStore, 'claims' | 'failures'>;
};

/**
 * Deletes by name what stands of the chunks of a job that will not be resumed: of files that were not copied. No copier of the job may be at work.
 * @returns where it stopped before the end
 */
export async function sweepChunks(
  sweeping: ChunkSweeping,
  from: ManifestPosition = manifestStart,
  checkpoint?: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const { job, destination, signal, isOver } = sweeping;
  if (Object.keys(job.split ?? {}).length === 0) return undefined;
  const failed = await failedUnits(job.id, sweeping.store);
  for await (const { line, claim } of batchRecords(job.id, sweeping, from)) {
    if (line.hasSplitFiles) {
      for (const [index, unit] of line.units.entries()) {
        const isEnded = claim?.done.has(index) === true && failed.get(line.batch)?.has(index) !== true;
        if (isSplit(unit) && !isEnded) await takeChunksBack(destination, job, unit, signal);
      }
    }
    if (isOver()) return line.next;
    if (checkpoint?.isDue) await checkpoint.keep(line.next);
  }
  return undefined;
}
