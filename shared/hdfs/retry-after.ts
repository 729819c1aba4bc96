/** For how long a server wants to be left alone, ms. Retry-After: seconds, or a date by the server's own clock. @see RFC 9110, 10.2.3 */
export function retryAfterMs(retryAfter: string | undefined, date: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const atMs = Date.parse(retryAfter);
  const nowMs = Date.parse(date ?? '') || Date.now();
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
