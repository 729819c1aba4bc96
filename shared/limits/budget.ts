import { FanoutError, messageOf } from '../errors.ts';
import { FARTHEST_MS, type Lease } from './leases.ts';

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
/** For how long a lease is asked for that the store cannot grant, and how long is waited between, ms: as long as a store is unreachable or throttled for a moment. */
const ASKED_FOR_MS = 300_000;
const ASK_AGAIN_MS = { first: 200, longest: 5000 };

interface Waiter {
  left: number;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
  /** Of what was spent ahead of its turn: nobody waits for it. */
  readonly isDebt?: true;
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

/** No lease of a limit was granted for so long that the job cannot keep to it. */
class NotLeasedError extends FanoutError {
  override readonly name = 'NotLeasedError';
  constructor(error: unknown) {
    const reason = `the job's limits cannot be shared: its records gave no lease for ${ASKED_FOR_MS / 1000} s: ${messageOf(error)}`;
    super(reason, { disposition: 'fail-job', remedy: 'mend the cause and go on with the job', cause: error });
  }
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
  /** Time in which somebody waited, before that which began at the second. */
  #waitedMs = 0;
  #waitingSinceMs: number | undefined;

  constructor(props: BudgetProps) {
    this.#props = props;
  }

  /** The most that should be taken at once; Infinity while there is no limit. */
  get atOnce(): number {
    return Math.max(1, Math.floor(((this.#props.perSecond() ?? Infinity) / 1000) * PIECE_MS));
  }

  /** The limit, if somebody had to wait for it within the last `withinMs`. */
  boundWithin(withinMs: number): number | undefined {
    return performance.now() - this.#waitedAtMs <= withinMs ? this.#props.perSecond() : undefined;
  }

  /** For how long somebody has waited in all, ms. */
  get waitedMs(): number {
    return this.#waitedMs + (this.#waitingSinceMs === undefined ? 0 : performance.now() - this.#waitingSinceMs);
  }

  /** Spends ahead of all who wait, who wait the longer for it. */
  spendAtOnce(amount: number): void {
    if (this.#perMs() === undefined) return;
    const nothing = () => undefined;
    this.#waiters.unshift({ left: amount, done: nothing, fail: nothing, isDebt: true });
    this.look();
  }

  /** @returns undefined where nobody has to wait. Rejects with the signal's reason, or with what kept a lease from being granted for long. */
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
    this.#serve();
    this.#noteWaiting();
  }

  #serve(): void {
    clearTimeout(this.#timer);
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      const nowMs = Date.now();
      const perMs = this.#perMs();
      const waitMs = perMs === undefined ? undefined : this.#spend(waiter, perMs, nowMs);
      if (waitMs !== undefined) {
        this.#waitedAtMs = performance.now();
        this.#timer = setTimeout(() => this.look(), Math.min(Math.ceil(waitMs), LOOK_EVERY_MS));
        // A debt that nobody waits behind keeps no process alive.
        if (this.#waiters.every(({ isDebt }) => isDebt)) this.#timer.unref();
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
      const isFirst = this.#waiters.every(({ isDebt }) => isDebt);
      this.#waiters.push(waiter);
      this.#noteWaiting();
      if (isFirst) this.look();
    });
  }

  #noteWaiting(): void {
    const isWaiting = this.#waiters.some(({ isDebt }) => !isDebt);
    if (isWaiting === (this.#waitingSinceMs !== undefined)) return;
    this.#waitedMs = this.waitedMs;
    this.#waitingSinceMs = isWaiting ? performance.now() : undefined;
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
      // The clock was set back since.
      if (held.startAtMs > nowMs + FARTHEST_MS) {
        this.#held.shift();
        continue;
      }
      const due = held.amount * Math.min(1, Math.max(0, (nowMs - held.startAtMs) / held.lastsMs));
      // What somebody waits for is not lost by the time that passes meanwhile: at a low rate one request is more than a burst.
      held.spent = Math.max(held.spent, due - Math.max(perMs * BURST_MS, 1, wanted.left));
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
      const { startAtMs, count } = await this.#leased(lastsMs);
      this.#isAsking = false;
      if (this.#count > 0) this.#holders = Math.max(1, count - this.#count);
      this.#count = count;
      // One that was asked for under another limit is spent by nobody.
      if (perMs === this.#heldPerMs) this.#held.push({ startAtMs, lastsMs, amount, spent: 0 });
      this.look();
    } catch (error) {
      this.#isAsking = false;
      for (const waiter of this.#waiters.splice(0)) waiter.fail(error as Error);
      this.#noteWaiting();
    }
  }

  /** Asks until a lease is granted: all wait meanwhile, and nobody fails because the store is busy for a moment. */
  async #leased(lastsMs: number): Promise<Lease> {
    const startedAtMs = performance.now();
    for (let waitMs = ASK_AGAIN_MS.first; ; waitMs = Math.min(2 * waitMs, ASK_AGAIN_MS.longest)) {
      try {
        return await this.#props.lease(lastsMs, Date.now());
      } catch (error) {
        if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
        if (performance.now() - startedAtMs >= ASKED_FOR_MS) throw new NotLeasedError(error);
      }
      await new Promise<void>((go) => setTimeout(go, waitMs * (0.5 + Math.random() / 2)));
    }
  }
}
