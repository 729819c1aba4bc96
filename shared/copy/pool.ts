import pLimit, { type LimitFunction } from 'p-limit';
import type { Log } from '../log.ts';
import type { Threads } from '../job/threads.ts';
import type { Transfers } from '../job/job.ts';
import type { Load, Strain } from '../storage/load.ts';
import { Climb } from './climb.ts';
import type { AtOnce, Progress } from './progress.ts';

/** How often `tick` wants to be called, ms. */
export const TICK_MS = 250;
/** What is left of the limit when a cluster says that it is busy. */
const LEFT = 0.8;
/** For how long a limit that was lowered is left to do its work, before it is lowered again, ms. */
const LOWERED_MS = 2000;
/** A cluster that has not said busy for so long gets more again, ms. */
const QUIET_MS = 5000;
/** What it gets then each time, as a share of what is wanted. */
const MORE = 0.1;
/** A number that finds itself need not come back to where it was: a cluster is called busy for so long, ms. */
const CALM_MS = 30_000;
/** Bytes that cost about as much as whatever a file of no length costs: so files of all sizes add up to one measure of work. */
const BYTES_A_FILE = 4 * 1024 * 1024;
/** What ended within this was decided without asking anybody, ms. */
const NOTHING_MS = 2;
/** A limit that was changed shows what it yields when as many transfers have ended as ran before, or after this, ms. */
const SETTLED_MS = 5000;
const LEAST_WINDOW_MS = 1000;
const MOST_WINDOW_MS = 30_000;

/** What a pool works with. */
interface Around {
  /** Of both storages, where they have one. */
  readonly loads: readonly (Load | undefined)[];
  readonly progress: Progress;
  readonly log: Log;
  /** Called when more transfers may run than before. */
  readonly onMore?: () => void;
  /** ms */
  readonly now?: () => number;
}

/**
 * Runs transfers, so many at once as `threads` says: a fixed number, or one that climbs to where more would yield no more. When a cluster
 * says that it is busy there are fewer for a while. A transfer that runs is never cut off.
 */
export class Pool {
  readonly #limit: LimitFunction;
  #threads: Threads;
  #climb: Climb | undefined;
  readonly #loads: ReadonlySet<Load>;
  readonly #around: Around;
  readonly #now: () => number;
  /** How often the limit was lowered since a cluster said busy, by cluster. */
  readonly #lowered = new Map<string, number>();
  /** Transfers that have ended, without those that took no time. */
  #ended = 0;
  #busy: AtOnce['busy'];
  /** When a cluster last said busy, or was slow. */
  #strainedAtMs = -Infinity;
  #changedAtMs = -Infinity;
  /** Since when, and from how much work on, the limit is measured. */
  #window: { readonly fromMs: number; readonly work: number } | undefined;
  #settledAtWork = 0;

  constructor(threads: Threads, around: Around) {
    this.#threads = threads;
    this.#around = around;
    this.#now = around.now ?? (() => performance.now());
    this.#limit = pLimit(threads.first);
    this.#climb = climbOf(threads);
    this.#loads = new Set(around.loads.filter((load) => load !== undefined));
    // What planning asked says nothing of how many transfers are borne.
    for (const load of this.#loads) load.reset();
    this.#tell();
  }

  /** Transfers at once. */
  get limit(): number {
    return this.#limit.concurrency;
  }

  /** Transfers that wait for others to end. */
  get waiting(): number {
    return this.#limit.pendingCount;
  }

  /** What there is to tell of a number that has changed, or might have. */
  get told(): Transfers | undefined {
    if (!this.#climb && this.#lowered.size === 0) return undefined;
    return { first: this.#threads.first, last: this.limit, busy: Object.fromEntries(this.#lowered) };
  }

  run<T>(transfer: () => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      const fromMs = this.#now();
      try {
        return await transfer();
      } finally {
        if (this.#now() - fromMs >= NOTHING_MS) this.#ended += 1;
      }
    });
  }

  /** Goes on with another number, or another way to find it. */
  turnTo(threads: Threads): void {
    this.#threads = threads;
    this.#climb = climbOf(threads);
    this.#busy = undefined;
    this.#change(threads.first, this.#now());
  }

  /** Looks at what has come of the limit, and changes it. To be called every `TICK_MS`. */
  tick(): void {
    const nowMs = this.#now();
    for (const load of this.#loads) {
      const strain = load.take();
      if (strain) this.#heed(strain, load.name, nowMs);
    }
    if (nowMs - this.#strainedAtMs < QUIET_MS) return;
    if (this.#climb) {
      if (this.#busy && nowMs - this.#strainedAtMs >= CALM_MS) {
        this.#busy = undefined;
        this.#tell();
      }
      this.#measure(this.#climb, nowMs);
    } else if (this.limit < this.#threads.first && nowMs - this.#changedAtMs >= QUIET_MS) {
      this.#change(Math.min(this.#threads.first, this.limit + Math.ceil(this.#threads.first * MORE)), nowMs);
    }
  }

  #heed(strain: Strain, cluster: string, nowMs: number): void {
    // A number that somebody has chosen may well make namenodes slower.
    if (strain === 'slow' && !this.#climb) return;
    const isNew = nowMs - this.#strainedAtMs >= QUIET_MS;
    this.#strainedAtMs = nowMs;
    this.#window = undefined;
    if (!isNew && nowMs - this.#changedAtMs < LOWERED_MS) return;
    const { limit } = this;
    if (strain === 'busy') {
      this.#busy = { cluster, of: this.#busy?.of ?? limit };
      this.#lowered.set(cluster, (this.#lowered.get(cluster) ?? 0) + 1);
    }
    this.#climb?.backOff(LEFT);
    this.#change(this.#climb?.limit ?? Math.max(1, Math.floor(limit * LEFT)), nowMs);
    this.#around.log.warn(
      { cluster, transfers: this.limit, before: limit },
      `the cluster is ${strain}: fewer transfers`,
    );
  }

  #measure(climb: Climb, nowMs: number): void {
    // Fewer run than may, or more that began under a higher limit: what they do says nothing of this one.
    if (this.#limit.activeCount !== this.limit) this.#window = undefined;
    const work = this.#work;
    const isSettled = work >= this.#settledAtWork || nowMs - this.#changedAtMs >= SETTLED_MS;
    if (!this.#window) {
      if (isSettled) this.#window = { fromMs: nowMs, work };
      return;
    }
    const lastedMs = nowMs - this.#window.fromMs;
    const done = work - this.#window.work;
    if (lastedMs < LEAST_WINDOW_MS || (done < climb.enough && lastedMs < MOST_WINDOW_MS)) return;
    climb.judge(done / lastedMs);
    this.#window = { fromMs: nowMs, work };
    if (climb.limit !== this.limit) this.#change(climb.limit, nowMs);
  }

  get #work(): number {
    return this.#ended + this.#around.progress.moved / BYTES_A_FILE;
  }

  #change(limit: number, nowMs: number): void {
    const { limit: before } = this;
    this.#settledAtWork = this.#work + Math.max(before, limit);
    this.#changedAtMs = nowMs;
    this.#window = undefined;
    this.#limit.concurrency = limit;
    if (this.#busy && limit >= this.#busy.of) this.#busy = undefined;
    this.#tell();
    if (limit > before) this.#around.onMore?.();
  }

  #tell(): void {
    const { first } = this.#threads;
    this.#around.progress.atOnce = this.#climb || this.#busy ? { first, now: this.limit, busy: this.#busy } : undefined;
  }
}

function climbOf({ isAuto, first, most }: Threads): Climb | undefined {
  return isAuto ? new Climb(first, most) : undefined;
}
