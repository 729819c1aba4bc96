import { FanoutError, IntegrityError } from '../errors.ts';
import type { Layouts } from '../storage/capabilities.ts';
import { ContentDigest, type RegularLayout } from '../storage/checksum.ts';
import type { Writing, WriteOptions } from '../storage/storage.ts';
import { promoting } from '../storage/budget.ts';
import { addsUp, digestedBlocks } from '../storage/chunked-digest.ts';
import { isExists } from '../storage/errors.ts';
import { promote } from '../storage/promote.ts';
import { chunkRange } from '../job/chunk.ts';
import type { Claim } from '../job/job-store.ts';
import { type ChunkOutcome, type CopiedChunk, failedChunk } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import { chunkPath } from '../job/temporary.ts';
import type { ChunkUnit, SplitFile } from '../job/unit.ts';
import { asLast } from './attempt.ts';
import { type ChunkLayouts, chunkLayouts } from './chunk-layouts.ts';
import { type CopyContext, FileCopy } from './file-copy.ts';
import { explained, ofSource, requireUnchanged, requireWhole } from './source.ts';
import { isOneLayout } from './stream.ts';
import { takeBack } from './take-back.ts';
import { failureOf } from './transfer.ts';
import { withTries } from './tries.ts';
import { readBack, requireLength, verifyWritten, type Written } from './verify.ts';

/**
 * Copies a range of a file into a file of its own and proves what was written, unless the whole file will be proved by what both clusters store
 * of it: then its length is all that is known of it. It gets a name of the job's that does not depend on the claim,
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
    return await withTries(file, (number, onMoved) => attempt(file, unit, number, onMoved));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) context.log.error({ error, path: file.sourcePath }, 'unexpected error');
    return failedChunk(unit, index, file.retries, failureOf(file, error));
  }
}

/** One try, under a name of its own. @throws SourceChangedError when the file is not as it was planned: its other chunks are of another content */
async function attempt(file: FileCopy, unit: ChunkUnit, number: number, onMoved: () => void): Promise<CopiedChunk> {
  const { context, source, sourcePath, destination, destinationPath, attributes, index } = file;
  const { job, signal, progress } = context;
  const { split, lengthBytes: fileBytes, modifiedAtMs } = unit.file;
  const { lengthBytes } = chunkRange(unit.file, unit.chunk);
  const listed = { storage: source, path: sourcePath, lengthBytes: fileBytes, modifiedAtMs, fileId: split.inode };
  await file.requireOwner();
  // Not after the bytes: what is open or another file by now would be copied for nothing.
  await requireWhole(listed, signal);
  await requireUnchanged(listed, signal);
  const temporary = file.temporaryPath(number);
  let seen = 0;
  const onBytes = (bytes: number) => {
    seen += bytes;
    progress.bytes += bytes;
    progress.moved += bytes;
    onMoved();
  };
  try {
    const creation = await attributes.chunkCreation(unit.file, signal);
    let asked: Promise<Digesting> | undefined;
    const digesting = () => (asked ??= digestingOf(file, unit.file, creation.blockBytes));
    const { near, refused = [] } = await pass(file, unit, temporary, creation, digesting, onBytes);
    attributes.refuse(refused);
    const { level, digest, adding, writtenLayouts } = await digesting();
    const written = { storage: destination, path: temporary, lengthBytes, near };
    const verification = await verifyChunk({ written, digest, writtenLayouts }, level, signal);
    await requireUnchanged(listed, signal);
    await file.requireOwner();
    const path = chunkPath(destinationPath, job.id, split.number, unit.chunk);
    const fileId = await takeName(file, temporary, path, lengthBytes);
    return {
      kind: 'chunk',
      split: split.number,
      chunk: unit.chunk,
      unit: index,
      outcome: 'copied',
      bytes: lengthBytes,
      retries: file.retries,
      ...(file.hosts.length > 0 ? { hosts: file.hosts } : {}),
      verification,
      digests: digestedBlocks(digest, adding),
      ...(fileId === undefined ? {} : { fileId }),
      ...(file.hasRemains ? { remains: true } : {}),
      ...attributes.told(),
    };
  } catch (error) {
    progress.bytes -= seen;
    await takeBack(file, number, temporary, (limit) => destination.delete(temporary, limit));
    throw await explained(error, listed, signal);
  }
}

/** How a chunk is proved, by itself. */
interface Digesting {
  /** What is asked of a chunk: of one whose file will be proved as a whole, its length. */
  readonly level: Verification;
  readonly digest: ContentDigest;
  /** The layouts in which digests of chunks add up to that of the file. */
  readonly adding: readonly RegularLayout[];
  readonly writtenLayouts: Layouts;
}

async function digestingOf(file: FileCopy, unit: SplitFile, blockBytes: number | undefined): Promise<Digesting> {
  const { job, signal } = file.context;
  const { verify } = job.spec.options;
  const layouts = await chunkLayouts(file, unit, blockBytes, signal);
  const { source, written: writtenLayouts } = layouts;
  const level = verify === 'checksum' && willBeStated(file, unit, layouts) ? 'length' : verify;
  const isDigested = level !== 'none' && level !== 'length';
  const adding = isDigested ? [...source, ...writtenLayouts].filter((each) => addsUp(each, unit.split.chunkBytes)) : [];
  return { level, digest: new ContentDigest(isDigested ? [...writtenLayouts, ...adding] : []), adding, writtenLayouts };
}

/**
 * Whether both clusters will state the same checksum of the whole file, so that no byte is digested on its way. Only under a batch's first
 * claim: a chunk that is copied again, because that proof failed or for any other reason, is proved by itself.
 */
function willBeStated(
  { source, destination, claim }: FileCopy,
  { encrypted, lengthBytes, split }: SplitFile,
  layouts: ChunkLayouts,
): boolean {
  if (claim > 1 || encrypted || !source.checksums || !destination.checksums) return false;
  return isOneLayout(layouts.source, layouts.written, lengthBytes) && addsUp(layouts.written[0], split.chunkBytes);
}

/** Passes the bytes of a chunk on. A source whose bytes nobody takes any more is let go. */
async function pass(
  { context: { signal }, source, sourcePath, destination }: FileCopy,
  { file, chunk }: ChunkUnit,
  temporary: string,
  creation: Omit<WriteOptions, 'lengthBytes' | 'overwrite'>,
  digesting: () => Promise<Digesting>,
  onBytes: (bytes: number) => void,
): Promise<Writing> {
  const range = chunkRange(file, chunk);
  const unwanted = new AbortController();
  const both = AbortSignal.any([signal, unwanted.signal]);
  const { body, cancel } = await ofSource(source.read(sourcePath, range, both));
  async function* counted() {
    // Once both servers have answered: by then it is known whether datanodes keep the bytes, and with them which checksums there may be.
    const { digest } = await digesting();
    for await (const piece of body) {
      digest.update(piece);
      onBytes(piece.length);
      yield piece;
    }
  }
  const options = { ...creation, lengthBytes: range.lengthBytes, overwrite: false };
  try {
    return await destination.write(temporary, counted(), options, signal);
  } catch (error) {
    // The source hears nothing of what went wrong at the destination, which is none of its failures.
    unwanted.abort();
    cancel();
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

/** Gives a chunk its name. @returns the inode's number @throws IntegrityError when the file has lost its length */
async function takeName(
  file: FileCopy,
  temporary: string,
  path: string,
  lengthBytes: number,
): Promise<number | undefined> {
  const { destination, context } = file;
  const { signal } = context;
  const written = await destination.stat(temporary, signal);
  if (written?.lengthBytes !== lengthBytes) {
    const where = { operation: 'GETFILESTATUS', path: temporary };
    throw new IntegrityError(`it has ${written?.lengthBytes ?? 'no'} bytes, not ${lengthBytes}`, where);
  }
  // Never a moment without the chunk where the server can replace it: whoever puts the file together may be counting on it.
  const overwrite = (await destination.replacesAtOnce?.(path, signal)) === true;
  const names = { storage: destination, temporary, finalPath: path, overwrite, lengthBytes };
  try {
    await promote(names, promoting, signal);
  } catch (error) {
    // The same chunk of an earlier claim, which died before it could say so. A copier whose own file was swept is that one itself.
    const isLeft = !overwrite && isExists(error) && (await destination.stat(temporary, signal)) !== undefined;
    if (!isLeft) asLast(error);
    await file.requireOwner();
    await destination.delete(path, signal);
    await promote(names, promoting, signal).catch(asLast);
  }
  return written.fileId;
}
