import { FanoutError, IntegrityError, messageOf, SourceChangedError, SourceVanishedError } from '../errors.ts';
import { promoting } from '../storage/budget.ts';
import type { Layouts } from '../storage/capabilities.ts';
import { type DigestedChunk, ChunkedDigest } from '../storage/chunked-digest.ts';
import { isExists, isOpen } from '../storage/errors.ts';
import { promote, putBack } from '../storage/promote.ts';
import type { FileStatus } from '../storage/storage.ts';
import { chunkCount, chunkPaths } from '../job/chunk.ts';
import { takeChunksBack } from '../job/chunk-leftovers.ts';
import { EXISTS } from '../job/decide.ts';
import { mayReplace } from '../job/existing.ts';
import type { ChunkStore, Claim } from '../job/job-store.ts';
import type { CopiedChunk, FileOutcome } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import type { SplitFile } from '../job/unit.ts';
import { chunkLayouts } from './chunk-layouts.ts';
import { copiedChunks, requireAllChunks, requireSameChunks } from './chunks-present.ts';
import { compareContent } from './content.ts';
import { type CopyContext, FileCopy } from './file-copy.ts';
import { chunksIn, join, NotJoinedError } from './join.ts';
import { OPEN_FOR_WRITING } from './settle.ts';
import { requireUnchanged, requireWhole } from './source.ts';
import { copied, failed, kept, skipped } from './transfer.ts';
import { verify, weaker } from './verify.ts';

/**
 * Puts a file together of the chunks that were copied, proves it as a whole, gives it its attributes and its name: a reader sees the old
 * file or the whole new one. No copier of the job may be at work. Safe to run again after a crash at any moment.
 *
 * Where chunks are missing the file fails, and those that are there stay for a resumed job. Where the bytes are wrong all chunks are deleted
 * and taken back; where the source is another by now, or the server does not join them, for good: a resumed job copies one stream.
 *
 * Never throws for one file.
 * @param index  of the unit in its batch
 * @throws fail-job errors, and the signal's reason
 */
export async function assemble(
  context: CopyContext & { readonly store: ChunkStore },
  batch: number,
  index: number,
  unit: SplitFile,
  claim: Claim,
): Promise<FileOutcome> {
  const file = new FileCopy(context, batch, index, unit, claim);
  const { store, job, destination, log, signal } = context;
  const discard = () => takeChunksBack(destination, job, unit, signal);
  try {
    return await assembled(file, unit, store, discard);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) log.error({ error, path: file.sourcePath }, 'unexpected error');
    if (isOpen(error) && job.spec.options.openFiles === 'skip') {
      const ended = await chunkBytes(file, unit, store);
      await leave(discard, file);
      return { ...skipped(file, OPEN_FOR_WRITING), ...ended };
    }
    if (isOfChunks(error) && (await isPromotedNow(file, unit, store))) return failed(file, error);
    // The records first: a crash then leaves files that nobody counts on.
    if (isBeyondChunks(error)) await store.giveUpChunks(job.id, unit.split.number);
    else if (error instanceof IntegrityError) await store.reopenChunks(job.id, unit.split.number);
    else return failed(file, error);
    await leave(discard, file);
    return failed(file, error);
  }
}

/** Whether a failure says that chunks will never make up the file: it is another one by now, or the server does not join them. */
function isBeyondChunks(error: unknown): boolean {
  const isOfSource = error instanceof SourceChangedError || error instanceof SourceVanishedError;
  return isOfSource || isOpen(error) || (error instanceof NotJoinedError && error.isLasting);
}

/** Whether another finish, which was given up for dead, gave the file its name meanwhile: a resume then finds it, and there is nothing to delete. */
async function isPromotedNow(file: FileCopy, unit: SplitFile, store: ChunkStore): Promise<boolean> {
  const { destination, destinationPath, context } = file;
  const { job, signal } = context;
  const [target = ''] = chunkPaths(job, unit);
  const [first] = copiedChunks(await store.chunks(job.id, unit.split.number));
  if (first?.fileId === undefined || (await destination.stat(target, signal))) return false;
  return (await destination.stat(destinationPath, signal))?.fileId === first.fileId;
}

function isOfChunks(error: unknown): boolean {
  return error instanceof IntegrityError || error instanceof NotJoinedError;
}

/** Deletes chunks that are of no more use. What cannot be deleted now is deleted before the file is copied, or by `clean`. */
async function leave(discard: () => Promise<void>, { context, destinationPath }: FileCopy): Promise<void> {
  const { log, signal } = context;
  try {
    await discard();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    log.warn({ path: destinationPath, error: messageOf(error) }, 'chunks are left');
  }
}

async function assembled(
  file: FileCopy,
  unit: SplitFile,
  store: ChunkStore,
  discard: () => Promise<void>,
): Promise<FileOutcome> {
  const { context, source, sourcePath, destination, destinationPath, attributes } = file;
  const { job, signal } = context;
  const { lengthBytes, modifiedAtMs } = unit;
  const { existing } = job.spec.options;
  if (await store.isGivenUp(job.id, unit.split.number)) throw new GivenUpError(sourcePath);
  const listed = { storage: source, path: sourcePath, lengthBytes, modifiedAtMs };
  const records = await store.chunks(job.id, unit.split.number);
  const chunks = copiedChunks(records);
  const [target = '', ...others] = chunkPaths(job, unit);
  // What a promotion moved aside that a crash cut short.
  const names = { temporary: target, finalPath: destinationPath };
  const overwrite = unit.decision === 'overwrite' || mayReplace(existing);
  if (overwrite && !(await destination.replacesAtOnce?.(destinationPath, signal)))
    await putBack({ storage: destination, ...names, overwrite }, promoting, signal);
  const there = await destination.stat(destinationPath, signal);
  const hasAll = chunks.length === chunkCount(unit);
  const isPromoted =
    hasAll && !(await destination.stat(target, signal)) && (await isOurs(file, unit, chunks, there, signal));
  const ended = { bytes: lengthBytes, ...(await chunkBytes(file, unit, store)) };
  if (isPromoted) return { ...copied(file, await verifyPromoted(file, unit, chunks)), ...ended };
  await requireWhole(listed, signal);
  await requireUnchanged(listed, signal);
  requireAllChunks(sourcePath, unit, records);
  if (there?.kind === 'file' && existing === 'skip') {
    await leave(discard, file);
    return { ...skipped(file, EXISTS), ...ended };
  }
  const joined = await chunksIn(file, unit, target);
  const [first] = chunks;
  if (joined === 1 && first) await requireSameChunks(file, unit, store, [first], [target]);
  await requireSameChunks(file, unit, store, chunks.slice(joined), others.slice(joined - 1));
  await join(file, unit, target, others);
  const { blockBytes } = await attributes.creation(unit, signal);
  const verification = await verifyWhole(file, unit, chunks, target, blockBytes);
  await attributes.set(target, unit, [], signal, true);
  await file.requireOwner();
  try {
    await promote({ storage: destination, ...names, overwrite, lengthBytes }, promoting, signal);
  } catch (error) {
    if (!isExists(error)) throw error;
    const now = await destination.stat(destinationPath, signal);
    const isEqual = existing !== 'skip' && (await holdsTheSame(file, lengthBytes, now, signal));
    if (existing !== 'skip' && !isEqual) throw error;
    await leave(discard, file);
    if (isEqual) return { ...(await kept(file, { reason: 'identical content', there: now })), ...ended };
    return { ...skipped(file, EXISTS), ...ended };
  }
  return { ...copied(file, verification), ...ended };
}

/** No copier came to a file whose chunks were given up. */
class GivenUpError extends FanoutError {
  override readonly name = 'GivenUpError';
  constructor(path: string) {
    super('it goes as one stream now, and no copier came to it', {
      disposition: 'fail-unit',
      where: { operation: 'COPY', path },
      remedy: 'resume the job',
    });
  }
}

/** Whether the file at the destination is the one that an earlier assembly promoted: it has the inode of the first chunk. */
async function isOurs(
  file: FileCopy,
  { lengthBytes }: SplitFile,
  [first]: readonly CopiedChunk[],
  there: FileStatus | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.kind !== 'file' || there.lengthBytes !== lengthBytes) return false;
  if (there.fileId !== undefined && first?.fileId !== undefined) return there.fileId === first.fileId;
  return holdsTheSame(file, lengthBytes, there, signal);
}

/** Whether a file at the destination has the content of the source. */
async function holdsTheSame(
  { source, sourcePath, destination, destinationPath }: FileCopy,
  lengthBytes: number,
  there: FileStatus | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.kind !== 'file' || there.lengthBytes !== lengthBytes) return false;
  const [a, b] = [
    { storage: source, path: sourcePath, lengthBytes },
    { storage: destination, path: destinationPath, lengthBytes },
  ];
  const found = await compareContent(a, b, signal);
  return found === 'checksum' || found === 'read-back';
}

/** A file that has its name was verified before. Its source may have changed since, and then says nothing any more. */
async function verifyPromoted(file: FileCopy, unit: SplitFile, chunks: readonly CopiedChunk[]): Promise<Verification> {
  const { context, attributes, destinationPath } = file;
  const { blockBytes } = await attributes.creation(unit, context.signal);
  try {
    return await verifyWhole(file, unit, chunks, destinationPath, blockBytes);
  } catch (error) {
    if (!(error instanceof SourceChangedError || error instanceof SourceVanishedError || isOpen(error))) throw error;
    return chunks.map(({ verification }) => verification).reduce(weaker, 'read-back');
  }
}

/** @returns the level that was reached: that of the weakest chunk at most */
async function verifyWhole(
  file: FileCopy,
  unit: SplitFile,
  chunks: readonly CopiedChunk[],
  path: string,
  blockBytes: number | undefined,
): Promise<Verification> {
  const { context, source, sourcePath, destination } = file;
  const { job, signal } = context;
  const { lengthBytes, modifiedAtMs } = unit;
  const level = job.spec.options.verify;
  const layouts = await chunkLayouts(file, unit, blockBytes, signal);
  const digested = new ChunkedDigest(
    chunks.map(({ bytes, digests }): DigestedChunk => ({ lengthBytes: bytes, blocks: digests })),
  );
  const encrypted = unit.encrypted === true;
  // A source that keeps no checksum of its content is compared with none.
  const compared = source.checksums && !encrypted ? layouts.source : layouts.written;
  const hasAll = [compared[0], layouts.written[0]].every((layout) => digested.has(layout));
  const known = (all: Layouts) => (hasAll ? (all.filter((layout) => digested.has(layout)) as unknown as Layouts) : all);
  const likely = { sourceLayouts: known(compared), writtenLayouts: known(layouts.written) };
  const reached = await verify(
    {
      source: { storage: source, path: sourcePath, lengthBytes, near: undefined, modifiedAtMs, encrypted },
      written: { storage: destination, path, lengthBytes, near: undefined },
      digest: hasAll ? digested : undefined,
      ...likely,
      layoutsNow: () => Promise.resolve(likely),
    },
    // What was written is read again chunk by chunk.
    level === 'read-back' ? 'checksum' : level,
    signal,
  );
  return chunks.map(({ verification }) => verification).reduce(weaker, reached);
}

/** What the chunks were counted for. */
async function chunkBytes(
  { context }: FileCopy,
  { split }: SplitFile,
  store: ChunkStore,
): Promise<{ readonly chunkBytes: number }> {
  const records = await store.chunks(context.job.id, split.number);
  const done = records.filter(({ outcome }) => outcome === 'copied');
  return { chunkBytes: done.reduce((sum, { bytes }) => sum + bytes, 0) };
}
