import { allOrAbort } from '../all-or-abort.ts';
import { requireFewFailures } from '../job/failures.ts';
import { FanoutError } from '../errors.ts';
import type { Job, Transfers } from '../job/job.ts';
import type { Threads } from '../job/threads.ts';
import type { Batch } from '../job/unit.ts';
import { BatchQueue } from './batch-queue.ts';
import { ChannelClosedError } from './channel.ts';
import type { Assignment } from './copier-methods.ts';
import { CopierProcess, type CopierProgram } from './copier-process.ts';
import { CopierService, type Serving } from './copier-service.ts';
import { atOnceOver, transfersOver } from './shared-transfers.ts';

/** What the copier processes of a job are started and told with. */
export interface CopierMeans {
  readonly program: CopierProgram;
  /** Processes at once, at most. */
  readonly atMost: number;
  /** Transfers at once that each is to have at least. */
  readonly leastThreads: number;
  readonly clusters: Assignment['clusters'];
}

interface StartedCopier {
  readonly process: CopierProcess;
  readonly service: CopierService;
}

/** How often copiers may die with a batch before one of its units has an outcome, or one after the other without any batch. */
const DEATHS = 3;

/** The copier processes of a job. One that dies is replaced, and its batches are claimed again, as after any crash. */
export class CopierPool {
  readonly #means: CopierMeans;
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
  constructor(means: CopierMeans, locks: string, job: Job, serving: Omit<Serving, 'queue' | 'onAtOnce'>) {
    this.#means = means;
    this.#locks = locks;
    this.#job = job;
    this.#serving = {
      ...serving,
      queue: new BatchQueue(),
      onOutcome: (batch, outcome) => {
        this.#deaths.delete(batch.batch);
        serving.onOutcome(batch, outcome);
        this.#requireFewFailures();
      },
      onAtOnce: () => {
        serving.progress.atOnce = atOnceOver(
          [...this.#shares].map(
            ([
              share,
              {
                toldOfTransfers: { atOnce },
              },
            ]) => [atOnce, share],
          ),
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
   * @param shares  transfers at once of each
   * @param onEnd  called at the end, whatever ends it, with what there is to tell of the number of transfers
   * @throws what ended a copier; CopierDiedError; TooManyFailuresError; the signal's reason
   */
  async copy(
    job: Job,
    batches: AsyncIterator<Batch>,
    shares: readonly Threads[],
    onEnd: (transfers: Transfers | undefined) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#job = job;
    this.#serving.queue.open(batches);
    this.#serving.progress.copiers = shares.length;
    const { clusters } = this.#means;
    const count = shares.length;
    const tasks = shares.map((threads, index) => (stopped: AbortSignal) => {
      const assignment = { job, clusters, threads, share: { index, count } };
      return this.#copyBy(assignment, stopped);
    });
    try {
      await allOrAbort(AbortSignal.any([signal, this.#stop.signal]), tasks);
    } finally {
      await onEnd(
        transfersOver(
          [...this.#shares].map(
            ([
              share,
              {
                toldOfTransfers: { transfers },
              },
            ]) => [transfers, share],
          ),
        ),
      );
    }
  }

  /** Ends processes that were started and have nothing to do. */
  async close(): Promise<void> {
    await Promise.all(this.#waiting.splice(0).map(({ process }) => process.end()));
  }

  /** Copies by one process, and by another when that one dies. */
  async #copyBy(assignment: Assignment, signal: AbortSignal): Promise<void> {
    for (let idleDeaths = 0; ;) {
      const { process, service } = this.#waiting.shift() ?? this.#startOne();
      this.#shares.set(assignment.threads, service);
      try {
        await process.copy(assignment, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ChannelClosedError)) throw error;
      }
      const how = await process.end();
      this.#serving.log.warn({ how }, 'a copier process died: another takes its files up');
      const left = service.end();
      if (left.length === 0 && ++idleDeaths >= DEATHS) throw new CopierDiedError(how);
      for (const { batch } of left) this.#noteDeath(batch, how);
    }
  }

  #noteDeath(batch: number, how: string): void {
    const deaths = (this.#deaths.get(batch) ?? 0) + 1;
    this.#deaths.set(batch, deaths);
    if (deaths >= DEATHS) throw new CopierDiedError(how);
  }

  #startOne(): StartedCopier {
    const service = new CopierService(this.#serving);
    return { process: new CopierProcess(this.#means.program, this.#locks, this.#job.id, service), service };
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
