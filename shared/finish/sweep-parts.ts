import type { Checkpoint } from '../checkpoint.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import { failedUnits } from '../job/failed-units.ts';
import type { JobStore, PartedUnit } from '../job/job-store.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { takePartsBack } from '../job/parts-leftovers.ts';
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
  return sweepUnits(sweeping, await knownUnits(sweeping), () => true, from, checkpoint);
}

/**
 * Deletes what may have come late of earlier tries of files in parts that did not fail: what stands of one that failed is for a resume. No
 * copier of the job may be at work.
 * @returns where it stopped before the end
 */
export async function sweepLateParts(
  sweeping: PartsSweeping,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const units = await knownUnits(sweeping, ({ names }) => names.length > 1);
  if (units.size === 0) return undefined;
  const failed = await failedUnits(sweeping.job.id, sweeping.store);
  const isEnded = ({ batch, unit }: PartedUnit, isDone: boolean) => isDone && failed.get(batch)?.has(unit) !== true;
  return sweepUnits(sweeping, units, isEnded, from, checkpoint);
}

/** By their batches. */
async function knownUnits({ job, store }: PartsSweeping, which: (unit: PartedUnit) => boolean = () => true) {
  const units = new Map<number, PartedUnit[]>();
  for await (const one of store.partedFiles(job.id)) {
    if (which(one)) units.set(one.batch, [...(units.get(one.batch) ?? []), one]);
  }
  return units;
}

async function sweepUnits(
  sweeping: PartsSweeping,
  units: ReadonlyMap<number, readonly PartedUnit[]>,
  which: (unit: PartedUnit, isDone: boolean) => boolean,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition> | undefined,
): Promise<ManifestPosition | undefined> {
  if (units.size === 0) return undefined;
  const { job, destination, signal, isOver } = sweeping;
  for await (const { line, claim } of batchRecords(job.id, sweeping, from)) {
    for (const one of units.get(line.batch) ?? []) {
      const unit = line.units[one.unit];
      if (unit?.kind !== 'file' || !which(one, claim?.done.has(one.unit) === true)) continue;
      await takePartsBack(destination, job, { batch: line.batch, index: one.unit, unit }, one, signal);
    }
    if (isOver()) return line.next;
    if (checkpoint?.isDue) await checkpoint.keep(line.next);
  }
  return undefined;
}
