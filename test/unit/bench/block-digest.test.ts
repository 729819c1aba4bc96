import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BlockDigest } from '../../../bench/block-digest.ts';
import { ContentDigest, usualLayout } from '../../../shared/storage/checksum.ts';

const MIB = 1024 * 1024;
const blocks = [2 * MIB, 6 * MIB];
const layouts = blocks.map((blockBytes) => ({ ...usualLayout, blockBytes }));

describe('the digest of the floor', () => {
  it.each([1, 511, 512, 2 * MIB, 2 * MIB + 1, 6 * MIB, 13 * MIB + 77, 100 * MIB])(
    'is that of hdfs-fanout, of %i bytes in pieces of any length',
    (lengthBytes) => {
      const bytes = randomBytes(lengthBytes);
      const theirs = new ContentDigest(layouts);
      theirs.update(bytes);
      const ours = new BlockDigest(blocks);
      for (let at = 0, i = 0; at < lengthBytes; i++) {
        const end = Math.min(lengthBytes, at + ([1, 511, 513, 70_001, 262_144][i % 5] ?? 1));
        ours.update(bytes.subarray(at, end));
        at = end;
      }
      expect(ours.end()).toEqual(layouts.map((layout) => theirs.checksum(layout).value.slice(-32)));
    },
  );
});
