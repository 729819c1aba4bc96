const SCALE_MS = { '': 1000, s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 86_400_000;

/**
 * A duration as a person writes it: `180`, `90s`, `3m`, `1.5h`, `off`. A number alone is seconds, and zero is as `off`.
 * @returns ms
 * @throws Error that says in words what is wrong
 */
export function parseDuration(text: string): number | 'off' {
  if (text.toLowerCase() === 'off') return 'off';
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([smh]?)$/i.exec(text) ?? [];
  if (number === '') throw new Error(`"${text}" is no duration: expected seconds, 90s, 3m, 1h, or off`);
  const ms = Math.round(Number(number) * SCALE_MS[unit.toLowerCase() as keyof typeof SCALE_MS]);
  if (ms > LONGEST_MS) throw new Error(`"${text}" is longer than a day: off means without end`);
  return ms === 0 ? 'off' : ms;
}
