import type { Checkpoint } from '../checkpoint.ts';
import { batchRecords, isFinished } from '../job/claimed-batches.ts';
import type { ManifestPosition } from '../job/manifest-lines.ts';
import { failedOutcome } from '../job/outcome.ts';
import { type Batch, isSplit } from '../job/unit.ts';
import type { DeathRecords, Finishing } from './finishing.ts';

/**
 * Records the units that dead copiers left without an outcome as failed, with what the state machine was told.
 * @returns where it stopped before the end
 */
export async function recordDeaths(
  finishing: Finishing,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const { job, deaths, isOver } = finishing;
  if (!deaths || !(await deaths.hasDeaths(job.id))) return undefined;
  let at = from;
  for await (const record of batchRecords(job.id, finishing, from)) {
    const error = isFinished(record) ? undefined : await deaths.deathOf(job.id, record.line.batch);
    if (error !== undefined) await recordDeath(finishing, deaths, record.line, error);
    at = record.line.next;
    if (isOver()) return at;
    if (checkpoint.isDue) await checkpoint.keep(at);
  }
  return (await deaths.forgetDeaths(job.id, isOver)) ? undefined : at;
}

async function recordDeath(
  { job, store, owner }: Finishing,
  deaths: DeathRecords,
  { batch, units }: Batch,
  error: string,
): Promise<void> {
  const { done } = await store.claim(job.id, batch, owner);
  const reason = `its copier died each time it was tried: ${error} (look into the copy Lambda's log, then retry the job)`;
  const outcomes = [...units.entries()]
    .filter(([index, unit]) => !done.has(index) && !isSplit(unit))
    .map(([index, unit]) => failedOutcome(job.roots, index, unit, reason));
  await store.record(job.id, batch, owner, outcomes);
  await deaths.release(job.id, batch, owner);
}
