import pLimit from 'p-limit';
import { FanoutError } from '../errors.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { join } from '../hdfs/path.ts';
import type { RetryPolicy } from '../retry.ts';
import { together } from '../together.ts';
import type { Batch } from './batch.ts';
import type { Claim, Job, JobStore } from './job-store.ts';
import type { ManifestStore } from './manifest.ts';
import { type Remains, withdraw } from './promote.ts';
import { asidePath, temporaryPath } from './temporary.ts';

/** Deletions at once. */
const AT_ONCE = 16;
/** For putting an old file back. */
const policy: RetryPolicy = { attempts: 5, totalMs: 60_000, baseMs: 250, capMs: 5000 };

/**
 * Takes back by name what claims `from` up to `through` may have left of a batch's units: never by walking the destination,
 * never by prefix.
 */
async function sweepNames(
  destination: FileSystem,
  job: Job,
  { batch, units }: Batch,
  {
    from,
    through,
    attempts,
    without,
  }: { from: number; through: number; attempts: number; without: ReadonlySet<number> },
  signal: AbortSignal,
): Promise<void> {
  // With --direct there is no name but the final one.
  if (job.spec.options.direct) return;
  const limit = pLimit(AT_ONCE);
  const withdrawals: ((signal: AbortSignal) => Promise<void>)[] = [];
  for (const [unit, { root, path, to, decision }] of units.entries()) {
    // What planning refused is looked at again by a resume, and may then have been tried.
    if (without.has(unit) || decision === 'skip') continue;
    const target = join(job.roots[root]?.destination ?? '/', to ?? path);
    for (let claim = from; claim <= through; claim++) {
      for (let attempt = 0; attempt <= attempts; attempt++) {
        const temporary = temporaryPath(target, { job: job.id, batch, unit, claim, attempt });
        const remains = { fs: destination, temporary, target, overwrite: job.spec.options.force };
        withdrawals.push((both) => limit(() => sweep(remains, both)));
      }
    }
  }
  await together(signal, withdrawals);
}

/** Where a file may not be deleted none could be made either, as a rule: only one that stands there is an error. */
async function sweep(remains: Remains, signal: AbortSignal): Promise<void> {
  try {
    await withdraw(remains, policy, signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition !== 'fail-unit') throw error;
    const { fs, temporary } = remains;
    for (const name of [temporary, asidePath(temporary)]) {
      if (await fs.stat(name, signal).catch(() => undefined)) throw error;
    }
  }
}

/** What the claims before this one may have left of its unfinished units. The namenode then refuses their late renames. */
export function sweepPredecessors(
  destination: FileSystem,
  job: Job,
  batch: Batch,
  { claim, swept, attempts, done }: Claim,
  signal: AbortSignal,
): Promise<void> {
  return sweepNames(destination, job, batch, { from: swept + 1, through: claim - 1, attempts, without: done }, signal);
}

/** What a job keeps of itself. */
export interface Sweepable {
  readonly job: Job;
  readonly store: Pick<JobStore, 'claims'>;
  readonly manifests: Pick<ManifestStore, 'read'>;
  readonly destination: FileSystem;
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
