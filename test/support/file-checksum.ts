import { createHash } from 'node:crypto';

/** Reflected polynomials of the two CRCs that HDFS knows. */
const polynomials = { CRC32: 0xedb88320, CRC32C: 0x82f63b78 } as const;

/**
 * A file's MD5-of-MD5-of-CRC checksum by the book, bit by bit and all at once: slow, and nothing in common with the product's.
 *
 * @param blocks  lengths of the file's blocks in order, bytes
 * @returns the final MD5 in hex, without what GETFILECHECKSUM writes before it
 */
export function fileChecksum(
  content: Buffer,
  blocks: readonly number[],
  bytesPerCrc: number,
  crc: 'CRC32' | 'CRC32C',
): string {
  const md5s: Buffer[] = [];
  let at = 0;
  for (const length of blocks) {
    const block = content.subarray(at, at + length);
    at += length;
    const crcs: Buffer[] = [];
    for (let start = 0; start < block.length; start += bytesPerCrc) {
      const value = Buffer.alloc(4);
      value.writeUInt32BE(slowCrc(block.subarray(start, start + bytesPerCrc), polynomials[crc]));
      crcs.push(value);
    }
    md5s.push(md5(Buffer.concat(crcs)));
  }
  if (at !== content.length) throw new Error(`blocks of ${at} bytes for a file of ${content.length}`);
  // Hadoop hashes its whole buffer, which starts at 32 bytes and doubles.
  let capacity = 32;
  while (capacity < md5s.length * 16) capacity += capacity;
  const buffer = Buffer.alloc(capacity);
  for (const [index, value] of md5s.entries()) value.copy(buffer, index * 16);
  return md5(buffer).toString('hex');
}

/** Lengths of the blocks of a file that was written in one go. */
export function regularBlocks(lengthBytes: number, blockBytes: number): number[] {
  const blocks: number[] = [];
  for (let left = lengthBytes; left > 0; left -= blockBytes) blocks.push(Math.min(left, blockBytes));
  return blocks;
}

function slowCrc(bytes: Uint8Array, polynomial: number): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
  }
  return (remainder ^ 0xffffffff) >>> 0;
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}
