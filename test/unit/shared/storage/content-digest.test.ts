import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChecksumLayout, ContentDigest } from '../../../../shared/storage/checksum.ts';
import { fileChecksum, regularBlocks } from '../../../support/file-checksum.ts';
import { content } from '../../../support/odd-tree.ts';

const layout = (blockBytes: number | readonly number[], bytesPerCrc = 512): ChecksumLayout => ({
  crc: 'CRC32C',
  bytesPerCrc,
  blockBytes,
});

function digest(bytes: Uint8Array, of: ChecksumLayout) {
  const digest = new ContentDigest([of]);
  digest.update(bytes);
  return digest.checksum(of);
}

describe('ContentDigest', () => {
  it.each([
    { what: 'one byte', length: 1, block: 1024, algorithm: 'MD5-of-0MD5-of-512CRC32C' },
    { what: 'less than a chunk', length: 511, block: 1024, algorithm: 'MD5-of-0MD5-of-512CRC32C' },
    { what: 'a chunk', length: 512, block: 1024, algorithm: 'MD5-of-0MD5-of-512CRC32C' },
    { what: 'a chunk and a byte', length: 513, block: 1024, algorithm: 'MD5-of-0MD5-of-512CRC32C' },
    { what: 'exactly a block', length: 1024, block: 1024, algorithm: 'MD5-of-0MD5-of-512CRC32C' },
    { what: 'a block and a byte', length: 1025, block: 1024, algorithm: 'MD5-of-2MD5-of-512CRC32C' },
    { what: 'two blocks', length: 2048, block: 1024, algorithm: 'MD5-of-2MD5-of-512CRC32C' },
    {
      what: 'three blocks, which do not fill the padding',
      length: 3072,
      block: 1024,
      algorithm: 'MD5-of-2MD5-of-512CRC32C',
    },
    { what: 'five blocks with an odd tail', length: 4 * 1024 + 77, block: 1024, algorithm: 'MD5-of-2MD5-of-512CRC32C' },
    { what: 'blocks of one chunk', length: 5000, block: 512, algorithm: 'MD5-of-1MD5-of-512CRC32C' },
  ])('computes the checksum of $what', ({ length, block, algorithm }) => {
    const bytes = content('digest', length);
    const md5 = fileChecksum(bytes, regularBlocks(length, block), 512, 'CRC32C');
    const checksum = digest(bytes, layout(block));
    expect(checksum.algorithm).toBe(algorithm);
    expect(checksum.value.slice(24)).toBe(md5);
  });

  it('computes the checksum of blocks with more CRCs than it buffers', () => {
    const bytes = content('buffered', 300_001);
    const md5 = fileChecksum(bytes, regularBlocks(300_001, 131_072), 16, 'CRC32C');
    const checksum = digest(bytes, layout(131_072, 16));
    expect(checksum.algorithm).toBe('MD5-of-8192MD5-of-16CRC32C');
    expect(checksum.value.slice(24)).toBe(md5);
  });

  it('writes chunk size and CRCs per block before the MD5, as Hadoop does', () => {
    const { value } = digest(content('head', 10_000), layout(4096));
    expect(value.slice(0, 24)).toBe('00000200' + '0000000000000008');
    expect(value).toHaveLength(56);
  });

  it('gives an empty file the checksum that every cluster gives it', () => {
    const expected = {
      algorithm: 'MD5-of-0MD5-of-0CRC32',
      value: '000000000000000000000000' + '70bc8f4b72a86921468bf8e8441dce51',
    };
    expect(digest(new Uint8Array(), layout(1024))).toEqual(expected);
    expect(digest(new Uint8Array(), { ...layout(1024), crc: 'CRC32' })).toEqual(expected);
  });

  it('computes the older CRC32 too', () => {
    const bytes = content('old', 3000);
    const old: ChecksumLayout = { crc: 'CRC32', bytesPerCrc: 512, blockBytes: 1024 };
    const md5 = fileChecksum(bytes, regularBlocks(3000, 1024), 512, 'CRC32');
    expect(digest(bytes, old)).toEqual({
      algorithm: 'MD5-of-2MD5-of-512CRC32',
      value: expect.stringMatching(`${md5}$`) as string,
    });
  });

  it.each([
    { blocks: [700, 700] },
    { blocks: [1024, 1, 1024, 1024, 300] },
    { blocks: [512, 1024, 512] },
    { blocks: [1, 1, 1] },
    { blocks: [1300, 200] },
  ])('follows the real blocks of a file made by CONCAT or APPEND: $blocks', ({ blocks }) => {
    const length = blocks.reduce((sum, block) => sum + block, 0);
    const bytes = content('irregular', length);
    const md5 = fileChecksum(bytes, blocks, 512, 'CRC32C');
    expect(digest(bytes, layout(blocks)).value.slice(24)).toBe(md5);
  });

  it('gives the same whatever pieces the content comes in, in several layouts at once', () => {
    const pieces = fc.array(fc.nat(1500), { maxLength: 6, size: 'max' });
    const sizes = fc.record({ chunk: fc.constantFrom(1, 16, 256), chunks: fc.integer({ min: 1, max: 4 }) });
    const crcs = fc.constantFrom<'CRC32' | 'CRC32C'>('CRC32', 'CRC32C');
    fc.assert(
      fc.property(pieces, sizes, sizes, crcs, (lengths, first, second, crc) => {
        const parts = lengths.map((length, index) => content(`part ${index}`, length));
        const bytes = Buffer.concat(parts);
        const layouts = [first, second].map(({ chunk, chunks }): ChecksumLayout & { blockBytes: number } => ({
          crc,
          bytesPerCrc: chunk * 2,
          blockBytes: Math.max(1, chunk * 2 * chunks * (chunk < 256 ? 64 : 1)),
        }));
        const irregular: ChecksumLayout = { ...layout([100, 700]), crc };
        const digest = new ContentDigest([...layouts, irregular]);
        for (const part of parts) digest.update(part);
        for (const of of layouts) {
          if (bytes.length === 0) continue;
          const md5 = fileChecksum(bytes, regularBlocks(bytes.length, of.blockBytes), of.bytesPerCrc, crc);
          expect(digest.checksum(of).value.slice(24)).toBe(md5);
        }
        if (bytes.length > 800) {
          const md5 = fileChecksum(bytes, [100, 700, bytes.length - 800], 512, crc);
          expect(digest.checksum(irregular).value.slice(24)).toBe(md5);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('can be asked for the same checksum twice', () => {
    const of = layout(1024);
    const digest = new ContentDigest([of]);
    digest.update(content('twice', 2500));
    expect(digest.checksum(of)).toEqual(digest.checksum(of));
  });

  it('refuses a layout that it was not made for', () => {
    const digest = new ContentDigest([layout(1024)]);
    expect(() => digest.checksum(layout(2048))).toThrow('no digest was computed');
  });
});
