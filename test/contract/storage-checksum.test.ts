import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ContentDigest, type ChecksumLayout, proves } from '../../shared/storage/checksum.ts';
import { fileChecksum, regularBlocks } from '../support/file-checksum.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { errorOf, never, put } from '../support/files.ts';
import { complete, type OpenStorage, storages } from '../support/storages.ts';

const MIB = 1024 * 1024;
const lengths = [0, 1, 511, 512, 513, 1024, 1025, 4096, 10_240, 15_377];
const blockSizes = [512, 1024, 1536, 4096, MIB];

function digest(bytes: Buffer, layout: ChecksumLayout) {
  const digest = new ContentDigest([layout]);
  digest.update(bytes);
  return digest.checksum(layout);
}

/** Stored checksums and blocks are HDFS's: a storage without them has nothing to be checked here. */
describe.each(storages.filter(({ keepsHadoopAttributes }) => keepsHadoopAttributes))(
  '$name: checksums and blocks',
  ({ open }) => {
    let opened: OpenStorage;
    const hdfs = new TestHdfs(inject('bed').a);
    beforeAll(async () => {
      opened = await open('checksum');
    });
    afterAll(() => opened[Symbol.asyncDispose]());

    const regular = (blockBytes: number): ChecksumLayout => ({ crc: 'CRC32C', bytesPerCrc: 512, blockBytes });

    it.each(blockSizes.flatMap((blockBytes) => lengths.map((length) => ({ length, blockBytes }))))(
      'stores for $length bytes in blocks of $blockBytes what is computed from the content',
      async ({ length, blockBytes }) => {
        const { fs, root } = complete(opened);
        const path = `${root}/${length} in ${blockBytes}`;
        const bytes = content(path, length);
        const { near } = await put(fs, path, bytes, { blockBytes });
        const stored = await fs.checksums.stored(path, never);
        expect(stored).toEqual(digest(bytes, regular(blockBytes)));
        expect(await fs.checksums.stored(path, never, near)).toEqual(stored);
        const slow = fileChecksum(bytes, regularBlocks(length, blockBytes), 512, 'CRC32C');
        expect(stored?.value.slice(-32)).toBe(slow);
        expect(await fs.checksums.blockLengths(path, length, never)).toEqual(regularBlocks(length, blockBytes));
      },
    );

    it('expects new files in the layout that they then have', async () => {
      const { fs, root } = complete(opened);
      const [expected] = await fs.checksums.expectedLayouts(`${root}/new`, undefined, never);
      expect(expected).toEqual({ crc: 'CRC32C', bytesPerCrc: 512, blockBytes: MIB });
      const bytes = content('new', MIB + 100);
      await put(fs, `${root}/new`, bytes);
      expect(await fs.checksums.stored(`${root}/new`, never)).toEqual(digest(bytes, expected));
      expect(await fs.checksums.expectedLayouts(`${root}/new`, 2048, never)).toEqual([regular(2048)]);
    });

    it.each([
      ['short inner blocks', [700, 700, 100]],
      ['a full block and short ones', [1024, 1, 600]],
      ['parts of several blocks', [2048 + 300, 1024, 10]],
    ])('proves a file made by CONCAT, with %s, from its real blocks', async (what, parts) => {
      const { fs, root } = complete(opened);
      const directory = `${root}/${what}`;
      const pieces = parts.map((length, index) => content(`${what} ${index}`, length));
      for (const [index, piece] of pieces.entries()) {
        await put(fs, `${directory}/${index}`, piece, { blockBytes: 1024 });
      }
      await hdfs.concat(
        `${directory}/0`,
        parts.slice(1).map((_, index) => `${directory}/${index + 1}`),
      );
      const whole = Buffer.concat(pieces);
      const blocks = await fs.checksums.blockLengths(`${directory}/0`, whole.length, never);
      expect(blocks).toEqual(parts.flatMap((length) => regularBlocks(length, 1024)));
      const stored = await fs.checksums.stored(`${directory}/0`, never);
      if (!stored || !blocks) throw new Error('nothing is stored');
      expect(proves(stored, digest(whole, regular(1024)))).toBe(false);
      expect(proves(stored, digest(whole, { ...regular(1024), blockBytes: blocks }))).toBe(true);
    });

    it('proves a file that has grown by APPEND', async () => {
      const { fs, root } = complete(opened);
      const [first, second] = [content('first', 700), content('second', 700)];
      await put(fs, `${root}/appended`, first, { blockBytes: 1024 });
      await hdfs.append(`${root}/appended`, second);
      const stored = await fs.checksums.stored(`${root}/appended`, never);
      const blocks = await fs.checksums.blockLengths(`${root}/appended`, 1400, never);
      if (!stored || !blocks) throw new Error('nothing is stored');
      expect(blocks.reduce((sum, length) => sum + length, 0)).toBe(1400);
      const whole = Buffer.concat([first, second]);
      expect(proves(stored, digest(whole, { ...regular(1024), blockBytes: blocks }))).toBe(true);
      expect(proves(stored, digest(content('other', 1400), { ...regular(1024), blockBytes: blocks }))).toBe(false);
    });

    it.each([
      ['a file that is missing', 'missing'],
      ['a directory', 'directory'],
    ])('says not-found when asked for the checksum of %s', async (_what, name) => {
      const { fs, root } = complete(opened);
      await fs.makeDirectory(`${root}/directory`, undefined, never);
      expect(await errorOf(fs.checksums.stored(`${root}/${name}`, never))).toMatchObject({
        name: 'StorageError',
        code: 'not-found',
        disposition: 'fail-unit',
      });
    });
  },
);
