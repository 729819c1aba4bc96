const urgent = new WeakSet<AbortSignal>();

/** For taking a try back, ms. */
const CLEANUP_MS = 10_000;

/**
 * A signal for requests that must not wait for a turn: while they are not done a file is missing under its name, or what a try left stands
 * where it is not wanted. They count, so that others wait the longer.
 */
export function urgently(signal: AbortSignal): AbortSignal {
  if (urgent.has(signal)) return signal;
  const own = AbortSignal.any([signal]);
  urgent.add(own);
  return own;
}

/** A signal for taking back what was begun: urgent, and aborted by nothing but its own time, since what aborts a job is no reason to leave that. */
export function cleaningUp(limitMs = CLEANUP_MS): AbortSignal {
  return urgently(AbortSignal.timeout(limitMs));
}

/** Whether requests with this signal go ahead of those that wait. */
export function isUrgent(signal: AbortSignal): boolean {
  return urgent.has(signal);
}
