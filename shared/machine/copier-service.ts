import type { AtOnce, Progress } from '../copy/progress.ts';
import { Bitmap } from '../job/bitmap.ts';
import type { Job, Transfers } from '../job/job.ts';
import type { BatchStore, JobStore } from '../job/job-store.ts';
import { isOfChunk, type UnitOutcome } from '../job/outcome.ts';
import type { Batch } from '../job/unit.ts';
import type { Log } from '../log.ts';
import type { BatchQueue } from './batch-queue.ts';
import type { Answered, Figures, RunnerMethods, SentClaim } from './copier-methods.ts';

/** What all copier processes of a job are served with. */
export interface Serving {
  readonly queue: BatchQueue;
  readonly store: BatchStore & Pick<JobStore, 'get' | 'lease'>;
  readonly progress: Progress;
  readonly log: Log;
  /** Called with every outcome once it is recorded. */
  readonly onOutcome: (batch: Batch, outcome: UnitOutcome) => void;
  /** Called when a part of a file of this batch was recorded. */
  readonly onPart: (batch: number) => void;
  /** Called when the number of transfers of a process may have changed. */
  readonly onAtOnce: () => void;
  readonly onAnswer?: ((answered: Answered) => void) | undefined;
}

/** What the process that runs the job does for one copier process: it hands out batches, keeps the records and sums up the figures. */
export class CopierService implements RunnerMethods {
  readonly #serving: Serving;
  readonly #open = new Map<number, Batch>();
  #told: Figures = { bytes: 0, moved: 0, transferring: 0, atOnce: undefined, limit: undefined };
  #transfers: Transfers | undefined;
  #recordedBytes = 0;
  #isOver = false;
  #hasWorked = false;

  constructor(serving: Serving) {
    this.#serving = serving;
  }

  async next(): Promise<Batch | undefined> {
    const { queue } = this.#serving;
    const batch = await queue.next();
    if (!batch) return undefined;
    if (this.#isOver) {
      queue.giveBack(batch);
      return undefined;
    }
    this.#open.set(batch.batch, batch);
    this.#hasWorked = true;
    return { batch: batch.batch, units: batch.units };
  }

  copied(batch: number): void {
    if (this.#open.delete(batch)) this.#serving.queue.copied();
  }

  async claim(...batch: Parameters<BatchStore['claim']>): Promise<SentClaim> {
    const { done, ...claim } = await this.#serving.store.claim(...batch);
    const bitmap = new Bitmap();
    for (const unit of done) bitmap.add(unit);
    return { ...claim, done: bitmap.bytes };
  }

  requireOwner(...batch: Parameters<BatchStore['requireOwner']>): Promise<void> {
    return this.#serving.store.requireOwner(...batch);
  }

  noteAttempt(...attempt: Parameters<BatchStore['noteAttempt']>): Promise<void> {
    return this.#serving.store.noteAttempt(...attempt);
  }

  noteSwept(...claim: Parameters<BatchStore['noteSwept']>): Promise<void> {
    return this.#serving.store.noteSwept(...claim);
  }

  isGivenUp(...split: Parameters<BatchStore['isGivenUp']>): Promise<boolean> {
    return this.#serving.store.isGivenUp(...split);
  }

  parts(...unit: Parameters<BatchStore['parts']>): ReturnType<BatchStore['parts']> {
    return this.#serving.store.parts(...unit);
  }

  async keepParts(...kept: Parameters<BatchStore['keepParts']>): Promise<void> {
    await this.#serving.store.keepParts(...kept);
    this.#serving.onPart(kept[1]);
  }

  async record(...recorded: Parameters<BatchStore['record']>): Promise<void> {
    const { store, progress, onOutcome } = this.#serving;
    await store.record(...recorded);
    const [, batch, , outcomes] = recorded;
    const open = this.#open.get(batch);
    for (const outcome of outcomes) {
      // Its bytes are among those that the process tells of.
      progress.count(outcome);
      // Those of a chunk that failed were taken back.
      if (!isOfChunk(outcome) || outcome.outcome === 'copied') this.#recordedBytes += outcome.bytes;
      if (open) onOutcome(open, outcome);
    }
  }

  get(job: string): Promise<Job | undefined> {
    return this.#serving.store.get(job);
  }

  lease(...asked: Parameters<JobStore['lease']>): ReturnType<JobStore['lease']> {
    return this.#serving.store.lease(...asked);
  }

  moved(figures: Figures): void {
    const { progress } = this.#serving;
    progress.bytes += figures.bytes - this.#told.bytes;
    progress.moved += figures.moved - this.#told.moved;
    progress.transferring += figures.transferring - this.#told.transferring;
    progress.limitOfCopiers = figures.limit;
    this.#told = figures;
    this.#serving.onAtOnce();
  }

  answered(answers: readonly Answered[]): void {
    for (const answer of answers) this.#serving.onAnswer?.(answer);
  }

  transfers(told: Transfers | undefined): void {
    this.#transfers = told;
  }

  /** What the process has told of the number of its transfers. */
  get toldOfTransfers(): { readonly atOnce: AtOnce | undefined; readonly transfers: Transfers | undefined } {
    return { atOnce: this.#told.atOnce, transfers: this.#transfers };
  }

  /** Whether the process was ever given a batch. */
  get hasWorked(): boolean {
    return this.#hasWorked;
  }

  log(level: keyof Log, fields: object, message: string): void {
    this.#serving.log[level](fields, message);
  }

  /** Takes back what the process has left, which is gone. @returns the batches that it had, for another process */
  end(): readonly Batch[] {
    this.#isOver = true;
    this.moved({
      bytes: this.#recordedBytes,
      moved: this.#told.moved,
      transferring: 0,
      atOnce: undefined,
      limit: undefined,
    });
    const left = [...this.#open.values()];
    this.#open.clear();
    for (const batch of left) this.#serving.queue.giveBack(batch);
    return left;
  }
}
