import { crc32 } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContentDigest, layoutWith, type RegularLayout } from '../../../../shared/storage/checksum.ts';
import { addsUp, ChunkedDigest, digestedBlocks } from '../../../../shared/storage/chunked-digest.ts';
import { combinedCrc } from '../../../../shared/storage/crc-combine.ts';
import { content } from '../../../support/odd-tree.ts';

const layouts: readonly RegularLayout[] = [
  { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 1024 },
  { crc: 'CRC32', bytesPerCrc: 512, blockBytes: 2048 },
  { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 1024, stripe: { cellBytes: 512, dataUnits: 2 } },
  layoutWith({ crc: 'CRC32C', bytesPerCrc: Infinity }, 1024),
  layoutWith({ crc: 'CRC32', bytesPerCrc: Infinity }, 1024),
];

function digestOf(bytes: Uint8Array): ContentDigest {
  const digest = new ContentDigest(layouts);
  digest.update(bytes);
  return digest;
}

describe('the digests of chunks', () => {
  it('add up to the checksum of the file under every layout whose blocks they respect', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 4 }), (length, blocks) => {
        const bytes = content('added', length);
        const chunkBytes = blocks * 2048;
        const chunks = Array.from({ length: Math.ceil(length / chunkBytes) }, (_, chunk) => {
          const part = bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes);
          return { lengthBytes: part.length, blocks: digestedBlocks(digestOf(part), layouts) };
        });
        // As they come back from a job store.
        const added = new ChunkedDigest(JSON.parse(JSON.stringify(chunks)) as typeof chunks);
        for (const layout of layouts) {
          expect(added.has(layout)).toBe(true);
          expect(added.checksum(layout)).toEqual(digestOf(bytes).checksum(layout));
        }
      }),
    );
  });

  it('do not where a chunk ends within a block, but for a composite CRC', () => {
    const [plain, , striped, composite] = layouts as [RegularLayout, RegularLayout, RegularLayout, RegularLayout];
    expect([addsUp(plain, 1024), addsUp(plain, 1536)]).toEqual([true, false]);
    expect([addsUp(striped, 1024), addsUp(striped, 2048)]).toEqual([false, true]);
    expect(addsUp(composite, 1)).toBe(true);
  });

  it('of one chunk that lacks a layout are no digest of the file in it', () => {
    const [first, second] = layouts as [RegularLayout, RegularLayout];
    const both = { lengthBytes: 1024, blocks: digestedBlocks(digestOf(content('a', 1024)), [first, second]) };
    const one = { lengthBytes: 1024, blocks: digestedBlocks(digestOf(content('b', 1024)), [first]) };
    const digest = new ChunkedDigest([both, one]);
    expect([digest.has(first), digest.has(second)]).toEqual([true, false]);
  });
});

describe('the CRCs of two pieces', () => {
  it.each([
    { kind: 'CRC32', crc: (bytes: Uint8Array) => crc32(bytes) },
    { kind: 'CRC32C', crc: (bytes: Uint8Array) => crc32c(bytes) },
  ] as const)('give that of both, as $kind', ({ kind, crc }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        expect(combinedCrc(kind, crc(a), crc(b), b.length)).toBe(crc(Buffer.concat([a, b])));
      }),
    );
  });
});
