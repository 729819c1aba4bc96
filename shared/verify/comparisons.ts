import { Pool, TICK_MS } from '../copy/pool.ts';
import { Progress } from '../copy/progress.ts';
import type { Threads } from '../job/threads.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';

/** Comparisons side by side: as many as a copy would have transfers, fewer while a cluster says that it is busy. */
export class Comparisons implements Disposable {
  readonly #pool: Pool;
  readonly #ticking: NodeJS.Timeout;
  readonly #working = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(threads: Threads, storages: readonly Storage[], log: Log, signal: AbortSignal) {
    this.#pool = new Pool(threads, { loads: storages.map(({ load }) => load), progress: new Progress(), log });
    this.#ticking = setInterval(() => this.#pool.tick(), TICK_MS);
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Begins one as soon as there is room for it. @throws the first failure of those before, and the signal's reason */
  async add(compare: (signal: AbortSignal) => Promise<void>): Promise<void> {
    while (this.#working.size >= this.#pool.limit) await Promise.race(this.#working);
    this.#signal.throwIfAborted();
    const one = this.#pool
      .run(() => compare(this.#signal))
      .catch((error: unknown) => this.abandon(error))
      .finally(() => this.#working.delete(one));
    this.#working.add(one);
  }

  /** Ends those that are begun. @param error  why */
  abandon(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(error);
  }

  /** Resolves when none is on its way any more. @throws what they were abandoned for, the first failure, the signal's reason */
  async settled(): Promise<void> {
    await Promise.all(this.#working);
    this.#stop.signal.throwIfAborted();
    this.#signal.throwIfAborted();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking);
  }
}
