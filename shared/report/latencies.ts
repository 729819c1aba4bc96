import type { Latency } from './report.ts';

/** Bins of a doubling: a percentile is off by at most a tenth. */
const A_DOUBLING = 10;

/** Durations in bins that widen with them, so that any number of them takes the same room. */
export class Latencies {
  readonly #bins: number[] = [];
  #count = 0;
  #most = 0;

  add(tookMs: number): void {
    const bin = Math.ceil(Math.log2(Math.max(1, tookMs)) * A_DOUBLING);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#count += 1;
    this.#most = Math.max(this.#most, tookMs);
  }

  /** Undefined while there is none. */
  get told(): Latency | undefined {
    if (this.#count === 0) return undefined;
    return { p50: this.#percentile(0.5), p95: this.#percentile(0.95), p99: this.#percentile(0.99), most: this.#most };
  }

  /** The upper end of the bin in which it lies. */
  #percentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (const [bin, count = 0] of this.#bins.entries()) {
      left -= count;
      if (left <= 0) return Math.min(this.#most, Math.round(2 ** (bin / A_DOUBLING)));
    }
    return this.#most;
  }
}
