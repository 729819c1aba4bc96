import type { Lease } from './leases.ts';

/** What was not spent in time may be spent later as long as it is no more than the budget of this time, ms. */
const BURST_MS = 250;
/** Of one piece, so that pieces are small where the rate is low, and all transfers get some in turn, ms. */
const PIECE_MS = 20;
/** Of the first lease, before it is known how much is spent and who else spends, ms. */
const FIRST_MS = 10;
/** A copier asks for a lease about this often, ms: seldom enough that a thousand copiers make a hundred requests a second on one record. */
const TURN_MS = { each: 10, least: 1000, most: 10_000 };
/** The limit is looked at again at least this often while somebody waits, ms. */
const LOOK_EVERY_MS = 1000;

interface Waiter {
  left: number;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

interface Held {
  readonly startAtMs: number;
  readonly lastsMs: number;
  readonly amount: number;
  spent: number;
}

export interface BudgetProps {
  /** Units a second; undefined while there is no limit. Asked often: it must cost nothing. */
  readonly perSecond: () => number | undefined;
  readonly lease: (lastsMs: number, nowMs: number) => Promise<Lease>;
}

/**
 * So many units a second, bytes or requests, shared with other processes by leases. Whoever takes waits until they are due, first come
 * first served. A lease's units fall due evenly over its time; a change of the limit drops what is leased.
 */
export class Budget {
  readonly #props: BudgetProps;
  readonly #waiters: Waiter[] = [];
  #held: Held[] = [];
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;
  #heldPerMs: number | undefined;
  /** Spent since the last lease was asked for, and when that was. */
  #spent = 0;
  #askedAtMs = 0;
  /** Holders that spend, this one included; how many leases there were at the last own one. */
  #holders = 1;
  #count = 0;
  #waitedAtMs = -Infinity;

  constructor(props: BudgetProps) {
    this.#props = props;
  }

  /** The most that should be taken at once; Infinity while there is no limit. */
  get atOnce(): number {
    return Math.max(1, Math.floor(((this.#props.perSecond() ?? Infinity) / 1000) * PIECE_MS));
  }

  /** The limit, if somebody had to wait for it within the last `withinMs`. */
  boundWithin(withinMs: number): number | undefined {
    return Date.now() - this.#waitedAtMs <= withinMs ? this.#props.perSecond() : undefined;
  }

  /** @returns undefined where nobody has to wait. Rejects with the signal's reason, or with what kept a lease from being granted. */
  take(amount: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#waiters.length === 0) {
      const perMs = this.#perMs();
      if (perMs === undefined) return undefined;
      const wanted = { left: amount };
      if (this.#spend(wanted, perMs, Date.now()) === undefined) return undefined;
      return this.#wait(wanted.left, signal);
    }
    return this.#wait(amount, signal);
  }

  /** To be called when the limit may have changed. */
  look(): void {
    clearTimeout(this.#timer);
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      const nowMs = Date.now();
      const perMs = this.#perMs();
      const waitMs = perMs === undefined ? undefined : this.#spend(waiter, perMs, nowMs);
      if (waitMs !== undefined) {
        this.#waitedAtMs = nowMs;
        this.#timer = setTimeout(() => this.look(), Math.min(Math.ceil(waitMs), LOOK_EVERY_MS));
        return;
      }
      this.#waiters.shift();
      waiter.done();
    }
  }

  #wait(amount: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason as Error);
        this.look();
      };
      const over = () => signal.removeEventListener('abort', stop);
      const waiter: Waiter = {
        left: amount,
        done: () => (over(), resolve()),
        fail: (error) => (over(), reject(error)),
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      this.#waiters.push(waiter);
      if (this.#waiters.length === 1) this.look();
    });
  }

  #perMs(): number | undefined {
    const perSecond = this.#props.perSecond();
    const perMs = perSecond === undefined ? undefined : perSecond / 1000;
    if (perMs !== this.#heldPerMs) {
      this.#held = [];
      this.#heldPerMs = perMs;
    }
    return perMs;
  }

  /** Spends what is due of what is wanted. @returns undefined when that was all, or for how long to wait, ms */
  #spend(wanted: { left: number }, perMs: number, nowMs: number): number | undefined {
    for (;;) {
      const held = this.#held[0];
      if (!held) {
        void this.#ask(perMs, nowMs, wanted.left);
        return LOOK_EVERY_MS;
      }
      const due = held.amount * Math.min(1, Math.max(0, (nowMs - held.startAtMs) / held.lastsMs));
      held.spent = Math.max(held.spent, due - perMs * BURST_MS);
      const part = Math.min(wanted.left, held.amount - held.spent);
      const dueAtMs = held.startAtMs + ((held.spent + part) / held.amount) * held.lastsMs;
      // Half of the rest of a lease is time enough to get the next one.
      if (this.#held.length === 1 && held.spent + part > held.amount / 2) void this.#ask(perMs, nowMs, 0);
      if (dueAtMs > nowMs) return dueAtMs - nowMs;
      held.spent += part;
      this.#spent += part;
      wanted.left -= part;
      if (held.amount - held.spent < 1e-6) this.#held.shift();
      if (wanted.left < 1e-6) return undefined;
    }
  }

  /** Asks for what is likely to be spent in one turn, at most a fair share of the budget. */
  async #ask(perMs: number, nowMs: number, atLeast: number): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const turnMs = Math.min(TURN_MS.most, Math.max(TURN_MS.least, this.#holders * TURN_MS.each));
    const likely = Math.max(atLeast, 2 * (this.#spent / Math.max(1, nowMs - this.#askedAtMs)) * turnMs);
    const fair = (perMs * turnMs) / this.#holders;
    const amount = Math.max(1, Math.min(fair, Math.max(likely, perMs * FIRST_MS)));
    this.#spent = 0;
    this.#askedAtMs = nowMs;
    try {
      const lastsMs = amount / perMs;
      const { startAtMs, count } = await this.#props.lease(lastsMs, nowMs);
      this.#isAsking = false;
      if (this.#count > 0) this.#holders = Math.max(1, count - this.#count);
      this.#count = count;
      // One that was asked for under another limit is spent by nobody.
      if (perMs === this.#heldPerMs) this.#held.push({ startAtMs, lastsMs, amount, spent: 0 });
      this.look();
    } catch (error) {
      this.#isAsking = false;
      for (const waiter of this.#waiters.splice(0)) waiter.fail(error as Error);
    }
  }
}
