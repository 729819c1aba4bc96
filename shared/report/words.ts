import { bytesText } from '../bytes.ts';

/** How figures are written on the page. */
export const number = (value: number): string => Math.round(value).toLocaleString('en-US');

export const rate = (bytesPerSecond: number): string => `${bytesText(bytesPerSecond)}/s`;

/** `85 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (hours < 1) return two(minutes, 'min', seconds % 60, 's');
  if (days < 1) return two(hours, 'h', minutes % 60, 'min');
  return two(days, 'd', hours % 24, 'h');
}

/** `2026-11-28 00:41:08 UTC` */
export function moment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `12.4 %`; never 0 of something, nor all of less. */
export function share(part: number, whole: number): string {
  if (whole <= 0) return '';
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return '< 0.1 %';
  if (part < whole && percent > 99.9) return '> 99.9 %';
  return `${percent.toFixed(1).replace(/\.0$/, '')} %`;
}

/** `1 file`, `2 files` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function two(value: number, unit: string, rest: number, of: string): string {
  return rest === 0 ? `${value} ${unit}` : `${value} ${unit} ${rest} ${of}`;
}
