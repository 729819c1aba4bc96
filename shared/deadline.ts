/** The time came at which this process has to stop. No error of the job: another invocation goes on with it. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached';
  readonly lastedMs: number;

  constructor(lastedMs: number) {
    super('the deadline was reached');
    this.lastedMs = lastedMs;
  }
}

/** What is left of a file goes on in another invocation: it has come as far as this one's time allows. No failure, and others go on. */
export class LeftForNext extends Error {
  override readonly name = 'LeftForNext';

  constructor() {
    super('the rest is left for the next invocation');
  }
}

/** Share of the time, at its end, in which no file is begun: it would only be cut off. */
const LAST_PART = 0.05;

/** How long an invocation may go on. Its time begins when this object is made. */
export class Deadline {
  readonly #beganAtMs = performance.now();
  /** How long it is in all, ms. */
  readonly lastsMs: number;

  constructor(lastsMs: number) {
    this.lastsMs = lastsMs;
  }

  /** Whether nothing should be begun any more. */
  isNear(): boolean {
    return performance.now() - this.#beganAtMs > this.lastsMs * (1 - LAST_PART);
  }

  get leftMs(): number {
    return Math.max(0, this.lastsMs - (performance.now() - this.#beganAtMs));
  }

  /** Whether no other invocation would have much more time. */
  get isFresh(): boolean {
    return this.leftMs > this.lastsMs / 2;
  }

  /** Aborts `stop` when the time is over. @returns a function that takes this back */
  arm(stop: AbortController): () => void {
    const timer = setTimeout(() => stop.abort(new DeadlineReached(this.lastsMs)), this.leftMs);
    return () => clearTimeout(timer);
  }
}
