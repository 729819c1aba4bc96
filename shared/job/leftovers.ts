import { FanoutError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import type { Storage } from '../storage/storage.ts';
import type { RetryPolicy } from '../retry.ts';
import { asidePath, type Remains, withdraw } from '../storage/promote.ts';
import { backupOf } from './backup.ts';
import type { UnitSet } from './bitmap.ts';
import { mayReplace } from './existing.ts';
import { temporaryPath } from './temporary.ts';
import { type Batch, destinationPathOf, fileOf, isNeverWritten } from './unit.ts';
import type { Claim } from './job-store.ts';
import type { Job } from './job.ts';

/** Temporary names that are swept at once. */
const AT_ONCE = 16;
/** For putting an old file back. */
export const policy: RetryPolicy = { attempts: 5, totalMs: 60_000, baseMs: 250, capMs: 5000 };

/** Whose temporary names are swept. */
export interface SweptNames {
  /** The first and the last claim. */
  readonly from: number;
  readonly through: number;
  /** The highest attempt of any of these claims. */
  readonly attempts: number;
  /** Units that are left out. */
  readonly without: UnitSet;
  /** The first unit. */
  readonly unit: number;
}

/**
 * Takes back by name what claims may have left of a batch's units: never by walking the destination, never by prefix.
 *
 * @param isOver  asked between two units
 * @returns the unit to go on with when it stopped before the last one
 */
export async function sweepNames(
  destination: Storage,
  job: Job,
  batch: Batch,
  swept: SweptNames,
  signal: AbortSignal,
  isOver: () => boolean = () => false,
): Promise<number | undefined> {
  let begun = -1;
  const stopped = await forEach(
    namesOf(destination, job, batch, swept),
    AT_ONCE,
    signal,
    async ({ unit, remains }, both) => {
      begun = unit;
      await withdrawLeft(remains, both);
    },
    ({ unit }) => unit !== begun && isOver(),
  );
  return stopped?.next.unit;
}

function* namesOf(
  destination: Storage,
  job: Job,
  { batch, units }: Batch,
  { from, through, attempts, without, unit: first }: SweptNames,
): Generator<{ readonly unit: number; readonly remains: Remains }> {
  // With --direct there is no name but the final one.
  if (job.spec.options.direct) return;
  const backup = backupOf(job, destination);
  for (const [index, unit] of units.entries()) {
    const file = fileOf(unit);
    // What a split file is put together of has names of its own; copied as one stream after all, it has those of any file.
    if (index < first || without.has(index) || isNeverWritten(file)) continue;
    const finalPath = destinationPathOf(job.roots, file);
    for (let claim = from; claim <= through; claim++) {
      for (let attempt = 0; attempt <= attempts; attempt++) {
        const temporary = temporaryPath(finalPath, { job: job.id, batch, unit: index, claim, attempt });
        const overwrite = unit.kind === 'file' && mayReplace(job.spec.options.existing);
        yield { unit: index, remains: { storage: destination, temporary, finalPath, overwrite, backup } };
      }
    }
  }
}

/** Where a file may not be deleted none could be made either, as a rule: only one that stands there is an error. */
export async function withdrawLeft(remains: Remains, signal: AbortSignal): Promise<void> {
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
export async function sweepPredecessors(
  destination: Storage,
  job: Job,
  batch: Batch,
  { claim, swept, attempts, done }: Claim,
  signal: AbortSignal,
): Promise<void> {
  const names = { from: swept + 1, through: claim - 1, attempts, without: done, unit: 0 };
  await sweepNames(destination, job, batch, names, signal);
}
