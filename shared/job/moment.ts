import { messageOf, SpecError } from '../errors.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const AGO = /^(\d{1,9})([smhdw])$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?<zone>Z|[+-]\d{2}:\d{2})?)?$/;
/** Of the years that have four digits, as a kept job must have them: nothing is older, and nothing newer. */
const [EARLIEST_MS, LATEST_MS] = [Date.parse('0000-01-01T00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

/**
 * A moment as a person writes it, ms since the epoch: `7d` (also s, m, h, w) before another one, `2024-01-31`, `2024-01-31T18:00`,
 * `2024-01-31T18:00:00+01:00`. Without a zone it is UTC, so that it means the same on every machine. One before the year 0 is the begin of
 * that year, so that what is kept as an ISO date is a moment again.
 *
 * @param fromMs  what `7d` is counted back from
 * @throws SpecError
 */
export function momentOf(text: string, fromMs: number): number {
  const [, count, unit] = AGO.exec(text) ?? [];
  if (count !== undefined) return within(fromMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  const date = DATE.exec(text);
  const zone = text.length > 10 && date?.groups?.['zone'] === undefined ? 'Z' : '';
  const atMs = date ? Date.parse(text.replace(' ', 'T') + zone) : NaN;
  // JavaScript takes the 31st of a month that has none for the first of the next one.
  const isDay =
    Number.isFinite(atMs) && new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10));
  if (isDay) return within(atMs);
  throw new SpecError(`"${text}" is no time`, 'write 7d, 2024-01-31 or 2024-01-31T18:00Z');
}

function within(atMs: number): number {
  return Math.min(Math.max(atMs, EARLIEST_MS), LATEST_MS);
}

/** What is wrong with a moment, in one line; undefined when it is one. */
export function faultInMoment(text: string): string | undefined {
  try {
    momentOf(text, 0);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
