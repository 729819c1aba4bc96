import { FanoutError } from '../errors.ts';
import { type Deadline, DeadlineReached, LeftForNext } from '../deadline.ts';
import { requireFewFailures } from '../job/failures.ts';
import { takeChunksBack } from '../job/chunk-leftovers.ts';
import { sweepPredecessors } from '../job/leftovers.ts';
import type { CopyContext } from './file-copy.ts';
import { transfer } from './transfer.ts';
import { chunkRange } from '../job/chunk.ts';
import type { Claim } from '../job/job-store.ts';
import { type Batch, fileOf, type FileUnit, isSplit, sourcePathOf, splitOf, type Unit } from '../job/unit.ts';
import { timed } from '../job/file-line.ts';
import { liveRoots, type Root } from '../job/root.ts';
import type { HeldUp } from '../limits/limits.ts';
import { failedOutcome, type UnitOutcome } from '../job/outcome.ts';
import { copyChunk } from './chunk-copy.ts';

/** One process's share of a job. */
export interface Copier extends CopyContext {
  /** How long outcomes are gathered before they are recorded together, ms. A file whose outcome a crash loses is compared again. */
  readonly recordEveryMs: number;
  /** Bounds transfers over all batches of this process. */
  readonly limit: <T>(transfer: () => Promise<T>) => Promise<T>;
  /** Which limits held a transfer up within the last `withinMs`, if any. */
  readonly heldUp?: (withinMs: number) => HeldUp | undefined;
  /** Called with every outcome once it is recorded. */
  readonly onOutcome: (batch: Batch, outcome: UnitOutcome) => void;
}

/** The units of a batch that a copier leaves to the next one. */
export interface Left {
  /** Number of units without an outcome. */
  readonly left: number;
  /** Indices of the units that were cut off in the middle: the next copier takes each alone. */
  readonly cut: readonly number[];
}

/**
 * Copies the units of a batch that have no outcome. Outcomes are recorded as they come; a unit that has one is never done again.
 *
 * @param deadline  when to stop; a file that is cut off although it was alone and had all the time fails, unless others used up
 *   a limit that would have been enough for it
 * @param alone  indices of units that were cut off before
 * @returns the units that are left when the deadline came
 * @throws SupersededError when another copier took the batch; TooManyFailuresError; other fail-job errors; the signal's reason.
 *   Every transfer has ended by then, so that nothing of this copier is on its way any more.
 */
export async function copyBatch(
  copier: Copier,
  batch: Batch,
  deadline?: Deadline,
  alone: readonly number[] = [],
): Promise<Left> {
  const { job, store, owner, destination, signal } = copier;
  const claim = await store.claim(job.id, batch.batch, owner);
  if (claim.done.size === batch.units.length) return { left: 0, cut: [] };
  if (claim.swept < claim.claim - 1) {
    await sweepPredecessors(destination, job, batch, claim, signal);
    await store.noteSwept(job.id, batch.batch, owner, claim.claim - 1);
  }
  const recorder = new Recorder(copier, batch);
  const stop = new AbortController();
  const context: Copier = { ...copier, deadline, signal: AbortSignal.any([signal, stop.signal]) };
  const cut: number[] = [];
  let left = 0;
  const copyUnit = async (index: number, unit: Unit, hasAllTheTime: boolean): Promise<void> => {
    if (deadline?.isNear()) {
      left += 1;
      return;
    }
    context.signal.throwIfAborted();
    const beganAtMs = Date.now();
    copier.progress.transferring += 1;
    const { moved } = copier.progress;
    try {
      await recorder.add(await copyOf(context, batch.batch, index, unit, claim), beganAtMs);
    } catch (error) {
      if (error instanceof LeftForNext) {
        left += 1;
        return;
      }
      stop.abort(error);
      if (!(error instanceof DeadlineReached)) throw error;
      const { lastedMs } = error;
      const had = { lastedMs, movedBytes: copier.progress.moved - moved, held: copier.heldUp?.(lastedMs) };
      const reason = hasAllTheTime ? outgrown(unit, had) : undefined;
      if (reason !== undefined) await recorder.add(failedOutcome(job.roots, index, unit, reason), beganAtMs);
      else {
        left += 1;
        cut.push(index);
      }
    } finally {
      copier.progress.transferring -= 1;
    }
  };
  const disarm = deadline?.arm(stop);
  const undone = [...batch.units.entries()].filter(([index]) => !claim.done.has(index));
  const givenUp = await givenUpAmong(copier, undone);
  // A split file is put together when the job finishes, and no chunk of it is wanted once it goes as one stream.
  const todo = undone.filter(([, unit]) => {
    const split = splitOf(unit);
    return split === undefined || (unit.kind === 'file') === givenUp.has(split);
  });
  const first = todo.filter(([index]) => alone.includes(index));
  const settled: PromiseSettledResult<void>[] = [];
  for (const [turn, [index, unit]] of first.entries()) {
    settled.push(...(await Promise.allSettled([copier.limit(() => copyUnit(index, unit, turn === 0))])));
  }
  const rest = todo.filter(([index]) => !alone.includes(index));
  settled.push(
    ...(await Promise.allSettled(rest.map(([index, unit]) => copier.limit(() => copyUnit(index, unit, false))))),
  );
  disarm?.();
  await recorder.flush();
  if (stop.signal.reason instanceof DeadlineReached && !signal.aborted) {
    const failure = settled.find(
      (result) => result.status === 'rejected' && !(result.reason instanceof DeadlineReached),
    );
    if (failure?.status === 'rejected') throw failure.reason;
    return { left: left + settled.filter(({ status }) => status === 'rejected').length, cut };
  }
  context.signal.throwIfAborted();
  return { left, cut };
}

/** Numbers of the split files among units whose chunks were given up. */
async function givenUpAmong(
  { store, job }: Copier,
  units: readonly (readonly [number, Unit])[],
): Promise<ReadonlySet<number>> {
  const splits = new Set(units.flatMap(([, unit]) => splitOf(unit) ?? []));
  const givenUp = new Set<number>();
  for (const split of splits) if (await store.isGivenUp(job.id, split)) givenUp.add(split);
  return givenUp;
}

async function copyOf(
  context: CopyContext,
  batch: number,
  index: number,
  unit: Unit,
  claim: Claim,
): Promise<UnitOutcome> {
  switch (unit.kind) {
    case 'file':
      return (await chunksLeft(context, index, unit)) ?? transfer(context, batch, index, unit, claim);
    case 'chunk':
      return copyChunk(context, batch, index, unit, claim);
  }
}

/**
 * Deletes the chunks of a file that were given up: whoever gave them up may have died before. A job that ended well would leave them for good: where
 * one cannot be deleted the file fails.
 */
async function chunksLeft(
  { destination, job, signal }: CopyContext,
  index: number,
  unit: FileUnit,
): Promise<UnitOutcome | undefined> {
  if (!isSplit(unit)) return undefined;
  try {
    await takeChunksBack(destination, job, unit, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return failedOutcome(job.roots, index, unit, `its chunks are left: ${error.message}`);
  }
}

/** What a unit may need of a limit, or of the time, of one invocation, as a share of all of it: more would seldom be had. */
const MOST_SHARE = 0.8;
/** Requests that a unit may need to one cluster's namenodes: some to each step of it, and one for each attribute. */
const REQUESTS = 30;

/** What a unit had of an invocation in which it was alone. */
interface Had {
  readonly lastedMs: number;
  readonly movedBytes: number;
  readonly held: HeldUp | undefined;
}

/**
 * Why a unit fails that takes longer than a copier lives although it was alone: no number of further tries would copy it. Undefined where
 * limits held it up that others spent as well, and without which it would have come to its end.
 */
function outgrown(unit: Unit, { lastedMs, movedBytes, held }: Had): string | undefined {
  const { lengthBytes } = unit.kind === 'chunk' ? chunkRange(unit.file, unit.chunk) : unit;
  const unfit = `${lengthBytes} bytes do not fit into one invocation of ${Math.round(lastedMs / 1000)} s`;
  const tooSlow = `${unfit} (give the copy Lambda more time and memory, or copy it with hdfs-fanout copy)`;
  if (!held) return tooSlow;
  const seconds = (lastedMs / 1000) * MOST_SHARE;
  if (lengthBytes > held.bytesPerSecond * seconds || REQUESTS > held.requestsPerSecond * seconds)
    return `${unfit} within the limit of ${held.by} (raise the limit, or copy it with hdfs-fanout copy)`;
  const ownMs = Math.max(0, lastedMs - held.waitedMs);
  const mayFit = ownMs < lastedMs / 2 || lengthBytes * ownMs <= movedBytes * lastedMs * MOST_SHARE;
  return mayFit ? undefined : tooSlow;
}

/** Both ends may be of one cluster, and have lost connections to the same datanode. */
function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [text, count] of counts.flatMap((some) => Object.entries(some))) sum[text] = (sum[text] ?? 0) + count;
  return sum;
}

/** Gathers outcomes and records them together, in order, one write at a time. */
class Recorder {
  readonly #copier: Copier;
  readonly #batch: Batch;
  readonly #roots: readonly Root[];
  #waiting: UnitOutcome[] = [];
  #writing: Promise<void> = Promise.resolve();
  #recordedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(copier: Copier, batch: Batch) {
    this.#copier = copier;
    this.#batch = batch;
    this.#roots = liveRoots(copier.job.roots);
  }

  async add(outcome: UnitOutcome, beganAtMs: number): Promise<void> {
    this.#waiting.push(timed(outcome, this.#pathOf(outcome), beganAtMs));
    this.#copier.progress.settle(outcome);
    this.#requireFewFailures();
    if (performance.now() - this.#recordedAtMs >= this.#copier.recordEveryMs) await this.flush();
    // An outcome must not wait for a large file to end. That the batch was taken over is told by the next flush.
    else this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), this.#copier.recordEveryMs);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#recordedAtMs = performance.now();
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const [first, ...rest] = this.#waiting;
    if (!first) return;
    this.#waiting = [];
    const { store, job, owner, onOutcome, source, destination } = this.#copier;
    const ends = [source, destination].flatMap((end) => end.lostConnections ?? []);
    const taken = ends.map((end) => ({ end, lost: end.take() }));
    const lostConnections = sumOf(taken.map(({ lost }) => lost));
    const isAny = Object.keys(lostConnections).length > 0;
    const outcomes = [isAny ? { ...first, lostConnections } : first, ...rest];
    try {
      await store.record(job.id, this.#batch.batch, owner, outcomes);
    } catch (error) {
      for (const { end, lost } of taken) end.putBack(lost);
      throw error;
    }
    for (const outcome of outcomes) onOutcome(this.#batch, outcome);
  }

  #pathOf({ unit: index }: UnitOutcome): string {
    const unit = this.#batch.units[index];
    if (!unit) throw new Error(`the batch ${this.#batch.batch} has no unit ${index}`);
    return sourcePathOf(this.#roots, fileOf(unit));
  }

  #requireFewFailures(): void {
    const { progress, job } = this.#copier;
    requireFewFailures(progress.failures, job);
  }
}
