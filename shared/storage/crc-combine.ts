/** Polynomials without their highest bit, lowest power first. */
const polynomials = { CRC32: 0xedb88320, CRC32C: 0x82f63b78 } as const;

/** What appending bytes does to the bits of a CRC: the image of each bit. */
type Operator = Uint32Array;

/**
 * The CRC of two pieces of content, one after the other, from the CRC of each.
 * @param lengthBytes  of the second piece
 * @see https://github.com/madler/zlib/blob/v1.2.11/crc32.c crc32_combine_
 */
export function combinedCrc(
  kind: keyof typeof polynomials,
  first: number,
  second: number,
  lengthBytes: number,
): number {
  let combined = first;
  // One zero bit, and by squaring two, four, and a byte of them.
  let zeros = squared(squared(squared(oneZeroBit(polynomials[kind]))));
  for (let left = lengthBytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) combined = applied(zeros, combined);
    zeros = squared(zeros);
  }
  return (combined ^ second) >>> 0;
}

function oneZeroBit(polynomial: number): Operator {
  return Uint32Array.from({ length: 32 }, (_, bit) => (bit === 0 ? polynomial : 2 ** (bit - 1)));
}

function applied(operator: Operator, crc: number): number {
  let image = 0;
  for (let bit = 0; bit < 32; bit++) if ((crc >>> bit) & 1) image ^= operator[bit] ?? 0;
  return image >>> 0;
}

function squared(operator: Operator): Operator {
  return operator.map((image) => applied(operator, image));
}
