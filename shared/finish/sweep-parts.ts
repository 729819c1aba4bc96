import type { Checkpoint } from '../checkpoint.ts';
import { FanoutError } from '../errors.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import { failedUnits } from '../job/failed-units.ts';
import type { JobStore, PartedUnit } from '../job/job-store.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { putReplacedBack, takePartsBack } from '../job/parts-leftovers.ts';
import type { Finishing } from './finishing.ts';

/** What a job's files in parts are swept with. */
export type PartsSweeping = Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal' | 'isOver'> & {
  readonly store: Pick<JobStore, 'partedFiles' | 'claims' | 'failures'>;
};

/**
 * Deletes by name what stands of the files in parts of a job that will not be resumed. No copier of the job may be at work.
 * @returns where it stopped before the end
 */
export async function sweepParts(
  sweeping: PartsSweeping,
  from: ManifestPosition = manifestStart,
  checkpoint?: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  return sweepUnits(sweeping, await knownUnits(sweeping), () => takePartsBack, from, checkpoint);
}

/**
 * Deletes what may have come late of earlier tries of files in parts that did not fail. What stands of one that failed is for a resume, but for
 * an old file that it did not replace, which gets its name again. No copier of the job may be at work.
 * @returns where it stopped before the end
 */
export async function sweepLateParts(
  sweeping: PartsSweeping,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const units = await knownUnits(sweeping);
  if (units.size === 0) return undefined;
  const failed = await failedUnits(sweeping.job.id, sweeping.store);
  const how = ({ batch, unit, names }: PartedUnit, isDone: boolean) => {
    if (!isDone) return undefined;
    if (failed.get(batch)?.has(unit)) return putBackIfPossible;
    return names.length > 1 ? takePartsBack : undefined;
  };
  return sweepUnits(sweeping, units, how, from, checkpoint);
}

/** Where the server refuses it the file waits for a resume: it has failed already. */
async function putBackIfPossible(...given: Parameters<typeof putReplacedBack>): Promise<void> {
  try {
    await putReplacedBack(...given);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition !== 'fail-unit') throw error;
  }
}

/** By their batches. */
async function knownUnits({ job, store }: PartsSweeping) {
  const units = new Map<number, PartedUnit[]>();
  for await (const one of store.partedFiles(job.id)) {
    units.set(one.batch, [...(units.get(one.batch) ?? []), one]);
  }
  return units;
}

/** @param how  what is done with each; undefined for nothing */
async function sweepUnits(
  sweeping: PartsSweeping,
  units: ReadonlyMap<number, readonly PartedUnit[]>,
  how: (unit: PartedUnit, isDone: boolean) => typeof takePartsBack | undefined,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition> | undefined,
): Promise<ManifestPosition | undefined> {
  if (units.size === 0) return undefined;
  const { job, destination, signal, isOver } = sweeping;
  for await (const { line, claim } of batchRecords(job.id, sweeping, from)) {
    for (const one of units.get(line.batch) ?? []) {
      const unit = line.units[one.unit];
      const work = how(one, claim?.done.has(one.unit) === true);
      if (unit?.kind !== 'file' || !work) continue;
      await work(destination, job, { batch: line.batch, index: one.unit, unit }, one, signal);
    }
    if (isOver()) return line.next;
    if (checkpoint?.isDue) await checkpoint.keep(line.next);
  }
  return undefined;
}
