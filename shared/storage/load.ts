/** Answers that tell how long a server takes; fewer say nothing. */
const ENOUGH = 10;
/** Over how many answers the usual time is learnt, so that a server that stays slow is soon as it always is. */
const LEARNT_OVER = 2000;
/** Slow is so many times the usual, and this much more, ms: a quick server that doubles its time still serves. */
const SLOWER = 3;
const SLOWER_BY_MS = 200;

/** A server that refuses since it is asked too much, or one that takes much longer than usual. */
export type Strain = 'busy' | 'slow';

/** How the servers of a storage bear what is asked of them, as their answers tell. Whoever asks them notes it; whoever decides how much is asked looks. */
export class Load {
  /** The cluster's alias. */
  readonly name: string;
  /** Told of each request that was answered, where somebody measures. */
  onAnswer: ((operation: string, tookMs: number) => void) | undefined;
  #busy = false;
  #answers = 0;
  #answersMs = 0;
  #usualMs: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Forgets what was noted: other work asks other things, which take another time. */
  reset(): void {
    this.#busy = false;
    this.#answers = 0;
    this.#answersMs = 0;
    this.#usualMs = undefined;
  }

  /** A server refused because it is asked too much. */
  noteBusy(): void {
    this.#busy = true;
  }

  /** A server that looks things up, and moves no bytes, answered after this long. */
  noteAnswer(tookMs: number): void {
    this.#answers += 1;
    this.#answersMs += tookMs;
  }

  /** What was noted since this was asked last. Busy wins. */
  take(): Strain | undefined {
    const isBusy = this.#busy;
    const isSlow = this.#isSlow();
    this.#busy = false;
    return isBusy ? 'busy' : isSlow ? 'slow' : undefined;
  }

  #isSlow(): boolean {
    if (this.#answers < ENOUGH) return false;
    const meanMs = this.#answersMs / this.#answers;
    const usualMs = (this.#usualMs ??= meanMs);
    this.#usualMs = usualMs + (meanMs - usualMs) * Math.min(1, this.#answers / LEARNT_OVER);
    this.#answers = 0;
    this.#answersMs = 0;
    return meanMs > usualMs * SLOWER + SLOWER_BY_MS;
  }
}
