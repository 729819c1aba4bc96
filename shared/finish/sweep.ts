import type { Checkpoint } from '../checkpoint.ts';
import { wantedRecords } from '../job/claimed-batches.ts';
import type { ClaimedBatch } from '../job/job-store.ts';
import { sweepNames } from '../job/leftovers.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import type { Finishing } from './finishing.ts';

/** Where a sweep goes on: a batch, and a unit of it. Plain JSON. */
export interface SweepPosition extends ManifestPosition {
  readonly unit: number;
}

export const sweepStart: SweepPosition = { ...manifestStart, unit: 0 };

/** What a job is swept with. */
export type Sweeping = Pick<Finishing, 'job' | 'destination' | 'manifests' | 'signal' | 'isOver'> & {
  readonly store: Pick<Finishing['store'], 'claims'>;
};

/** Whether a unit of the batch was tried more than once: a try whose deletion failed, or came before a late CREATE, is among them. */
export function isTriedAgain({ claim, attempts }: ClaimedBatch): boolean {
  return claim > 1 || attempts > 0;
}

/**
 * Takes back all that a job may have left under a temporary name: of batches that were tried again, what their first try did not end well, and
 * of other batches, what has no outcome. No copier of the job may be at work.
 *
 * @param which  batches to look at
 * @param checkpoint  left out where nobody goes on with it
 * @returns where it stopped before the end
 */
export async function sweep(
  sweeping: Sweeping,
  which: (claim: ClaimedBatch) => boolean,
  from: SweepPosition,
  checkpoint?: Checkpoint<SweepPosition>,
): Promise<SweepPosition | undefined> {
  const { job, destination, signal, isOver } = sweeping;
  if (job.spec.options.direct) return undefined;
  for await (const { line, claim } of wantedRecords(job.id, sweeping, which, from)) {
    const without = claim && (isTriedAgain(claim) ? claim.clean : claim.done);
    if (claim && without && without.size < line.count) {
      const all = { from: 1, through: claim.claim, attempts: claim.attempts, without };
      const pauses = () => isOver() || checkpoint?.isDue === true;
      let unit: number | undefined = line.batch === from.batch ? from.unit : 0;
      for (;;) {
        unit = await sweepNames(destination, job, line, { ...all, unit }, signal, pauses);
        if (unit === undefined) break;
        const at = { ...line.position, unit };
        if (isOver()) return at;
        await checkpoint?.keep(at);
      }
    }
    const at = { ...line.next, unit: 0 };
    if (isOver()) return at;
    if (checkpoint?.isDue) await checkpoint.keep(at);
  }
  return undefined;
}
