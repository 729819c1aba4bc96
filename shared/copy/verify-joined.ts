import type { ChecksumLayout } from '../storage/checksum.ts';
import { type DigestedChunk, ChunkedDigest } from '../storage/chunked-digest.ts';
import type { Layouts } from '../storage/capabilities.ts';
import { hasCode } from '../storage/errors.ts';
import type { CopiedChunk } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import { chunkLayouts } from './chunk-layouts.ts';
import type { Joining } from './joining.ts';
import { readAgain } from './read-again.ts';
import { isAlike, requireLength, storedOfBoth, verifySource, verifyWritten, weaker } from './verify.ts';
import { overtakenBy, requireUnchanged } from './source.ts';

/**
 * Proves a file that was put together, as `verify` does one that was written in one go: by what its chunks add up to. It is read again only
 * where the checksum of the source has a layout that the chunks were not digested in.
 *
 * @returns the level that was reached: that of the weakest chunk at most
 * @throws SourceChangedError; SourceVanishedError; StorageError open; IntegrityError when the bytes differ
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
  const atMost = (reached: Verification) => chunks.map(({ verification }) => verification).reduce(weaker, reached);
  const listed = { storage: source, path: sourcePath, lengthBytes, modifiedAtMs, fileId: split.inode };
  const written = { storage: destination, path, lengthBytes, near: undefined };
  if (level === 'none') return level;
  if (level === 'length') {
    await requireUnchanged(listed, signal);
    await requireLength({ written }, signal);
    return atMost(level);
  }
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
  if (isAlike(stored)) return atMost('checksum');
  const reached = await verifySource(copy, signal, stored);
  // Each chunk was proved by itself, and CONCAT moves no byte.
  const hasWritten = copy.writtenLayouts.length > 0;
  return atMost(hasWritten ? weaker(reached, await verifyWritten(copy, signal, stored)) : 'read-back');
}

/** A file that has its name was verified before. Its source may have changed since, and its attributes may shut its reader out: neither says anything any more. */
export async function verifyPromoted(joining: Joining, chunks: readonly CopiedChunk[]): Promise<Verification> {
  try {
    return await verifyJoined(joining, chunks, joining.file.destinationPath);
  } catch (error) {
    if (!overtakenBy(error) && !hasCode(error, 'denied')) throw error;
    return chunks.map(({ verification }) => verification).reduce(weaker, 'read-back');
  }
}
