import { TooManyFailuresError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { UnitOutcome } from './job-store.ts';
import { sweepPredecessors } from './sweep.ts';
import { type CopyContext, transfer } from './transfer.ts';

/** Outcomes wait this long for company before they are recorded, ms. What is not recorded is compared again after a crash. */
const RECORD_EVERY_MS = 250;

/** A copier: one process's share of a job. */
export interface Copier extends CopyContext {
  /** Bounds transfers over all batches of this process. */
  readonly limit: <T>(transfer: () => Promise<T>) => Promise<T>;
  /** Told of every outcome once it is recorded. */
  readonly onOutcome: (batch: Batch, outcome: UnitOutcome) => void;
}

/**
 * Copies what is left of a batch. Outcomes are recorded as they come; one that is recorded is never done again.
 *
 * @throws SupersededError when another copier took the batch; TooManyFailuresError; other fail-job errors; the signal's reason.
 *   Every transfer has ended by then, so that nothing of this copier is on its way any more.
 */
export async function copyBatch(copier: Copier, batch: Batch): Promise<void> {
  const { job, store, owner, destination, signal } = copier;
  const claim = await store.claim(job.id, batch.batch, owner);
  if (claim.done.size === batch.units.length) return;
  if (claim.swept < claim.claim - 1) {
    await sweepPredecessors(destination, job, batch, claim, signal);
    await store.noteSwept(job.id, batch.batch, owner, claim.claim - 1);
  }
  const recorder = new Recorder(copier, batch);
  const stop = new AbortController();
  const context: Copier = { ...copier, signal: AbortSignal.any([signal, stop.signal]) };
  const units = [...batch.units.entries()].filter(([index]) => !claim.done.has(index));
  const transfers = units.map(([index, unit]) =>
    copier.limit(async () => {
      context.signal.throwIfAborted();
      copier.progress.transferring += 1;
      try {
        await recorder.add(await transfer(context, batch.batch, index, unit, claim));
      } catch (error) {
        stop.abort(error);
        throw error;
      } finally {
        copier.progress.transferring -= 1;
      }
    }),
  );
  await Promise.allSettled(transfers);
  await recorder.flush();
  context.signal.throwIfAborted();
}

/** Gathers outcomes and records them together, in order, one write at a time. */
class Recorder {
  readonly #copier: Copier;
  readonly #batch: Batch;
  #waiting: UnitOutcome[] = [];
  #writing: Promise<void> = Promise.resolve();
  #recordedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(copier: Copier, batch: Batch) {
    this.#copier = copier;
    this.#batch = batch;
  }

  async add(outcome: UnitOutcome): Promise<void> {
    this.#waiting.push(outcome);
    this.#copier.progress.settle(outcome);
    this.#requireFewFailures();
    if (performance.now() - this.#recordedAtMs >= RECORD_EVERY_MS) await this.flush();
    // What comes last must not wait for a large file. That the batch was taken over is told by the next flush.
    else this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), RECORD_EVERY_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#recordedAtMs = performance.now();
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const outcomes = this.#waiting;
    if (outcomes.length === 0) return;
    this.#waiting = [];
    const { store, job, owner, onOutcome } = this.#copier;
    await store.record(job.id, this.#batch.batch, owner, outcomes);
    for (const outcome of outcomes) onOutcome(this.#batch, outcome);
  }

  #requireFewFailures(): void {
    const { progress, job } = this.#copier;
    const limit = job.spec.options.maxFailures;
    if (progress.failed > limit) {
      throw new TooManyFailuresError(progress.failed, limit, 'mend the cause, or raise --max-failures, and resume');
    }
  }
}
