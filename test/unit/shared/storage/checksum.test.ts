import { describe, expect, it } from 'vitest';
import {
  compareChecksums,
  isRegular,
  layoutOf,
  parseFileChecksum,
  proves,
  type RegularLayout,
  sameLayout,
  striped,
} from '../../../../shared/storage/checksum.ts';

const MD5 = 'fc6c0123456789abcdef0123456789a7';
const stored = (algorithm: string, value = `000002000000000000000800${MD5}`) => ({ algorithm, value });

describe('parseFileChecksum', () => {
  it('cuts the slack that WebHDFS sends after the stated length', () => {
    const bytes = `000002000000000000000800${MD5.toUpperCase()}00000000`;
    expect(parseFileChecksum({ algorithm: 'MD5-of-2048MD5-of-512CRC32C', bytes, length: 28 })).toEqual(
      stored('MD5-of-2048MD5-of-512CRC32C'),
    );
  });

  it('keeps the whole of a composite checksum', () => {
    const composite = { algorithm: 'COMPOSITE-CRC32C', bytes: 'ab4873f4', length: 4 };
    expect(parseFileChecksum(composite).value).toBe('ab4873f4');
  });
});

describe('layoutOf', () => {
  it.each([
    ['MD5-of-2048MD5-of-512CRC32C', { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 2048 * 512 }],
    ['MD5-of-0MD5-of-512CRC32', { crc: 'CRC32', bytesPerCrc: 512, blockBytes: Infinity }],
    ['COMPOSITE-CRC32C', { crc: 'CRC32C', bytesPerCrc: Infinity, blockBytes: Infinity }],
    ['COMPOSITE-CRC32', { crc: 'CRC32', bytesPerCrc: Infinity, blockBytes: Infinity }],
    // An empty file has no chunk, and so no size of one.
    ['MD5-of-0MD5-of-0CRC32', undefined],
    ['MD5-of-1MD5-of-512NULL', undefined],
  ])('takes the layout of %s from its name', (algorithm, layout) => {
    expect(layoutOf(stored(algorithm))).toEqual(layout);
  });
});

describe('compareChecksums', () => {
  it.each([
    ['the same value under the same name', 'MD5-of-2MD5-of-512CRC32C', 'aa', 'aa', 'equal'],
    ['another value under the same name', 'MD5-of-2MD5-of-512CRC32C', 'aa', 'bb', 'different'],
    ['another block size', 'MD5-of-4MD5-of-512CRC32C', 'aa', 'bb', 'not-comparable'],
    ['the same value under another name', 'COMPOSITE-CRC32C', 'aa', 'aa', 'not-comparable'],
  ])('settles %s', (_what, algorithm, a, b, expected) => {
    expect(compareChecksums(stored('MD5-of-2MD5-of-512CRC32C', a), stored(algorithm, b))).toBe(expected);
  });
});

describe('proves', () => {
  const computed = stored('MD5-of-1024MD5-of-512CRC32C', `000002000000000000000400${MD5}`);

  it.each([
    ['the same MD5 under another number of CRCs per block', 'MD5-of-2048MD5-of-512CRC32C', MD5, true],
    ['another MD5', 'MD5-of-1024MD5-of-512CRC32C', 'f'.repeat(32), false],
    ['the same MD5 of the other CRC', 'MD5-of-1024MD5-of-512CRC32', MD5, false],
    ['the same MD5 of other chunks', 'MD5-of-1024MD5-of-1024CRC32C', MD5, false],
    ['a checksum of another family', 'COMPOSITE-CRC32C', MD5, false],
  ])('judges %s', (_what, algorithm, md5, expected) => {
    expect(proves(stored(algorithm, `000002000000000000000400${md5}`), computed)).toBe(expected);
  });
});

describe('sameLayout', () => {
  const cells = (cellBytes: number, dataUnits: number) => ({ cellBytes, dataUnits });
  const layout = (blockBytes: number, bytesPerCrc = 512, crc: 'CRC32' | 'CRC32C' = 'CRC32C'): RegularLayout => ({
    crc,
    bytesPerCrc,
    blockBytes,
  });

  it.each([
    ['equal layouts', layout(1024), layout(1024), 5000, true],
    ['block sizes that differ, for several blocks', layout(1024), layout(2048), 1025, false],
    ['block sizes that differ, both of which hold the file', layout(1024), layout(2048), 1024, true],
    ['an unknown block size of a file of one block', layout(Infinity), layout(1024), 1024, true],
    ['an unknown block size of a longer file', layout(Infinity), layout(1024), 1025, false],
    ['other chunks', layout(1024), layout(1024, 256), 10, false],
    ['the other CRC', layout(1024), layout(1024, 512, 'CRC32'), 10, false],
    ['a file that is striped and one that is not', striped(layout(1024), cells(512, 2)), layout(1024), 10, false],
    ['other cells', striped(layout(1024), cells(512, 2)), striped(layout(1024), cells(1024, 2)), 10, false],
    [
      'other numbers of data blocks',
      striped(layout(1024), cells(512, 2)),
      striped(layout(1024), cells(512, 3)),
      10,
      false,
    ],
    [
      'stripes that fit in one group',
      striped(layout(1024), cells(512, 2)),
      striped(layout(4096), cells(512, 2)),
      2048,
      true,
    ],
    [
      'stripes of several groups',
      striped(layout(1024), cells(512, 2)),
      striped(layout(4096), cells(512, 2)),
      2049,
      false,
    ],
  ])('tells of %s', (_what, a, b, length, expected) => {
    expect(sameLayout(a, b, length)).toBe(expected);
    expect(sameLayout(b, a, length)).toBe(expected);
  });
});

describe('isRegular', () => {
  it.each([
    ['equal blocks', [1024, 1024], true],
    ['a short last block', [1024, 10], true],
    ['a single short block', [10], true],
    ['no block', [], true],
    ['a short block before the last', [700, 700], false],
    ['a last block that is too long', [1024, 2000], false],
  ])('knows %s', (_what, blocks, expected) => {
    expect(isRegular(blocks, { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 1024 })).toBe(expected);
    const stripe = { cellBytes: 512, dataUnits: 2 };
    expect(isRegular(blocks, { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 512, stripe })).toBe(expected);
  });
});
