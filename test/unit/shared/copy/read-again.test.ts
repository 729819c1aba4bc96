import { describe, expect, it } from 'vitest';
import type { FileCopy } from '../../../../shared/copy/file-copy.ts';
import { piecesOf, readAgain } from '../../../../shared/copy/read-again.ts';
import type { Joining } from '../../../../shared/copy/joining.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { type ChecksumLayout, ContentDigest } from '../../../../shared/storage/checksum.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { ByteRange, FileStatus } from '../../../../shared/storage/storage.ts';
import { errorOf, never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';

const MIB = 1024 ** 2;
const LENGTH = 300 * MIB + 5;
const layout = (blockBytes: ChecksumLayout['blockBytes'], bytesPerCrc = 512): ChecksumLayout => ({
  crc: 'CRC32C',
  bytesPerCrc,
  blockBytes,
});
const irregular = layout([MIB, 140 * MIB + 3, 7, 159 * MIB - 5]);
const layouts = [
  { what: 'blocks of one length', of: layout(64 * MIB) },
  { what: 'long blocks', of: layout(200 * MIB) },
  { what: 'blocks of any length', of: irregular },
  { what: 'stripes', of: { ...layout(20 * MIB), stripe: { cellBytes: MIB, dataUnits: 3 } } },
  { what: 'no blocks', of: layout(Infinity, Infinity) },
];

/** Bytes that differ from block to block. */
function* bytes({ offset, lengthBytes }: ByteRange): Generator<Uint8Array> {
  for (let at = offset; at < offset + lengthBytes;) {
    const end = Math.min(offset + lengthBytes, (Math.floor(at / MIB) + 1) * MIB);
    yield Buffer.alloc(end - at, Math.floor(at / MIB));
    at = end;
  }
}

/**
 * @param failAt  number of the read that fails
 * @param there  the file that stands there
 */
function file(failAt?: number, there?: () => FileStatus) {
  const reads: ByteRange[] = [];
  const kept = new Map<string, Map<number, string>>();
  const destination = decorated(new LocalDisk(65_536), {
    stat: () => Promise.resolve(there?.()),
    read: (_, range) => {
      reads.push(range);
      if (reads.length - 1 === failAt) return Promise.reject(new Error('cut off'));
      async function* body() {
        for (const piece of bytes(range)) yield await Promise.resolve(piece);
      }
      return Promise.resolve({ body: body(), cancel: () => undefined });
    },
  });
  const store = {
    piecesRead: (_: string, __: number, of: string) => Promise.resolve(new Map(kept.get(of))),
    keepPieceRead: (_: string, __: number, of: string, piece: number, blocks: string) => {
      kept.set(of, new Map([...(kept.get(of) ?? []), [piece, blocks]]));
      return Promise.resolve();
    },
  };
  const joining = {
    file: { context: { job: newJob() }, destination } as unknown as FileCopy,
    unit: { lengthBytes: LENGTH, split: { number: 0, chunkBytes: MIB } },
    store,
  } as unknown as Joining;
  return { reads, joining };
}

describe.each(layouts)('a file of $what', ({ of }) => {
  it('is cut into pieces that end where blocks do', () => {
    const pieces = piecesOf(of, LENGTH);
    expect(pieces.length).toBeGreaterThan(1);
    let at = 0;
    for (const { offset, lengthBytes } of pieces) {
      expect(offset).toBe(at);
      at += lengthBytes;
    }
    expect(at).toBe(LENGTH);
  });

  it('that is read again in pieces has the checksum of one that is read in one go', async () => {
    const digest = new ContentDigest([of]);
    for (const piece of bytes({ offset: 0, lengthBytes: LENGTH, fileBytes: LENGTH })) digest.update(piece);
    const { joining } = file();
    expect(await readAgain(joining, '/f', of, never)).toEqual(digest.checksum(of));
  });
});

it('a piece that was read is not read again by whoever goes on, in the same layout alone', async () => {
  const of = layout(64 * MIB);
  const { reads, joining } = file(1);
  expect(await errorOf(readAgain(joining, '/f', of, never))).toMatchObject({ message: 'cut off' });
  const before = reads.length;
  const checksum = await readAgain(joining, '/f', of, never);
  expect(reads.slice(before)).toHaveLength(piecesOf(of, LENGTH).length - 1);
  expect(await readAgain(joining, '/f', of, never)).toEqual(checksum);
  expect(reads.slice(before)).toHaveLength(piecesOf(of, LENGTH).length - 1);
  await readAgain(joining, '/f', layout(200 * MIB), never);
  expect(reads.length).toBeGreaterThan(before + piecesOf(of, LENGTH).length - 1);
});

it('a file of the same name that tells no inode, of another time, is read as a whole', async () => {
  const of = layout(64 * MIB);
  let modifiedAtMs = 1;
  const there = () => ({ kind: 'file', lengthBytes: LENGTH, modifiedAtMs }) as FileStatus;
  const { reads, joining } = file(undefined, there);
  await readAgain(joining, '/f', of, never);
  const pieces = piecesOf(of, LENGTH).length;
  expect(reads).toHaveLength(pieces);
  await readAgain(joining, '/f', of, never);
  expect(reads).toHaveLength(pieces);
  modifiedAtMs = 2;
  await readAgain(joining, '/f', of, never);
  expect(reads).toHaveLength(2 * pieces);
});

it('of a file of very many blocks each piece is kept, and fits into an item of a table', async () => {
  const of = layout(1024);
  const { reads, joining } = file(3);
  expect(await errorOf(readAgain(joining, '/f', of, never))).toMatchObject({ message: 'cut off' });
  const before = reads.length;
  const pieces = piecesOf(of, LENGTH);
  expect(Math.max(...pieces.map(({ lengthBytes }) => ((lengthBytes / 1024) * 16 * 4) / 3))).toBeLessThan(390_000);
  await readAgain(joining, '/f', of, never);
  expect(reads.length - before).toBeLessThanOrEqual(pieces.length - 2);
  expect(reads.length - before).toBeLessThan(pieces.length);
});
