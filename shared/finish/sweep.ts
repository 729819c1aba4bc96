import type { Claim, JobStore } from '../job/job-store.ts';
import type { Job } from '../job/job.ts';
import { sweepNames } from '../job/leftovers.ts';
import type { ManifestStore } from '../job/manifest.ts';
import type { Storage } from '../storage/storage.ts';

/** What a job keeps of itself. */
export interface Sweepable {
  readonly job: Job;
  readonly store: Pick<JobStore, 'claims'>;
  readonly manifests: Pick<ManifestStore, 'read'>;
  readonly destination: Storage;
}

/** Whether any file of a batch was tried more than once: a try whose deletion failed, or came before a late CREATE, is among them. */
export function isTriedAgain({ claim, attempts }: Claim): boolean {
  return claim > 1 || attempts > 0;
}

/**
 * Takes back all that a job may have left under a temporary name: of all units of batches that were tried again, and of the unfinished
 * units of other batches. No copier of the job may be at work.
 *
 * @param which  batches to look at
 */
export async function sweepJob(
  { job, store, manifests, destination }: Sweepable,
  which: (claim: Claim) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const claims = new Map<number, Claim>();
  for await (const claim of store.claims(job.id)) if (which(claim)) claims.set(claim.batch, claim);
  if (claims.size === 0) return;
  for await (const batch of manifests.read(job.id)) {
    const claim = claims.get(batch.batch);
    if (!claim) continue;
    const without = isTriedAgain(claim) ? new Set<number>() : claim.done;
    const range = { from: 1, through: claim.claim, attempts: claim.attempts, without };
    await sweepNames(destination, job, batch, range, signal);
  }
}
