import { setTimeout as sleep } from 'node:timers/promises';

/** A stretch of a budget's time: what the budget allows in it is the holder's to spend from its beginning on. */
export interface Lease {
  /** Since the epoch. Not before all that was leased earlier has passed. */
  readonly startAtMs: number;
  /** How many leases of the budget were granted by now, this one included: between two of a holder's own, each other holder took its turn. */
  readonly count: number;
}

/**
 * Shares budgets among processes: each budget's time is handed out in stretches that do not overlap, first come first served, so that
 * however many spend it they spend no more than one could. A stretch that nobody spends is lost; nothing of a holder that dies has to be
 * taken back.
 */
export interface Leases {
  /**
   * One atomic change of the store.
   * @param budget  its name
   * @param nowMs  since the epoch
   */
  lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease>;
}

/** A budget that is leased further ahead than this was leased by a clock that was wrong, ms: it begins again. */
export const FARTHEST_MS = 300_000;

/** Leases for one process alone. */
export class OwnLeases implements Leases {
  readonly #leased = new Map<string, { endMs: number; count: number }>();

  lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease> {
    const { endMs, count } = this.#leased.get(budget) ?? { endMs: 0, count: 0 };
    const startAtMs = endMs > nowMs + FARTHEST_MS ? nowMs : Math.max(nowMs, endMs);
    this.#leased.set(budget, { endMs: startAtMs + lastsMs, count: count + 1 });
    return Promise.resolve({ startAtMs, count: count + 1 });
  }
}

/**
 * Leases for one of many holders that begin together: it asks for the first lease of each budget at a moment of its own.
 * @param withinMs  of its beginning
 * @param random  from 0 to 1
 */
export function spread(leases: Leases, withinMs: number, random = Math.random): Leases {
  const asked = new Set<string>();
  return {
    async lease(budget, lastsMs, nowMs) {
      if (asked.has(budget)) return leases.lease(budget, lastsMs, nowMs);
      asked.add(budget);
      const waitMs = random() * withinMs;
      await sleep(waitMs);
      return leases.lease(budget, lastsMs, nowMs + waitMs);
    },
  };
}
