import type { Left } from '../copy/copier.ts';
import { type Deadline, DeadlineReached } from '../deadline.ts';
import type { Job } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import type { ComparedOutcome } from '../job/outcome.ts';
import type { AnyBatch } from '../job/unit.ts';
import type { HeldUp } from '../limits/limits.ts';
import { chosenAttributes } from '../preserve/attributes.ts';
import { join } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { type Compared, compareEntry } from './compare-entry.ts';
import { type CompareUnit, listedIn } from './compare-unit.ts';
import { comparable, type SharedEntry } from './drift.ts';
import { type Finding, toldOf } from './finding.ts';
import { Tally } from './tally.ts';

/** What compares batches of a job that verifies. */
export interface BatchVerifying {
  readonly job: Job;
  readonly source: Storage;
  readonly destination: Storage;
  readonly store: Pick<JobStore, 'claim' | 'record'>;
  /** Of this invocation alone. */
  readonly owner: string;
  readonly signal: AbortSignal;
  /** Bounds comparisons. */
  readonly limit: <T>(comparison: () => Promise<T>) => Promise<T>;
  /** Which limits held somebody up within the last `withinMs`, if any. */
  readonly heldUp: (withinMs: number) => HeldUp | undefined;
  /** How long outcomes are gathered before they are recorded together, ms. A file whose outcome a crash loses is compared again. */
  readonly recordEveryMs: number;
}

/**
 * Compares the files of a batch that have no outcome, and records what came of each: counted once, whoever compared it and however often.
 *
 * @param deadline  when to stop; a file that is cut off although it was alone and had all the time is one that could not be told, unless others
 *   used up a limit
 * @param alone  indices of units that were cut off before
 * @returns the units that are left when the deadline came
 * @throws SupersededError when another one took the batch; other fail-job errors; the signal's reason
 */
export async function verifyBatch(
  verifying: BatchVerifying,
  batch: AnyBatch<CompareUnit>,
  deadline: Deadline,
  alone: readonly number[] = [],
): Promise<Left> {
  const { job, store, owner, limit, heldUp } = verifying;
  const { done } = await store.claim(job.id, batch.batch, owner);
  const stop = new AbortController();
  const signal = AbortSignal.any([verifying.signal, stop.signal]);
  const recorder = new Recorder(verifying, batch.batch);
  const level = job.spec.verify?.level ?? 'checksum';
  const chosen = comparable(chosenAttributes(job.spec.options), verifying.source, verifying.destination);
  const cut: number[] = [];
  let left = 0;
  const compare = async (index: number, unit: CompareUnit, hasAllTheTime: boolean): Promise<void> => {
    if (signal.aborted || deadline.isNear()) {
      left += 1;
      return;
    }
    const entry = entryOf(verifying, unit);
    try {
      recorder.add(outcomeOf(index, entry, await compareEntry(entry, level, chosen, signal)));
    } catch (error) {
      stop.abort(error);
      if (!(error instanceof DeadlineReached)) throw error;
      const reason = hasAllTheTime ? outgrown(entry, error, heldUp(error.lastedMs)) : undefined;
      if (reason !== undefined) recorder.add(outcomeOf(index, entry, unknown(reason)));
      else {
        left += 1;
        cut.push(index);
      }
    }
  };
  const disarm = deadline.arm(stop);
  const tick = setInterval(
    () => void recorder.flush().catch((error: unknown) => stop.abort(error)),
    verifying.recordEveryMs,
  );
  try {
    const todo = [...batch.units.entries()].filter(([index]) => !done.has(index));
    let isFirst = true;
    for (const [index, unit] of todo.filter(([one]) => alone.includes(one))) {
      await limit(() => compare(index, unit, isFirst));
      isFirst = false;
    }
    const rest = todo.filter(([index]) => !alone.includes(index));
    const settled = await Promise.allSettled(rest.map(([index, unit]) => limit(() => compare(index, unit, false))));
    await recorder.flush();
    verifying.signal.throwIfAborted();
    const failure = settled.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
    if (!(stop.signal.reason instanceof DeadlineReached)) signal.throwIfAborted();
    return { left, cut };
  } finally {
    disarm();
    clearInterval(tick);
  }
}

/** What is told of the units of a batch whose comparers died each time. */
export function untold(
  { job, source, destination }: Pick<BatchVerifying, 'job' | 'source' | 'destination'>,
  { units }: AnyBatch<CompareUnit>,
  isTold: (index: number) => boolean,
  reason: string,
): ComparedOutcome[] {
  const rest = [...units.entries()].filter(([index]) => !isTold(index));
  return rest.map(([index, unit]) => outcomeOf(index, entryOf({ job, source, destination }, unit), unknown(reason)));
}

function unknown(reason: string): Compared {
  return { proof: undefined, differences: [{ type: 'unknown', reason }] };
}

/** Of a limit, or of the time, as a share of all of it: more would seldom be had. */
const MOST_SHARE = 0.8;

/** Why a file is not compared that took all the time of an invocation; undefined where it waited for others most of that, and would fit. */
function outgrown(
  { status }: SharedEntry,
  { lastedMs }: DeadlineReached,
  held: HeldUp | undefined,
): string | undefined {
  const unfit = `${status.lengthBytes} bytes were not compared within one invocation of ${Math.round(lastedMs / 1000)} s`;
  if (!held) return `${unfit} (give the copy Lambda more time and memory, or verify it from a machine)`;
  // Both sides may have to be read.
  const fits = 2 * status.lengthBytes <= held.bytesPerSecond * (lastedMs / 1000) * MOST_SHARE;
  if (fits && held.waitedMs > lastedMs / 2) return undefined;
  return `${unfit} within the limit of ${held.by} (raise the limit, or verify it from a machine)`;
}

function entryOf(
  { job, source, destination }: Pick<BatchVerifying, 'job' | 'source' | 'destination'>,
  unit: CompareUnit,
): SharedEntry {
  const root = job.roots[unit.root];
  if (!root) throw new Error(`the manifest names root ${unit.root}, and the job has ${job.roots.length}`);
  const [sourcePath, destinationPath] = [join(root.source, unit.path), join(root.destination, unit.path)];
  return { source, sourcePath, destination, destinationPath, ...listedIn(unit) };
}

function outcomeOf(unit: number, entry: SharedEntry, { proof, differences }: Compared): ComparedOutcome {
  const { status, sourcePath, destinationPath } = entry;
  const tally = new Tally();
  tally.compare(status.lengthBytes);
  if (proof !== undefined) tally.prove(proof);
  for (const difference of differences) tally.find(difference);
  if (differences.length === 0) tally.alike(status);
  const { counters } = tally.state;
  const outcome = {
    kind: 'compare',
    outcome: 'compared',
    unit,
    bytes: status.lengthBytes,
    retries: 0,
    counters,
  } as const;
  if (differences.length === 0) return outcome;
  const findings: Finding[] = differences.map((difference) => ({
    ...difference,
    source: sourcePath,
    destination: destinationPath,
  }));
  const reason = differences.map((difference) => `${difference.type}: ${toldOf(difference)}`).join('; ');
  return { ...outcome, failure: { path: sourcePath, operation: 'COMPARE', host: '', reason, findings } };
}

/** Gathers outcomes and records them together, in order, one write at a time. */
class Recorder {
  readonly #of: BatchVerifying;
  readonly #batch: number;
  #waiting: ComparedOutcome[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(of: BatchVerifying, batch: number) {
    this.#of = of;
    this.#batch = batch;
  }

  add(outcome: ComparedOutcome): void {
    this.#waiting.push(outcome);
  }

  /** @throws SupersededError when the batch was taken over */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const outcomes = this.#waiting;
      this.#waiting = [];
      if (outcomes.length > 0) await this.#of.store.record(this.#of.job.id, this.#batch, this.#of.owner, outcomes);
    });
    return this.#writing;
  }
}
