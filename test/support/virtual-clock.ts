import { vi } from 'vitest';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * Date.now, performance.now and setTimeout of a test's own, for as long as it lives. Vitest's fake timers wait a real millisecond at each timer that is due,
 * of which a minute of a budget has thousands.
 */
export class VirtualClock implements Disposable {
  nowMs = 1_800_000_000_000;
  /** How far Date.now was set off what has passed, ms. */
  setOffMs = 0;
  readonly #timers = new Set<Timer>();

  constructor() {
    vi.spyOn(Date, 'now').mockImplementation(() => this.nowMs + this.setOffMs);
    vi.spyOn(performance, 'now').mockImplementation(() => this.nowMs);
    vi.stubGlobal('setTimeout', (run: () => void, ms: number) => {
      const timer = { atMs: this.nowMs + ms, run, unref: () => undefined };
      this.#timers.add(timer);
      return timer;
    });
    vi.stubGlobal('clearTimeout', (timer: Timer) => this.#timers.delete(timer));
  }

  /** Lets time pass, and everything happen that is due in it. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      // What is under way without a timer comes to rest first.
      await new Promise((go) => setImmediate(go));
      let next: Timer | undefined;
      for (const timer of this.#timers)
        if (timer.atMs <= untilMs && timer.atMs < (next?.atMs ?? Infinity)) next = timer;
      if (!next) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = untilMs;
  }

  [Symbol.dispose](): void {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  }
}
