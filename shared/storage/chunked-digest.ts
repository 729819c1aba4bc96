import {
  type ChecksumLayout,
  checksumOfBlocks,
  type ContentDigest,
  type FileChecksum,
  isComposite,
  keyOf,
  type RegularLayout,
} from './checksum.ts';
import { combinedCrc } from './crc-combine.ts';

/** What was digested of one chunk: `ContentDigest.blocks` in base64, by layout. */
export interface DigestedChunk {
  readonly lengthBytes: number;
  readonly blocks: Readonly<Record<string, string>>;
}

/** Whether the digests of chunks of this length add up to that of a file: the chunks end where blocks end, or there are no blocks. */
export function addsUp(layout: RegularLayout, chunkBytes: number): boolean {
  return isComposite(layout) || chunkBytes % (layout.blockBytes * (layout.stripe?.dataUnits ?? 1)) === 0;
}

export function digestedBlocks(digest: ContentDigest, layouts: readonly RegularLayout[]): DigestedChunk['blocks'] {
  return Object.fromEntries(layouts.map((layout) => [keyOf(layout), digest.blocks(layout).toString('base64')]));
}

/** The checksums of a file of which each chunk was digested by itself. */
export class ChunkedDigest {
  readonly #chunks: readonly DigestedChunk[];

  /** @param chunks  in order */
  constructor(chunks: readonly DigestedChunk[]) {
    this.#chunks = chunks;
  }

  /** Whether every chunk was digested in the layout. */
  has(layout: ChecksumLayout): boolean {
    return this.#chunks.every(({ blocks }) => blocks[keyOf(layout)] !== undefined);
  }

  checksum(layout: ChecksumLayout): FileChecksum {
    const digests = this.#chunks.map(({ lengthBytes, blocks }) => ({
      lengthBytes,
      bytes: Buffer.from(blocks[keyOf(layout)] ?? '', 'base64'),
    }));
    const lengthBytes = digests.reduce((sum, chunk) => sum + chunk.lengthBytes, 0);
    if (!isComposite(layout)) {
      return checksumOfBlocks(layout, Buffer.concat(digests.map(({ bytes }) => bytes)), lengthBytes);
    }
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(
      digests.reduce((sum, chunk) => combinedCrc(layout.crc, sum, chunk.bytes.readUInt32BE(), chunk.lengthBytes), 0),
    );
    return checksumOfBlocks(layout, crc, lengthBytes);
  }
}
