import { FanoutError, IntegrityError, messageOf } from '../errors.ts';
import { retry } from '../retry.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import { isExists, isOpen } from '../storage/errors.ts';
import { promote, putBack, type Remains } from '../storage/promote.ts';
import { cleaningUp } from '../storage/urgent.ts';
import { chunkCount, chunkPaths } from '../job/chunk.ts';
import { takeChunksBack } from '../job/chunk-leftovers.ts';
import { EXISTS, OPEN_FOR_WRITING } from '../job/decide.ts';
import { mayReplace } from '../job/existing.ts';
import type { ChunkRecord, ChunkStore, Claim } from '../job/job-store.ts';
import type { CopiedChunk, CopiedOutcome, FileOutcome } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileStatus } from '../storage/storage.ts';
import { copiedChunks, requireAllChunks, requireSameChunks } from './chunks-present.ts';
import { copyAgain, ofChunks, type Sharing, UnprovedError } from './copy-again.ts';
import { type CopyContext, FileCopy } from './file-copy.ts';
import { chunksIn, join, NotJoinedError, requireSameTarget } from './join.ts';
import type { Joining } from './joining.ts';
import { holdsTheSame, isOurs, isPromotedNow } from './promoted.ts';
import { overtakenBy, requireUnchanged, requireWhole } from './source.ts';
import { copied, failed, failureOf, kept, skipped, uncopied } from './transfer.ts';
import { Patience } from './tries.ts';
import { verifyJoined, verifyPromoted } from './verify-joined.ts';

/**
 * Puts a file together of the chunks that were copied, proves it as a whole, gives it its attributes and its name: a reader sees the old
 * file or the whole new one. No copier of the job may be at work. Safe to run again after a crash at any moment, and beside another one that was
 * given up for dead.
 *
 * Where chunks are missing the file fails, and those that are there stay for a resumed job. Where the bytes are wrong, for the second time if
 * chunks were not proved by themselves, all chunks are deleted and taken back; where the source is another by now, or the server does not join
 * them, for good: a resumed job copies one stream. A refusal in words that may be of the moment counts for that the second time.
 *
 * Never throws for one file.
 * @param index  of the unit in its batch
 * @throws fail-job errors, and the signal's reason
 */
export async function assemble(
  context: CopyContext & Sharing & { readonly store: ChunkStore },
  batch: number,
  index: number,
  unit: SplitFile,
  claim: Claim,
): Promise<FileOutcome> {
  const file = new FileCopy(context, batch, index, unit, claim);
  const joining = { file, unit, store: context.store };
  try {
    return await assembledAtLast(joining, batch, claim, context);
  } catch (error) {
    requireOfFile(file, error);
    try {
      if (await isPromotedNow(joining)) return await assembled(joining);
      return await ended(joining, error);
    } catch (another) {
      requireOfFile(file, another);
      return failed(file, error);
    }
  }
}

/** Where nobody can tell which chunks are wrong all are copied again, once: from then on each is proved by itself. */
async function assembledAtLast(joining: Joining, batch: number, claim: Claim, sharing: Sharing): Promise<FileOutcome> {
  try {
    return await assembledWithTries(joining);
  } catch (error) {
    if (!(error instanceof UnprovedError)) throw error;
    const { context, sourcePath } = joining.file;
    context.log.warn({ path: sourcePath, error: error.message }, 'the chunks of a file are copied again');
    await copyAgain(joining, batch, claim, sharing);
    return await assembledWithTries(joining);
  }
}

/** @throws what ends more than the file */
function requireOfFile({ context, sourcePath }: FileCopy, error: unknown): void {
  context.signal.throwIfAborted();
  if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
  if (!(error instanceof FanoutError)) context.log.error({ error, path: sourcePath }, 'unexpected error');
}

/** No byte moves: whatever a moment can mend is tried again, from the beginning, which finds what was done. */
function assembledWithTries(joining: Joining): Promise<FileOutcome> {
  const { file } = joining;
  const { log, signal } = file.context;
  const patience = new Patience();
  const again = (error: unknown) => {
    log.warn({ path: file.sourcePath, error: messageOf(error) }, 'a file was not put together');
    // The same bytes would be looked at again.
    return error instanceof IntegrityError ? 'no' : patience.after(error, false);
  };
  return retry(wholeFile, signal, again, (number) => {
    file.retries = number;
    return assembled(joining);
  });
}

/** What becomes of the chunks of a file that was not put together. */
async function ended(joining: Joining, error: unknown): Promise<FileOutcome> {
  const { file, unit, store } = joining;
  const { job } = file.context;
  const { number } = unit.split;
  // Another finish may be at work with the same chunks.
  await file.requireOwner();
  if (isOpen(error) && job.spec.options.openFiles === 'skip') {
    const { chunkBytes } = counted(await store.chunks(job.id, number));
    await discard(joining);
    return { ...skipped(file, OPEN_FOR_WRITING), chunkBytes };
  }
  // The records first: a crash then leaves files that nobody counts on.
  if (isBeyondChunks(error) || (await isRefusedAgain(joining, error))) await store.giveUpChunks(job.id, number);
  else if (error instanceof IntegrityError) await store.reopenChunks(job.id, number);
  else return failed(file, error);
  if (job.spec.options.live && overtakenBy(error)) {
    // A job that ends well leaves nothing.
    await discard(joining);
    return uncopied(file, failureOf(file, error));
  }
  await leave(joining);
  return failed(file, error);
}

/** Whether a failure says that chunks will never make up the file: it is another one by now, or the server does not join them. */
function isBeyondChunks(error: unknown): boolean {
  return overtakenBy(error) !== undefined || (error instanceof NotJoinedError && error.isLasting);
}

/** Whether an earlier finish was refused in the same unclear words: an outage does not last from one to the next. */
async function isRefusedAgain({ file, unit, store }: Joining, error: unknown): Promise<boolean> {
  const { job, owner } = file.context;
  if (!(error instanceof NotJoinedError) || !error.isLastingNextTime) return false;
  return store.noteRefusal(job.id, unit.split.number, owner);
}

function discard({ file, unit }: Joining): Promise<void> {
  const { destination, context } = file;
  return takeChunksBack(destination, context.job, unit, context.signal);
}

/** Deletes chunks of a file that fails. What cannot be deleted now is deleted before the file is copied, or by `clean`. */
async function leave(joining: Joining): Promise<void> {
  const { context, destinationPath } = joining.file;
  try {
    await discard(joining);
  } catch (error) {
    requireOfFile(joining.file, error);
    context.log.warn({ path: destinationPath, error: messageOf(error) }, 'chunks are left');
  }
}

async function assembled(joining: Joining): Promise<FileOutcome> {
  const { file, unit, store } = joining;
  const { context, source, sourcePath, destination, destinationPath } = file;
  const { job, signal } = context;
  const { lengthBytes, modifiedAtMs, split } = unit;
  if (await store.isGivenUp(job.id, split.number)) throw new GivenUpError(sourcePath);
  const records = await store.chunks(job.id, split.number);
  const chunks = copiedChunks(records);
  const counts = { bytes: lengthBytes, ...counted(records) };
  const [target = ''] = chunkPaths(job, unit);
  // What a promotion moved aside that a crash cut short.
  await putBack(namesOf(joining), promoting, signal);
  const there = await destination.stat(destinationPath, signal);
  const standing = await destination.stat(target, signal);
  const hasAll = chunks.length === chunkCount(unit);
  if (hasAll && !standing && (await isOurs(file, unit, chunks, there, signal))) {
    return { ...copiedWith(file, chunks, await verifyPromoted(joining, chunks)), ...counts };
  }
  const listed = { storage: source, path: sourcePath, lengthBytes, modifiedAtMs, fileId: split.inode };
  await requireWhole(listed, signal);
  await requireUnchanged(listed, signal);
  requireAllChunks(sourcePath, unit, records);
  if (there?.kind === 'file' && job.spec.options.existing === 'skip') {
    await discard(joining);
    return { ...skipped(file, EXISTS), ...counts };
  }
  await joinChunks(joining, chunks, standing);
  const verification = await verifyJoined(joining, chunks, target).catch((error: unknown) => {
    throw ofChunks(error, chunks, target);
  });
  await file.attributes.set(target, unit, [], signal, true);
  await file.requireOwner();
  const refusal = await promoteJoined(joining);
  return { ...(refusal ?? copiedWith(file, chunks, verification)), ...counts };
}

/** @param standing  the file of the first chunk */
async function joinChunks(
  { file, unit, store }: Joining,
  chunks: readonly CopiedChunk[],
  standing: FileStatus | undefined,
): Promise<void> {
  const { context, attributes } = file;
  const [target = '', ...others] = chunkPaths(context.job, unit);
  // Where the first chunk is gone nothing is known to be joined: whatever else is gone is then told one by one.
  const joined = standing ? await chunksIn(file, unit, target) : 1;
  if (joined > 1) requireSameTarget(standing, chunks, target);
  const first = joined > 1 ? joined : 0;
  await requireSameChunks(file, unit, store, chunks.slice(first), [target, ...others].slice(first));
  // Before a crash it may have got its attributes already.
  if (joined === chunks.length) await attributes.makeJoinable(target, unit, context.signal);
  await join(file, unit, target, others);
}

/** @returns how the file ends whose name somebody has taken; undefined where it has its name @throws as `promote` */
async function promoteJoined(joining: Joining): Promise<FileOutcome | undefined> {
  const { file, unit } = joining;
  const { context, destination, destinationPath } = file;
  const { job, signal } = context;
  const { existing } = job.spec.options;
  const { lengthBytes } = unit;
  const names = namesOf(joining);
  try {
    file.promoted = await promote({ ...names, lengthBytes }, promoting, signal);
    return undefined;
  } catch (error) {
    if (!(await hasOldBack(joining)) || !isExists(error)) throw error;
    const now = await destination.stat(destinationPath, signal);
    const isEqual = existing !== 'skip' && (await holdsTheSame(file, unit, now, signal));
    if (existing !== 'skip' && !isEqual) throw error;
    await discard(joining);
    return isEqual ? kept(file, { reason: 'identical content', there: now }) : skipped(file, EXISTS);
  }
}

/** Gives an old file its name again after a promotion that failed. Where it cannot, the next try does, or the next finish: nobody else. */
async function hasOldBack(joining: Joining): Promise<boolean> {
  try {
    await putBack(namesOf(joining), promoting, cleaningUp());
    return true;
  } catch (error) {
    const { context, destinationPath } = joining.file;
    context.log.warn({ path: destinationPath, error: messageOf(error) }, 'the old file waits for another try');
    return false;
  }
}

function namesOf({ file, unit }: Joining): Remains {
  const { context, destination, destinationPath } = file;
  const { job } = context;
  const [temporary = ''] = chunkPaths(job, unit);
  const overwrite = unit.decision === 'overwrite' || mayReplace(job.spec.options.existing);
  return { storage: destination, temporary, finalPath: destinationPath, overwrite, backup: file.backup };
}

/** What chunks were counted for until now. */
function counted(records: readonly ChunkRecord[]): { readonly chunkBytes: number } {
  return { chunkBytes: copiedChunks(records).reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A copied file loses what each of its chunks has lost. */
function copiedWith(file: FileCopy, chunks: readonly CopiedChunk[], verification: Verification): CopiedOutcome {
  const outcome = copied(file, verification);
  const all = [outcome, ...chunks];
  const warnings = [...new Set(all.flatMap(({ warnings: told = [] }) => told))];
  const reasons = [...new Set(all.flatMap(({ reasons: told = [] }) => told))];
  return warnings.length > 0 ? { ...outcome, warnings, reasons } : outcome;
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
