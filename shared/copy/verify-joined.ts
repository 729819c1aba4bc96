import { IntegrityError } from '../errors.ts';
import { type ChecksumLayout, hasEqualBlocks, sameLayout } from '../storage/checksum.ts';
import { type DigestedChunk, ChunkedDigest } from '../storage/chunked-digest.ts';
import type { Layouts } from '../storage/capabilities.ts';
import { hasCode } from '../storage/errors.ts';
import type { CopiedChunk } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import { chunkLayouts } from './chunk-layouts.ts';
import { isProvedAlone } from './chunks-present.ts';
import { storedLayout } from './content.ts';
import type { Joining } from './joining.ts';
import { readAgain } from './read-again.ts';
import {
  digestWritten,
  isAlike,
  requireLength,
  type StoredOfBoth,
  storedOfBoth,
  type Streamed,
  verifySource,
  verifyWritten,
  weaker,
} from './verify.ts';
import { overtakenBy, requireUnchanged } from './source.ts';

/**
 * Proves a file that was put together, as `verify` does one that was written in one go: by the checksums that both sides store of it, or by
 * what its chunks add up to. It is read again only where the checksum of the source has a layout that the chunks were not digested in.
 *
 * @returns the level that was reached: at most that of the weakest chunk that was proved by itself
 * @throws SourceChangedError; SourceVanishedError; StorageError open; IntegrityError when the bytes differ, or when nothing tells of chunks that
 * were not proved by themselves
 */
export async function verifyJoined(
  joining: Joining,
  chunks: readonly CopiedChunk[],
  path: string,
): Promise<Verification> {
  const { file, unit } = joining;
  const { context, source, sourcePath, destination, attributes } = file;
  const { job, signal } = context;
  const { lengthBytes, modifiedAtMs, split } = unit;
  const level = job.spec.options.verify;
  const weakestOf = (some: readonly CopiedChunk[], reached: Verification) =>
    some.map(({ verification }) => verification).reduce(weaker, reached);
  const listed = { storage: source, path: sourcePath, lengthBytes, modifiedAtMs, fileId: split.inode };
  const written = { storage: destination, path, lengthBytes, near: undefined };
  if (level === 'none') return level;
  if (level === 'length') {
    await requireUnchanged(listed, signal);
    await requireLength({ written }, signal);
    return weakestOf(chunks, level);
  }
  const proved = chunks.filter(isProvedAlone);
  const areProved = proved.length === chunks.length;
  const atMost = (reached: Verification) => weakestOf(proved, reached);
  const { blockBytes } = await attributes.creation(unit, signal);
  const layouts = await chunkLayouts(file, unit, blockBytes, signal);
  const digest = new ChunkedDigest(
    chunks.map(({ bytes, digests }): DigestedChunk => ({ lengthBytes: bytes, blocks: digests })),
  );
  const digested = (all: Layouts) => all.filter((layout) => digest.has(layout)) as unknown as Layouts;
  const copy = {
    source: { ...listed, near: undefined, encrypted: unit.encrypted === true },
    written,
    digest,
    sourceLayouts: digested(layouts.source),
    writtenLayouts: digested(layouts.written),
    readAgain: (layout: ChecksumLayout, both: AbortSignal) => readAgain(joining, path, layout, both),
  };
  const stored = await storedOfBoth(copy, signal);
  // What was written was read again chunk by chunk where that was asked for.
  if (isAlike(stored) && (areProved || level === 'checksum')) return atMost('checksum');
  if (!areProved) return atMost(weaker(level, await verifyAgain(copy, stored, signal)));
  const reached = await verifySource(copy, signal, stored);
  // Each chunk was proved by itself, and CONCAT moves no byte.
  const hasWritten = copy.writtenLayouts.length > 0;
  return atMost(hasWritten ? weaker(reached, await verifyWritten(copy, signal, stored)) : 'read-back');
}

/**
 * Proves a file of which not every byte was digested on its way, where the stored checksums did not settle it: as a whole, by reading it in the
 * layouts of both.
 *
 * @returns the level that was reached
 * @throws IntegrityError when it differs, or when its source stores nothing that it can be compared with
 */
async function verifyAgain(copy: Again, stored: StoredOfBoth, signal: AbortSignal): Promise<Verification> {
  const { source, written } = copy;
  await requireUnchanged(source, signal);
  const where = { operation: 'CONCAT', path: written.path };
  const ofRead = stored.ofRead && (await storedLayout(source, stored.ofRead, signal));
  if (!ofRead) throw new IntegrityError('nothing that its source stores can prove it', where);
  const ofWritten = stored.ofWritten && (await storedLayout(written, stored.ofWritten, signal));
  const isRegular = ofWritten && hasEqualBlocks(ofRead) && hasEqualBlocks(ofWritten);
  if (!isAlike(stored) && isRegular && sameLayout(ofRead, ofWritten, written.lengthBytes)) {
    throw new IntegrityError('its stored checksum is not that of its source', where);
  }
  const none = [] as unknown as Layouts;
  const reached = await verifySource({ ...copy, sourceLayouts: none }, signal, stored);
  if (!ofWritten) return weaker(reached, 'read-back');
  const again = await digestWritten(copy, ofWritten, signal);
  const digest = { checksum: () => again };
  const writtenLayouts = [ofWritten] as unknown as Layouts;
  return weaker(reached, await verifyWritten({ ...copy, digest, writtenLayouts }, signal, stored, true));
}

type Again = Omit<Streamed, 'layoutsNow' | 'digest'> &
  Required<Pick<Streamed, 'readAgain'>> & { readonly digest: ChunkedDigest };

/** A file that has its name was verified before. Its source may have changed since, and its attributes may shut its reader out: neither says anything any more. */
export async function verifyPromoted(joining: Joining, chunks: readonly CopiedChunk[]): Promise<Verification> {
  try {
    return await verifyJoined(joining, chunks, joining.file.destinationPath);
  } catch (error) {
    if (!overtakenBy(error) && !hasCode(error, 'denied')) throw error;
    return chunks.map(({ verification }) => verification).reduce(weaker, 'read-back');
  }
}
