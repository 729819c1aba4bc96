import { allOrAbort } from '../all-or-abort.ts';
import { requireFewFailures } from '../copy/copier.ts';
import { FanoutError } from '../errors.ts';
import type { Job } from '../job/job.ts';
import type { Batch } from '../job/unit.ts';
import { BatchQueue } from './batch-queue.ts';
import { ChannelClosedError } from './channel.ts';
import type { Assignment } from './copier-methods.ts';
import { CopierProcess, type CopierProgram } from './copier-process.ts';
import { CopierService, type Serving } from './copier-service.ts';

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
  #job: Job;

  /** @param locks  the directory of lock files */
  constructor(means: CopierMeans, locks: string, job: Job, serving: Omit<Serving, 'queue'>) {
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
   * Copies all batches by `count` processes. All of them have ended when this settles.
   * @param threads  transfers at once over all of them; not less than `count`
   * @throws what ended a copier; CopierDiedError; TooManyFailuresError; the signal's reason
   */
  async copy(
    job: Job,
    batches: AsyncIterator<Batch>,
    count: number,
    threads: number,
    signal: AbortSignal,
  ): Promise<void> {
    this.#job = job;
    this.#serving.queue.open(batches);
    this.#serving.progress.copiers = count;
    const shares = Array.from({ length: count }, (_, index) => Math.floor((threads + index) / count));
    const { clusters } = this.#means;
    const both = AbortSignal.any([signal, this.#stop.signal]);
    await allOrAbort(
      both,
      shares.map((share) => (stopped: AbortSignal) => this.#copyBy({ job, clusters, threads: share }, stopped)),
    );
  }

  /** Ends processes that were started and have nothing to do. */
  async close(): Promise<void> {
    await Promise.all(this.#waiting.splice(0).map(({ process }) => process.end()));
  }

  /** Copies by one process, and by another when that one dies. */
  async #copyBy(assignment: Assignment, signal: AbortSignal): Promise<void> {
    for (let idleDeaths = 0; ;) {
      const { process, service } = this.#waiting.shift() ?? this.#startOne();
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
      requireFewFailures(this.#serving.progress.failed, this.#job);
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
