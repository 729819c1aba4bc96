import { FanoutError, IntegrityError, messageOf } from '../errors.ts';
import { retry } from '../retry.ts';
import { ContentDigest } from '../storage/checksum.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import { addsUp, digestedBlocks } from '../storage/chunked-digest.ts';
import { hasCode } from '../storage/errors.ts';
import { promote } from '../storage/promote.ts';
import { urgently } from '../storage/urgent.ts';
import { chunkRange } from '../job/chunk.ts';
import type { Claim } from '../job/job-store.ts';
import { type ChunkOutcome, type CopiedChunk, failedChunk } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import { chunkPath } from '../job/temporary.ts';
import type { ChunkUnit } from '../job/unit.ts';
import { chunkLayouts } from './chunk-layouts.ts';
import { type CopyContext, FileCopy } from './file-copy.ts';
import { ofSource, requireUnchanged, requireWhole } from './source.ts';
import { failureOf } from './transfer.ts';
import { readBack, requireLength, verifyWritten, type Written } from './verify.ts';

/** Tries that end in bytes that differ, or in a refusal that is not known here. */
const DOUBTFUL_TRIES = 3;
/** Time for deleting a temporary file after everything else was aborted, ms. */
const CLEANUP_MS = 10_000;

/**
 * Copies a range of a file into a file of its own and proves what was written. It gets a name of the job's that does not depend on the claim,
 * so that a chunk that was copied once is there for whoever puts the file together. Safe to run again.
 *
 * Never throws for one chunk.
 * @param index  of the unit in its batch
 * @throws fail-job errors, and the signal's reason
 */
export async function copyChunk(
  context: CopyContext,
  batch: number,
  index: number,
  unit: ChunkUnit,
  claim: Claim,
): Promise<ChunkOutcome> {
  const file = new FileCopy(context, batch, index, unit.file, claim);
  try {
    return await copyWithTries(file, unit);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) context.log.error({ error, path: file.sourcePath }, 'unexpected error');
    return failedChunk(unit, index, file.retries, failureOf(file, error));
  }
}

async function copyWithTries(file: FileCopy, unit: ChunkUnit): Promise<CopiedChunk> {
  const { log, signal } = file.context;
  let doubtful = 0;
  let progressedAtMs = 0;
  const again = (error: unknown) => {
    log.warn({ path: file.sourcePath, chunk: unit.chunk, error: messageOf(error) }, 'a try failed');
    if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
    const isDoubtful = error instanceof IntegrityError || hasCode(error, 'other', 'no-block');
    return isDoubtful && ++doubtful >= DOUBTFUL_TRIES ? 'no' : 'soon';
  };
  const tryOnce = async (number: number) => {
    if (number > 0) {
      file.retries += 1;
      await file.noteAttempt(number);
    }
    return attempt(file, unit, number, () => (progressedAtMs = performance.now()));
  };
  return retry(wholeFile, signal, again, tryOnce, () => progressedAtMs);
}

/** One try, under a name of its own. @throws SourceChangedError when the file is not as it was planned: its other chunks are of another content */
async function attempt(file: FileCopy, unit: ChunkUnit, number: number, onMoved: () => void): Promise<CopiedChunk> {
  const { context, source, sourcePath, destination, destinationPath, attributes, index } = file;
  const { job, signal, progress } = context;
  const { split, modifiedAtMs } = unit.file;
  const range = chunkRange(unit.file, unit.chunk);
  const { lengthBytes } = range;
  const listed = { storage: source, path: sourcePath, lengthBytes: range.fileBytes, modifiedAtMs };
  await file.requireOwner();
  // Not after the bytes: what is open or another file by now would be copied for nothing.
  await requireWhole(listed, signal);
  await requireUnchanged(listed, signal);
  const temporary = file.temporaryPath(number);
  const seen = { bytes: 0 };
  try {
    const creation = await attributes.chunkCreation(unit.file, signal);
    const { verify: level } = job.spec.options;
    const layouts = await chunkLayouts(file, unit.file, creation.blockBytes, signal);
    const isDigested = level !== 'none' && level !== 'length';
    const adding = [...layouts.source, ...layouts.written].filter(
      (layout) => isDigested && addsUp(layout, split.chunkBytes),
    );
    const digest = new ContentDigest(isDigested ? [...layouts.written, ...adding] : []);
    const { body } = await ofSource(source.read(sourcePath, range, signal));
    const counted = async function* () {
      for await (const piece of body) {
        digest.update(piece);
        seen.bytes += piece.length;
        progress.bytes += piece.length;
        progress.moved += piece.length;
        onMoved();
        yield piece;
      }
    };
    const options = { ...creation, lengthBytes, overwrite: false };
    const { near } = await destination.write(temporary, counted(), options, signal);
    const written = { storage: destination, path: temporary, lengthBytes, near };
    const copy = { written, digest, writtenLayouts: layouts.written };
    const verification = await verifyChunk(copy, level, signal);
    await requireUnchanged(listed, signal);
    await file.requireOwner();
    const fileId = await takeName(
      file,
      temporary,
      chunkPath(destinationPath, job.id, split.number, unit.chunk),
      lengthBytes,
    );
    return {
      kind: 'chunk',
      split: split.number,
      chunk: unit.chunk,
      unit: index,
      outcome: 'copied',
      bytes: lengthBytes,
      retries: file.retries,
      verification,
      digests: digestedBlocks(digest, adding),
      ...(fileId === undefined ? {} : { fileId }),
      ...(file.hasRemains ? { remains: true } : {}),
    };
  } catch (error) {
    progress.bytes -= seen.bytes;
    await discard(file, temporary, number);
    throw error;
  }
}

/** As `verify`, of the written side alone: what was read is proved when the whole file is. */
async function verifyChunk(copy: Written, level: Verification, signal: AbortSignal): Promise<Verification> {
  switch (level) {
    case 'none':
      return level;
    case 'length':
      await requireLength(copy, signal);
      return level;
    case 'read-back':
      await readBack(copy, signal);
      return level;
    case 'checksum':
      return verifyWritten(copy, signal);
  }
}

/** Replaces the same chunk of an earlier claim, which died before it could say so. @returns the inode's number */
async function takeName(
  file: FileCopy,
  temporary: string,
  path: string,
  lengthBytes: number,
): Promise<number | undefined> {
  const { destination, context } = file;
  // Never a moment without the chunk where the server can replace it: whoever puts the file together may be counting on it.
  const overwrite = (await destination.replacesAtOnce?.(path, context.signal)) === true;
  if (!overwrite) await destination.delete(path, context.signal);
  const names = { temporary, finalPath: path, overwrite, lengthBytes };
  await promote({ storage: destination, ...names }, promoting, context.signal);
  return (await destination.stat(path, context.signal))?.fileId;
}

/** Takes a failed try back, also when the job was aborted. What cannot be deleted now is swept by name later. */
async function discard(file: FileCopy, temporary: string, number: number): Promise<void> {
  const { log, signal } = file.context;
  try {
    await file.destination.delete(temporary, urgently(AbortSignal.timeout(CLEANUP_MS)));
  } catch (error) {
    file.hasRemains = true;
    log.warn({ path: temporary, error: messageOf(error) }, 'a temporary file is left for the sweep');
    if (!signal.aborted) await file.noteAttempt(number + 1);
  }
}
