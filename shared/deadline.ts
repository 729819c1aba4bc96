/** The time came at which this process has to stop. No error of the job: somebody else goes on. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached';
  readonly lastedMs: number;

  constructor(lastedMs: number) {
    super('the deadline was reached');
    this.lastedMs = lastedMs;
  }
}

/** Nothing is begun in the last part of the time: it would only be cut off. */
const LAST_PART = 0.05;

/** The time that one invocation has, from its making on. */
export class Deadline {
  readonly #beganAtMs = performance.now();
  readonly #lastsMs: number;

  constructor(lastsMs: number) {
    this.#lastsMs = lastsMs;
  }

  /** Whether nothing should be begun any more. */
  isNear(): boolean {
    return performance.now() - this.#beganAtMs > this.#lastsMs * (1 - LAST_PART);
  }

  /** Aborts when the time is over. @returns what takes this back */
  arm(stop: AbortController): () => void {
    const leftMs = this.#lastsMs - (performance.now() - this.#beganAtMs);
    const timer = setTimeout(() => stop.abort(new DeadlineReached(this.#lastsMs)), Math.max(0, leftMs));
    return () => clearTimeout(timer);
  }
}
