const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
/** From here on a number would be written with four digits before its point. */
const NEXT_UNIT = 999.95;

/** A size for a person: `999 B`, `1.0 KiB`, `12.3 GiB`, `-1.5 TiB`. At most nine characters for one between 0 and 1000 EiB. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; Math.abs(value) >= NEXT_UNIT && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
