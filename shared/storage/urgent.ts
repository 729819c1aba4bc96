const urgent = new WeakSet<AbortSignal>();

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

/** Whether requests with this signal go ahead of those that wait. */
export function isUrgent(signal: AbortSignal): boolean {
  return urgent.has(signal);
}
