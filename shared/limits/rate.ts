const SCALE = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
const PATTERN = /^(\d{1,15}(?:\.\d{1,6})?)(?:([KMGT])(?:iB?)?|B)?$/i;

/** Bytes a second, or no limit. */
export type Rate = number | 'off';

/**
 * A rate as a person writes it: `50M`, `1.5GiB`, `200000`, `off`. K, M, G and T are multiples of 1,024, as rclone's are; a number alone
 * is bytes.
 * @throws Error that says in words what is wrong
 */
export function parseRate(text: string): Rate {
  if (text.toLowerCase() === 'off') return 'off';
  if (/^[\d.]+[KMGT]B$/i.test(text)) {
    throw new Error(`"${text}": MB may be 1,000,000 or 1,048,576 bytes: write M or MiB for the latter, or bytes`);
  }
  const [, number = '', letter = ''] = PATTERN.exec(text) ?? [];
  if (number === '') throw new Error(`"${text}" is no rate: expected bytes a second such as 50M, or off`);
  const bytes = Math.round(Number(number) * SCALE[letter.toUpperCase() as keyof typeof SCALE]);
  if (bytes < 1) throw new Error(`"${text}": nothing could be copied at that rate; off means no limit`);
  return bytes;
}
