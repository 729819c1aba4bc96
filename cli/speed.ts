import type { Progress } from '../shared/copy/progress.ts';

/** Speed is measured over about this long, so that neither a pause nor a burst misleads. */
const WINDOW_MS = 10_000;

/** How fast a figure that only grows has grown lately, as far as it was looked at. */
export class Speed {
  #samples: { atMs: number; figure: number }[] = [];

  /** Looks at the figure. @returns its growth a second */
  of(figure: number): number {
    const atMs = performance.now();
    this.#samples.push({ atMs, figure });
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? 0) > WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    return first && atMs > first.atMs ? ((figure - first.figure) / (atMs - first.atMs)) * 1000 : 0;
  }
}

/** Until all expected bytes are there at this speed; Infinity where nothing moves. */
export function secondsLeft({ expectedBytes, bytes }: Progress, bytesPerSecond: number): number {
  return bytesPerSecond > 0 ? Math.max(0, expectedBytes - bytes) / bytesPerSecond : Infinity;
}
