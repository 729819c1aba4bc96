import { createHash } from 'node:crypto';
import { forEach } from '../for-each.ts';
import { type ChecksumLayout, ContentDigest, type FileChecksum, keyOf } from '../storage/checksum.ts';
import { ChunkedDigest } from '../storage/chunked-digest.ts';
import type { PiecesRead } from '../job/job-store.ts';
import type { Joining } from './joining.ts';

/** Bytes of a piece at least, unless a block is longer: what the slowest limit lets through long before a copier's time is over. */
const PIECE_BYTES = 128 * 1024 * 1024;
/** Pieces that are read at once. */
const AT_ONCE = 2;
/** What is kept goes into an item of a table: 16 bytes for each block, in base64. */
const MOST_KEPT_BLOCKS = 12_000;

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
  const of = createHash('sha256')
    .update([path, there?.fileId, lengthBytes, keyOf(layout)].join())
    .digest('hex');
  const kept = await store.piecesRead(job.id, split.number);
  const blocks = new Map(kept?.of === of ? Object.entries(kept.blocks) : []);
  const pieces = piecesOf(layout, lengthBytes);
  const left = [...pieces.entries()].filter(([number]) => !blocks.has(String(number)));
  const isKept = pieces.reduce((sum, piece) => sum + blocksIn(piece), 0) <= MOST_KEPT_BLOCKS;
  await forEach(left, AT_ONCE, signal, async ([number, piece], both) => {
    const digest = new ContentDigest([piece.layout]);
    const range = { offset: piece.offset, lengthBytes: piece.lengthBytes, fileBytes: lengthBytes };
    const { body } = await destination.read(path, range, both);
    for await (const bytes of body) digest.update(bytes);
    blocks.set(String(number), digest.blocks(piece.layout).toString('base64'));
    const read: PiecesRead = { of, blocks: Object.fromEntries(blocks) };
    if (isKept) await store.keepPiecesRead(job.id, split.number, read);
  });
  const digested = pieces.map((piece, number) => ({
    lengthBytes: piece.lengthBytes,
    blocks: { [keyOf(layout)]: blocks.get(String(number)) ?? '' },
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
    if (lengthBytes < PIECE_BYTES && offset + lengthBytes < fileBytes) continue;
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

function blocksIn({ lengthBytes, layout }: Piece): number {
  const { blockBytes } = layout;
  return typeof blockBytes === 'number' ? Math.ceil(lengthBytes / blockBytes) : blockBytes.length;
}
