import { setTimeout as sleep } from 'node:timers/promises';

/** How often and for how long something is tried. Both budgets hold: the first that is used up ends the retrying, but not before the least number of tries. */
export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Tries that no lack of time takes away. Default: 1. */
  readonly leastAttempts?: number;
  /** From the first try, or from the last progress, to the last start of one, in ms. */
  readonly totalMs: number;
  /** Upper bound of the first wait, in ms; doubles with each try. */
  readonly baseMs: number;
  /** Upper bound of any wait, in ms. */
  readonly capMs: number;
}

/**
 * What to do after a failed try: try at once, whatever the budget says (elsewhere, where nobody has been asked yet); wait the usual time;
 * wait the longest time (a server in safe mode); wait as long as the server said, or to the end of the budget; or give up.
 */
export type Again = 'now' | 'soon' | 'late' | 'no' | { readonly afterMs: number };

/**
 * Full jitter: a random wait between zero and the exponential bound, so that many copiers do not come back at once.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function delayMs(policy: RetryPolicy, failures: number, again: 'soon' | 'late', random = Math.random): number {
  const bound = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
  return again === 'late' ? policy.capMs : random() * bound;
}

/**
 * Runs `attempt` until it succeeds, `classify` says no, a budget is used up, or `signal` aborts.
 * The attempt makes everything anew, its body included: a spent stream is never sent again.
 *
 * @param attempt  receives its number from 0
 * @param progressedAtMs  when bytes last moved (performance.now()): what takes long and comes on does not use the budget up
 * @throws the last attempt's error, or the signal's reason
 */
export async function retry<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  classify: (error: unknown) => Again,
  attempt: (number: number) => Promise<T>,
  progressedAtMs: () => number = () => 0,
): Promise<T> {
  const startedAtMs = performance.now();
  for (let failures = 0; ;) {
    signal.throwIfAborted();
    try {
      return await attempt(failures);
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      const again = classify(error);
      if (again === 'no' || failures >= policy.attempts) throw error;
      if (again === 'now') continue;
      const leftMs = policy.totalMs - (performance.now() - Math.max(startedAtMs, progressedAtMs()));
      const waitMs =
        typeof again === 'object'
          ? Math.min(again.afterMs + Math.random() * policy.baseMs, Math.max(0, leftMs))
          : delayMs(policy, failures, again);
      if (failures >= (policy.leastAttempts ?? 1) && (leftMs <= 0 || waitMs > leftMs)) throw error;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
