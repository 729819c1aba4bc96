import type { Storage } from '../storage/storage.ts';
import type { FileUnit } from './unit.ts';

/** Chunks and parts end where the blocks of both sides end; where those meet more seldom than this, only those of the destination. */
const LONGEST_STRIDE_BYTES = 4 * 1024 ** 3;

/** Length of a block, or group of blocks, of a source; 1 where its checksum is compared with nothing. */
export function readBytesOf(
  { blockBytes, stripe, encrypted }: Pick<FileUnit, 'blockBytes' | 'stripe' | 'encrypted'>,
  source: Pick<Storage, 'checksums'>,
): number {
  const isCompared = source.checksums !== undefined && !encrypted && blockBytes > 0;
  return isCompared ? blockBytes * (stripe?.dataUnits ?? 1) : 1;
}

/** Of what a piece of a file is a multiple that is digested by itself. */
export interface Stride {
  readonly strideBytes: number;
  readonly isAlignedToSource: boolean;
}

/**
 * @param readBytes  as `readBytesOf`
 * @param writtenBytes  of the new file
 */
export function strideOf(readBytes: number, writtenBytes: number): Stride {
  const both = leastCommonMultiple(readBytes, writtenBytes);
  const isAlignedToSource = both <= LONGEST_STRIDE_BYTES;
  return { strideBytes: isAlignedToSource ? both : writtenBytes, isAlignedToSource };
}

function leastCommonMultiple(a: number, b: number): number {
  let [greater, less] = [a, b];
  while (less > 0) [greater, less] = [less, greater % less];
  return (a / greater) * b;
}
