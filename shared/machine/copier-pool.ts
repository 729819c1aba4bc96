import { setTimeout as sleep } from 'node:timers/promises';
import { allOrAbort } from '../all-or-abort.ts';
import { requireFewFailures } from '../job/failures.ts';
import { FanoutError, messageOf } from '../errors.ts';
import type { Job, Transfers } from '../job/job.ts';
import type { Threads } from '../job/threads.ts';
import type { Batch } from '../job/unit.ts';
import { askedBatches } from './asked-batches.ts';
import { BatchQueue } from './batch-queue.ts';
import { ChannelClosedError } from './channel.ts';
import type { Answered, Assignment } from './copier-methods.ts';
import { CopierProcess, type CopierProgram, CopierStartError } from './copier-process.ts';
import { CopierService, type Serving } from './copier-service.ts';
import { atOnceOver, transfersOver } from './shared-transfers.ts';

/** What the copier processes of a job are started and told with. */
export interface CopierMeans {
  readonly program: CopierProgram;
  /** Processes at once, at most. */
  readonly atMost: number;
  /** Whether the user asks for processes: without them the job then ends, in place of being copied by the one that runs it. */
  readonly areAskedFor: boolean;
  /** Transfers at once that each is to have at least. */
  readonly leastThreads: number;
  readonly clusters: Assignment['clusters'];
  /** Told of each request that was answered, where somebody measures. */
  readonly onAnswer?: ((answered: Answered) => void) | undefined;
}

/** What there is to copy, and how. */
export interface Work {
  readonly batches: AsyncIterator<Batch>;
  /** Transfers at once of each process. */
  readonly shares: readonly Threads[];
  readonly contact: Assignment['contact'];
  /** Copies in this process. */
  readonly copyHere: (
    batches: (signal: AbortSignal) => AsyncIterable<Batch>,
    onCopied: (batch: Batch) => void,
  ) => Promise<void>;
  /** Called at the end, whatever ends it, with what there is to tell of the number of transfers. */
  readonly onEnd: (transfers: Transfers | undefined) => Promise<void>;
}

interface StartedCopier {
  readonly process: CopierProcess;
  readonly service: CopierService;
}

/** How often copiers may die with a batch before one of its units has an outcome or got a part, or one after the other without any batch. */
const DEATHS = 3;
/** Before another process takes the place of one that died without any batch, ms: what there was too little of may be there again. */
const RESTART_MS = 1000;

/**
 * The copier processes of a job. One that dies is replaced, and its batches are claimed again, as after any crash. Where the machine gives no
 * process the others go on without it.
 */
export class CopierPool {
  readonly #means: CopierMeans;
  #program: CopierProgram;
  readonly #locks: string;
  readonly #serving: Serving;
  /** Processes that were started ahead and wait. */
  readonly #waiting: StartedCopier[] = [];
  readonly #stop = new AbortController();
  /** By batch, since a unit of it last had an outcome. */
  readonly #deaths = new Map<number, number>();
  /** Shares of the transfers, and whose each is now. */
  readonly #shares = new Map<Threads, CopierService>();
  #job: Job;

  /** @param locks  the directory of lock files */
  constructor(
    means: CopierMeans,
    locks: string,
    job: Job,
    serving: Omit<Serving, 'queue' | 'onPart' | 'onAtOnce' | 'onAnswer'>,
  ) {
    this.#means = means;
    this.#program = means.program;
    this.#locks = locks;
    this.#job = job;
    this.#serving = {
      ...serving,
      queue: new BatchQueue(),
      onAnswer: means.onAnswer,
      onOutcome: (batch, outcome) => {
        this.#deaths.delete(batch.batch);
        serving.onOutcome(batch, outcome);
        this.#requireFewFailures();
      },
      onPart: (batch) => this.#deaths.delete(batch),
      onAtOnce: () => {
        serving.progress.atOnce = atOnceOver(
          [...this.#shares].map(([share, { toldOfTransfers }]) => [toldOfTransfers.atOnce, share] as const),
        );
      },
    };
  }

  /** How many processes may share so many transfers at once. */
  mostFor(threads: number): number {
    const { atMost, leastThreads } = this.#means;
    return Math.min(atMost, Math.floor(threads / leastThreads));
  }

  /** Starts processes until so many wait, within what is allowed: they are ready when planning has ended. */
  start(count: number): void {
    while (this.#waiting.length < Math.min(count, this.#means.atMost)) this.#waiting.push(this.#startOne());
  }

  /**
   * Copies all batches by one process for each share. All of them have ended when this settles.
   * @throws what ended a copier; CopierDiedError; TooManyFailuresError; the signal's reason
   */
  async copy(job: Job, { batches, shares, contact, copyHere, onEnd }: Work, signal: AbortSignal): Promise<void> {
    this.#job = job;
    const { queue, progress, log } = this.#serving;
    queue.open(batches);
    progress.copiers = shares.length;
    const { clusters, onAnswer } = this.#means;
    const isMeasured = onAnswer !== undefined;
    const count = shares.length;
    let without: string | undefined;
    const tasks = shares.map((threads, index) => async (stopped: AbortSignal) => {
      const why = await this.#copyBy({ job, clusters, contact, threads, share: { index, count }, isMeasured }, stopped);
      if (why === undefined) return;
      progress.copiers -= 1;
      if (without === undefined) log.warn({ why }, 'the job goes on with fewer copier processes');
      without = why;
    });
    try {
      await allOrAbort(AbortSignal.any([signal, this.#stop.signal]), tasks);
    } finally {
      await this.#tellTransfers(onEnd);
    }
    if (progress.copiers > 0 || without === undefined) return;
    if (this.#means.areAskedFor) throw new CopierDiedError(without);
    log.warn({ why: without }, 'no copier process can be started: the process that runs the job copies');
    progress.copiers = 1;
    await copyHere(
      (stopped) => askedBatches(() => queue.next(), stopped),
      () => queue.copied(),
    );
  }

  /** What is told is for the eye alone: that it could not be recorded neither ends a job nor hides what did. */
  async #tellTransfers(onEnd: Work['onEnd']): Promise<void> {
    const told = [...this.#shares].map(([share, { toldOfTransfers }]) => [toldOfTransfers.transfers, share] as const);
    try {
      await onEnd(transfersOver(told));
    } catch (error) {
      this.#serving.log.warn({ error: messageOf(error) }, 'the number of transfers could not be recorded');
    }
  }

  /** Ends processes that were started and have nothing to do. */
  async close(): Promise<void> {
    await Promise.all(this.#waiting.splice(0).map(({ process }) => process.end()));
  }

  /** Copies by one process, and by another when that one dies. @returns why there is none any more, where the job is to go on without */
  async #copyBy(assignment: Assignment, signal: AbortSignal): Promise<string | undefined> {
    const { log } = this.#serving;
    for (let idleDeaths = 0; ;) {
      const { process, service } = this.#takeWaiting() ?? this.#startOne();
      this.#shares.set(assignment.threads, service);
      let how: string;
      try {
        await process.copy(assignment, signal);
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CopierStartError) how = error.message;
        else if (error instanceof ChannelClosedError) how = await process.end();
        else throw error;
      }
      if (service.hasWorked) log.warn({ how }, 'a copier process died: another takes its files up');
      else log.info({ how }, 'a copier process ended before it had any files');
      if (process.refusedItsFlags) this.#program = { ...this.#program, flags: [] };
      const left = service.end();
      for (const { batch } of left) this.#noteDeath(batch, how);
      if (service.hasWorked) {
        idleDeaths = 0;
        continue;
      }
      if (++idleDeaths >= DEATHS) {
        this.#shares.delete(assignment.threads);
        return how;
      }
      await sleep(RESTART_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** One that is still there. */
  #takeWaiting(): StartedCopier | undefined {
    for (;;) {
      const copier = this.#waiting.shift();
      if (!copier?.process.hasEnded) return copier;
    }
  }

  #noteDeath(batch: number, how: string): void {
    const deaths = (this.#deaths.get(batch) ?? 0) + 1;
    this.#deaths.set(batch, deaths);
    if (deaths >= DEATHS) throw new CopierDiedError(how);
  }

  #startOne(): StartedCopier {
    const service = new CopierService(this.#serving);
    return { process: new CopierProcess(this.#program, this.#locks, this.#job.id, service), service };
  }

  #requireFewFailures(): void {
    try {
      requireFewFailures(this.#serving.progress.failures, this.#job);
    } catch (error) {
      this.#stop.abort(error);
    }
  }
}

class CopierDiedError extends FanoutError {
  override readonly name = 'CopierDiedError';
  constructor(how: string) {
    super(`copier processes died ${DEATHS} times without copying a file, the last one: ${how}`, {
      disposition: 'fail-job',
      remedy: 'look for the reason in the log of the system, or copy with --copiers 1',
    });
  }
}
