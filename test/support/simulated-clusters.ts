import { Pool, TICK_MS } from '../../shared/copy/pool.ts';
import { Progress } from '../../shared/copy/progress.ts';
import type { Threads } from '../../shared/job/threads.ts';
import { silentLog } from '../../shared/log.ts';
import { Load } from '../../shared/storage/load.ts';

/** Two clusters as a transfer sees them. All fields may change while transfers run. */
export interface Nature {
  /** Waits of a transfer that no other transfer makes longer, ms. */
  latencyMs: number;
  /** Transfers that are served at once: others queue. */
  workers: number;
  /** For how long a transfer is served, ms. */
  serviceMs: number;
  /** Of all transfers together. */
  bytesPerMs: number;
  /** Of one transfer. */
  streamBytesPerMs: number;
  /** Transfers at once from which on a request is refused as busy. */
  refusesAt: number;
  /** Of latency and service: none, or exponentially distributed. */
  noise: 'none' | 'exponential';
}

const STEP_MS = 20;

/** A pool at work on simulated clusters, in virtual time: the same each time, and the machine's own speed is no part of it. */
export class Simulation {
  readonly nature: Nature;
  readonly load = new Load('A');
  readonly progress = new Progress();
  readonly pool: Pool;
  /** The limit at each tick. */
  readonly limits: number[] = [];
  nowMs = 0;
  ended = 0;
  #running = 0;
  #admitted = 0;
  #serving = 0;
  readonly #queue: (() => void)[] = [];
  readonly #streams = new Set<{ leftBytes: number; readonly done: () => void }>();
  /** What happens at a step. */
  readonly #due = new Map<number, (() => void)[]>();
  #seed: number;

  /** @param seed  of the noise: the same gives the same */
  constructor(threads: Threads, nature: Partial<Nature>, seed = 1) {
    this.#seed = seed;
    const still = { latencyMs: 100, workers: 20, serviceMs: 100, refusesAt: Infinity, noise: 'none' } as const;
    this.nature = { ...still, bytesPerMs: Infinity, streamBytesPerMs: 100_000, ...nature };
    const { load, progress } = this;
    this.pool = new Pool(threads, { loads: [load], progress, log: silentLog, now: () => this.nowMs });
  }

  /** Lets time pass, in which there are always more files than may be copied at once, or `atMost` of them. */
  async run(forMs: number, bytesOf: () => number = () => 0, atMost = Infinity): Promise<void> {
    const untilMs = this.nowMs + forMs;
    for (; this.nowMs < untilMs; this.nowMs += STEP_MS) {
      while (this.#running + this.pool.waiting < Math.min(atMost, this.pool.limit * 2)) this.#start(bytesOf());
      for (const happen of this.#due.get(this.nowMs) ?? []) happen();
      this.#due.delete(this.nowMs);
      this.#move();
      await new Promise((resolve) => setImmediate(resolve));
      if (this.nowMs % TICK_MS < STEP_MS) {
        this.pool.tick();
        this.limits.push(this.pool.limit);
      }
    }
  }

  /** Files a second, from now on for so long. */
  async filesPerSecond(forMs: number): Promise<number> {
    const before = this.ended;
    await this.run(forMs);
    return ((this.ended - before) / forMs) * 1000;
  }

  /** From 0 to 1, the same sequence each time. */
  random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }

  #start(bytes: number): void {
    void this.pool.run(async () => {
      this.#running += 1;
      while (this.#admitted >= this.nature.refusesAt) {
        this.load.noteBusy();
        await this.#sleep(1000);
      }
      this.#admitted += 1;
      await this.#sleep(this.#noisy(this.nature.latencyMs));
      await this.#served();
      if (bytes > 0) await new Promise<void>((done) => this.#streams.add({ leftBytes: bytes, done }));
      this.#admitted -= 1;
      this.#running -= 1;
      this.ended += 1;
    });
  }

  async #served(): Promise<void> {
    if (this.#serving < this.nature.workers) this.#serving += 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    await this.#sleep(this.#noisy(this.nature.serviceMs));
    this.#serving -= 1;
    while (this.#queue.length > 0 && this.#serving < this.nature.workers) {
      this.#serving += 1;
      this.#queue.shift()?.();
    }
  }

  #move(): void {
    const { bytesPerMs, streamBytesPerMs } = this.nature;
    const share = Math.min(streamBytesPerMs, bytesPerMs / this.#streams.size) * STEP_MS;
    for (const stream of this.#streams) {
      const moved = Math.min(share, stream.leftBytes);
      stream.leftBytes -= moved;
      this.progress.moved += moved;
      if (stream.leftBytes > 0) continue;
      this.#streams.delete(stream);
      stream.done();
    }
  }

  #noisy(ms: number): number {
    return this.nature.noise === 'none' ? ms : -Math.log(1 - this.random()) * ms;
  }

  #sleep(ms: number): Promise<void> {
    const atMs = this.nowMs + Math.max(STEP_MS, Math.round(ms / STEP_MS) * STEP_MS);
    return new Promise((resolve) => this.#due.set(atMs, [...(this.#due.get(atMs) ?? []), resolve]));
  }
}

export function fixed(number: number): Threads {
  return { first: number, most: number, isAuto: false };
}

export function auto(first = 10, most = 256): Threads {
  return { first, most, isAuto: true };
}
