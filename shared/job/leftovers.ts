import pLimit from 'p-limit';
import { FanoutError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { RetryPolicy } from '../retry.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { asidePath, type Remains, withdraw } from '../storage/promote.ts';
import { mayReplace } from './existing.ts';
import { temporaryPath } from './temporary.ts';
import { type Batch, destinationPathOf, isFinal } from './unit.ts';
import type { Claim } from './job-store.ts';
import type { Job } from './job.ts';

/** Deletions at once. */
const AT_ONCE = 16;
/** For putting an old file back. */
const policy: RetryPolicy = { attempts: 5, totalMs: 60_000, baseMs: 250, capMs: 5000 };

/**
 * Takes back by name what claims `from` up to `through` may have left of a batch's units: never by walking the destination,
 * never by prefix.
 */
export async function sweepNames(
  destination: Storage,
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
  for (const [index, unit] of units.entries()) {
    if (without.has(index) || isFinal(unit, job.spec.options)) continue;
    const target = destinationPathOf(job.roots, unit);
    for (let claim = from; claim <= through; claim++) {
      for (let attempt = 0; attempt <= attempts; attempt++) {
        const temporary = temporaryPath(target, { job: job.id, batch, unit: index, claim, attempt });
        const remains = { storage: destination, temporary, target, overwrite: mayReplace(job.spec.options.existing) };
        withdrawals.push((both) => limit(() => sweep(remains, both)));
      }
    }
  }
  await allOrAbort(signal, withdrawals);
}

/** Where a file may not be deleted none could be made either, as a rule: only one that stands there is an error. */
async function sweep(remains: Remains, signal: AbortSignal): Promise<void> {
  try {
    await withdraw(remains, policy, signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition !== 'fail-unit') throw error;
    const { storage, temporary } = remains;
    for (const name of [temporary, asidePath(temporary)]) {
      if (await storage.stat(name, signal).catch(() => undefined)) throw error;
    }
  }
}

/** What the claims before this one may have left of its unfinished units. The namenode then refuses their late renames. */
export function sweepPredecessors(
  destination: Storage,
  job: Job,
  batch: Batch,
  { claim, swept, attempts, done }: Claim,
  signal: AbortSignal,
): Promise<void> {
  return sweepNames(destination, job, batch, { from: swept + 1, through: claim - 1, attempts, without: done }, signal);
}
