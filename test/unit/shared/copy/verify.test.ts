import { describe, expect, it } from 'vitest';
import { verify } from '../../../../shared/copy/verify.ts';
import { ContentDigest, type FileChecksum, usualLayout } from '../../../../shared/storage/checksum.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { errorOf, never, pieces } from '../../../support/files.ts';
import { content } from '../../../support/odd-tree.ts';
import { status } from '../../../support/statuses.ts';

const LENGTH = 100_000;
const bytes = content('the source', LENGTH);
const flipped = Buffer.from(bytes);
flipped[70_000] = (flipped[70_000] ?? 0) ^ 1;
const modifiedAtMs = 1000;

function checksumOf(of: Buffer): FileChecksum {
  const digest = new ContentDigest([usualLayout]);
  digest.update(of);
  return digest.checksum(usualLayout);
}

/** A storage that holds one file and keeps this checksum of it, and how often it was read. */
function holding(file: Buffer, stored: FileChecksum | undefined) {
  const reads = { count: 0 };
  const storage = {
    stat: () => Promise.resolve(status({ lengthBytes: LENGTH, modifiedAtMs })),
    read: () => {
      reads.count += 1;
      return Promise.resolve({ body: pieces(file), cancel: () => undefined });
    },
    checksums: {
      stored: () => Promise.resolve(stored),
      blockLengths: () => Promise.resolve(undefined),
      expectedLayouts: () => Promise.resolve([usualLayout]),
    },
  } as unknown as Storage;
  return { storage, reads };
}

/** A copy of which no byte was digested on its way. */
function undigested(source: ReturnType<typeof holding>, written: ReturnType<typeof holding>) {
  const layouts = { sourceLayouts: [usualLayout], writtenLayouts: [usualLayout] } as const;
  const file = { path: '/file', lengthBytes: LENGTH, near: undefined };
  const ends = {
    source: { ...file, storage: source.storage, modifiedAtMs, encrypted: false },
    written: { ...file, storage: written.storage },
  };
  return { ...ends, ...layouts, digest: undefined, layoutsNow: () => Promise.resolve(layouts) };
}

describe('a copy of which no byte was digested on its way', () => {
  it('is proved by equal stored checksums, and nothing is read', async () => {
    const [source, written] = [holding(bytes, checksumOf(bytes)), holding(bytes, checksumOf(bytes))];
    expect(await verify(undigested(source, written), 'checksum', never)).toBe('checksum');
    expect([source.reads.count, written.reads.count]).toEqual([0, 0]);
  });

  it.each([
    ['both keep checksums', checksumOf(bytes), checksumOf(flipped)],
    ['the source keeps none', undefined, checksumOf(flipped)],
    ['the source keeps one of a kind that is not known', { algorithm: 'SUM-of-all', value: '00' }, checksumOf(flipped)],
    ['the destination keeps none', checksumOf(bytes), undefined],
    ['neither keeps one', undefined, undefined],
  ])('is refused where a bit has changed and %s', async (_what, ofSource, ofWritten) => {
    const copy = undigested(holding(bytes, ofSource), holding(flipped, ofWritten));
    expect(await errorOf(verify(copy, 'checksum', never))).toMatchObject({ name: 'IntegrityError' });
  });

  it.each([
    ['the source keeps no checksum', undefined, checksumOf(bytes), [1, 1]],
    ['the destination keeps none, or one of its ciphertext', checksumOf(bytes), undefined, [0, 1]],
    ['neither keeps one', undefined, undefined, [1, 2]],
  ])('reaches read-back where %s', async (_what, ofSource, ofWritten, reads) => {
    const [source, written] = [holding(bytes, ofSource), holding(bytes, ofWritten)];
    expect(await verify(undigested(source, written), 'checksum', never)).toBe('read-back');
    expect([source.reads.count, written.reads.count]).toEqual(reads);
  });
});
