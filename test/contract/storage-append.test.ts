import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { content } from '../support/odd-tree.ts';
import { errorOf, get, never, pieces, put } from '../support/files.ts';
import { type OpenStorage, storages } from '../support/storages.ts';

const BLOCK = 1024 * 1024;

describe.each(storages.filter(({ keepsHadoopAttributes }) => keepsHadoopAttributes))(
  '$name: append and truncate',
  ({ open }) => {
    let opened: OpenStorage;
    beforeAll(async () => {
      opened = await open('append');
    });
    afterAll(() => opened[Symbol.asyncDispose]());

    const appending = () => {
      const { appending: offered } = opened.fs;
      if (!offered) throw new Error('it does not append');
      return offered;
    };

    it('adds to an empty file, then to what that left, and the blocks stay regular', async () => {
      const { fs, root } = opened;
      const path = `${root}/grown`;
      const bytes = content('grown', 3 * BLOCK + 700);
      await put(fs, path, '', { blockBytes: BLOCK });
      const before = await fs.stat(path, never);
      for (const [from, to] of [
        [0, 2 * BLOCK],
        [2 * BLOCK, 3 * BLOCK],
        [3 * BLOCK, bytes.length],
      ] as const) {
        await appending().append(path, pieces(bytes.subarray(from, to)), to - from, never);
      }
      expect((await get(fs, path, bytes.length)).equals(bytes)).toBe(true);
      expect((await fs.stat(path, never))?.fileId).toBe(before?.fileId);
      const lengths = await fs.checksums?.blockLengths(path, bytes.length, never);
      expect(lengths ?? [BLOCK, BLOCK, BLOCK, 700]).toEqual([BLOCK, BLOCK, BLOCK, 700]);
      expect(appending().refusal(path)).toBeUndefined();
    });

    it('cuts a file at the end of a block at once', async () => {
      const { fs, root } = opened;
      const path = `${root}/cut`;
      const bytes = content('cut', 2 * BLOCK + 5);
      await put(fs, path, bytes, { blockBytes: BLOCK });
      expect(await appending().truncate(path, BLOCK, never)).toBe(true);
      expect(await fs.closedLength?.(path, never)).toBe(BLOCK);
      expect((await get(fs, path, BLOCK)).equals(bytes.subarray(0, BLOCK))).toBe(true);
      expect(await appending().truncate(path, BLOCK, never)).toBe(true);
    });

    it('finds no file to add to, or to cut', async () => {
      const { root } = opened;
      const adding = appending().append(`${root}/absent`, pieces(Buffer.from('x')), 1, never);
      expect(await errorOf(adding)).toMatchObject({ code: 'not-found' });
      // HttpFS passes the refusal on without its class.
      const cutting = await errorOf(appending().truncate(`${root}/absent`, 0, never));
      expect(cutting).toMatchObject({ reason: expect.stringContaining('File does not exist') as string });
      expect(await opened.fs.stat(`${root}/absent`, never)).toBeUndefined();
    });
  },
);
