import { createHash } from 'node:crypto';
import { forEach } from '../for-each.ts';
import { type ChecksumLayout, ContentDigest, type FileChecksum, keyOf } from '../storage/checksum.ts';
import { ChunkedDigest } from '../storage/chunked-digest.ts';
import type { Joining } from './joining.ts';

/** Bytes of a piece at least, unless a block is longer: what the slowest limit lets through long before a copier's time is over. */
const PIECE_BYTES = 128 * 1024 * 1024;
/** Pieces that are read at once. */
const AT_ONCE = 2;
/** Blocks of a piece at most: what is kept of it, 16 bytes for each in base64, goes into an item of a table (400 KB). */
const PIECE_BLOCKS = 12_000;

/** A range of a file that begins and ends where blocks do. */
interface Piece {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly layout: ChecksumLayout;
}

/**
 * Reads a file that was put together once more, and computes its checksum in a layout that its chunks were not digested in. Each piece that was
 * read is kept, so that whoever is cut off goes on there.
 *
 * @throws SourceChangedError when the file has another length by now
 */
export async function readAgain(
  { file, unit, store }: Joining,
  path: string,
  layout: ChecksumLayout,
  signal: AbortSignal,
): Promise<FileChecksum> {
  const { context, destination } = file;
  const { lengthBytes, split } = unit;
  const { job } = context;
  const there = await destination.stat(path, signal);
  // Where the server tells no inodes the time of its last change, which CONCAT sets, tells another file of the same name.
  const of = createHash('sha256')
    .update([path, there?.fileId, there?.modifiedAtMs, lengthBytes, keyOf(layout)].join())
    .digest('hex');
  const blocks = await store.piecesRead(job.id, split.number, of);
  const pieces = piecesOf(layout, lengthBytes);
  const left = [...pieces.entries()].filter(([number]) => !blocks.has(number));
  await forEach(left, AT_ONCE, signal, async ([number, piece], both) => {
    const digest = new ContentDigest([piece.layout]);
    const range = { offset: piece.offset, lengthBytes: piece.lengthBytes, fileBytes: lengthBytes };
    const { body } = await destination.read(path, range, both);
    for await (const bytes of body) digest.update(bytes);
    const digested = digest.blocks(piece.layout).toString('base64');
    blocks.set(number, digested);
    await store.keepPieceRead(job.id, split.number, of, number, digested);
  });
  const digested = pieces.map((piece, number) => ({
    lengthBytes: piece.lengthBytes,
    blocks: { [keyOf(layout)]: blocks.get(number) ?? '' },
  }));
  return new ChunkedDigest(digested).checksum(layout);
}

/** Cuts a file into pieces of whole blocks. */
export function piecesOf(layout: ChecksumLayout, fileBytes: number): Piece[] {
  const pieces: Piece[] = [];
  let lengths: number[] = [];
  let lengthBytes = 0;
  let offset = 0;
  for (const block of blockLengths(layout, fileBytes)) {
    lengths.push(block);
    lengthBytes += block;
    const isFull = lengthBytes >= PIECE_BYTES || lengths.length >= PIECE_BLOCKS;
    if (!isFull && offset + lengthBytes < fileBytes) continue;
    const isRegular = typeof layout.blockBytes === 'number';
    pieces.push({ offset, lengthBytes, layout: isRegular ? layout : { ...layout, blockBytes: lengths } });
    offset += lengthBytes;
    lengths = [];
    lengthBytes = 0;
  }
  return pieces;
}

/** Of a composite layout, which has no blocks, any length will do. */
function* blockLengths({ blockBytes, stripe }: ChecksumLayout, fileBytes: number): Generator<number> {
  let left = fileBytes;
  for (let index = 0; left > 0; index++) {
    const regular = typeof blockBytes === 'number' ? blockBytes * (stripe?.dataUnits ?? 1) : blockBytes[index];
    const length = Math.min(left, regular === undefined || regular === Infinity ? PIECE_BYTES : regular);
    left -= length;
    yield length;
  }
}
