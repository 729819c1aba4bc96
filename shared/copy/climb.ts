/** The least step between two limits, as a factor: a smaller one drowns in noise. */
const LEAST_FACTOR = 1.25;
/** The greatest one: at the beginning, and when one step after the other has paid. */
const MOST_FACTOR = 2;
/**
 * A step up pays when throughput grows by at least this power of the limit's growth. Far below the knee the two grow together (1), far above
 * it throughput stays (0).
 */
const GAINS = 0.3;
/** A step down costs nothing where throughput shrinks by less than this power. Lower, so that there is a place to rest at. */
const COSTS = 0.2;
/** Room above the knee that one doubling too many has shown, as a factor. */
const ABOVE_KNEE = 1.1;
/** A window needs work so that chance hides no step: (this / ln factor)², some 30 for a doubling and 320 for the least step. */
const CERTAINTY = 4;
/** Windows without a step, once neither direction pays: at most so many. */
const MOST_HOLD = 4;
/** Throughput that has changed by this share without a step is another world: the steps begin again. */
const OTHER_WORLD = 0.25;

/**
 * How many transfers at once are enough: climbs while throughput grows with them, and comes down while it does not shrink without them.
 * Pure: whoever measures calls `judge` with what a limit has yielded and gets the limit to measure next.
 *
 * Throughput alone decides: where transfers queue up, their time is their number divided by it (Little), so that time growing without
 * throughput is the same finding. No idle measurement of an unloaded server is needed, which a long job on a shared cluster never gets.
 */
export class Climb {
  readonly #most: number;
  #limit: number;
  #factor = MOST_FACTOR;
  #direction: 1 | -1 = 1;
  /** What the limit before the last step has yielded. */
  #from: { readonly limit: number; readonly rate: number } | undefined;
  /** Steps in a row that did not pay. */
  #vain = 0;
  #hold = 0;
  #heldRate: number | undefined;

  constructor(first: number, most: number) {
    this.#limit = first;
    this.#most = most;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Work that a window must hold before it is judged. */
  get enough(): number {
    const other = this.#from?.limit ?? this.#next;
    const factor = other === this.#limit ? LEAST_FACTOR : this.#limit / other;
    return (CERTAINTY / Math.log(factor)) ** 2;
  }

  /** @param rate  work done per ms at the present limit, while there was always more of it to do */
  judge(rate: number): void {
    if (this.#hold > 0 && !this.#isOtherWorld(rate)) {
      this.#hold -= 1;
      return;
    }
    const from = this.#from;
    if (!from) return this.#step(rate);
    const growth = Math.log(rate / from.rate) / Math.log(this.#limit / from.limit);
    const isUp = this.#limit > from.limit;
    if (isUp ? growth >= GAINS : growth < COSTS) {
      this.#vain = 0;
      if (isUp) this.#factor = Math.min(MOST_FACTOR, this.#factor ** 2);
      return this.#step(rate);
    }
    // A doubling too many shows where throughput has stopped growing.
    const knee = from.limit * Math.max(1, (rate / from.rate) * ABOVE_KNEE);
    this.#limit = isUp && this.#factor === MOST_FACTOR ? Math.min(this.#limit, Math.round(knee)) : from.limit;
    this.#turn();
  }

  /** What was measured holds no more: fewer at once, and small steps from there. @param share  of the present limit */
  backOff(share: number): void {
    this.#limit = Math.max(1, Math.floor(this.#limit * share));
    this.#direction = 1;
    this.#begin();
  }

  /** The limit after the next step: the same where there is no further to go. */
  get #next(): number {
    const limit = this.#limit;
    if (this.#direction < 0) return Math.max(1, Math.min(limit - 1, Math.round(limit / this.#factor)));
    return Math.min(this.#most, Math.max(limit + 1, Math.round(limit * this.#factor)));
  }

  #step(rate: number): void {
    // Where nothing moves there is nothing to compare with.
    if (rate === 0) return;
    const { limit } = this;
    const next = this.#next;
    if (next === limit) return this.#turn();
    this.#from = { limit, rate };
    this.#limit = next;
  }

  /** The other direction is next, after a rest when that was in vain as well. */
  #turn(): void {
    const vain = this.#vain + 1;
    this.#begin();
    this.#direction = this.#direction > 0 ? -1 : 1;
    this.#vain = vain;
    if (vain > 1) this.#hold = Math.min(MOST_HOLD, 2 ** (vain - 2));
  }

  #begin(): void {
    this.#factor = LEAST_FACTOR;
    this.#from = undefined;
    this.#heldRate = undefined;
    this.#vain = 0;
    this.#hold = 0;
  }

  /** Whether throughput has changed by itself. */
  #isOtherWorld(rate: number): boolean {
    this.#heldRate ??= rate;
    if (Math.abs(Math.log(rate / this.#heldRate)) < OTHER_WORLD) return false;
    this.#begin();
    return true;
  }
}
