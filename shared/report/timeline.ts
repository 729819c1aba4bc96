import type { FileLine } from '../job/file-line.ts';
import { Latencies } from './latencies.ts';
import type { Report } from './report.ts';

const MOST_STEPS = 120;
const SECOND = 1000;
const [MINUTE, HOUR, DAY] = [60 * SECOND, 3600 * SECOND, 86_400 * SECOND];
/** Steps that a person reads easily, ms. */
const STEPS = [
  ...[100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
];

interface Step {
  bytes: number;
  files: number;
  readonly latencies: Latencies;
}

/** What was moved and ended when, in steps of equal length from the beginning of a job to its end. */
export class Timeline {
  readonly #beganAtMs: number;
  readonly #stepMs: number;
  readonly #steps: Step[];

  constructor(beganAtMs: number, endedAtMs: number) {
    const lastedMs = Math.max(1, endedAtMs - beganAtMs);
    this.#beganAtMs = beganAtMs;
    this.#stepMs =
      STEPS.find((stepMs) => lastedMs <= stepMs * MOST_STEPS) ?? DAY * Math.ceil(lastedMs / (DAY * MOST_STEPS));
    const count = Math.ceil(lastedMs / this.#stepMs);
    this.#steps = Array.from({ length: count }, () => ({ bytes: 0, files: 0, latencies: new Latencies() }));
  }

  /** @param line  of a file that was copied, or of a chunk */
  add({ outcome, bytes, isJoined, endedAtMs, tookMs }: FileLine): void {
    if (!isJoined) this.#spread(bytes, endedAtMs - tookMs, endedAtMs);
    const step = this.#steps[this.#indexOf(endedAtMs)];
    if (!step || outcome === 'chunk') return;
    step.files += 1;
    if (!isJoined) step.latencies.add(tookMs);
  }

  get told(): Report['timeline'] {
    const steps = this.#steps.map(({ bytes, files, latencies }) => {
      const latency = latencies.told;
      return { bytes: Math.round(bytes), files, ...(latency ? { latency } : {}) };
    });
    return { beganAtMs: this.#beganAtMs, stepMs: this.#stepMs, steps };
  }

  /** Clocks of copiers differ: what lies outside is counted at the end that is next to it. */
  #indexOf(atMs: number): number {
    const index = Math.floor((atMs - this.#beganAtMs) / this.#stepMs);
    return Math.min(this.#steps.length - 1, Math.max(0, index));
  }

  #spread(bytes: number, fromMs: number, toMs: number): void {
    const [first, last] = [this.#indexOf(fromMs), this.#indexOf(toMs)];
    const lastedMs = toMs - fromMs;
    for (let index = first; index <= last; index++) {
      const step = this.#steps[index];
      if (!step) continue;
      const stepMs = this.#beganAtMs + index * this.#stepMs;
      const beginMs = index === first ? fromMs : stepMs;
      const endMs = index === last ? toMs : stepMs + this.#stepMs;
      step.bytes += first === last || lastedMs <= 0 ? bytes : (bytes * (endMs - beginMs)) / lastedMs;
    }
  }
}
