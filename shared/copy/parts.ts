import { DeadlineReached, LeftForNext } from '../deadline.ts';
import { FanoutError, IntegrityError, messageOf, SourceChangedError } from '../errors.ts';
import { bytesOf, type CopiedPart } from '../job/parts.ts';
import type { Verification } from '../job/spec.ts';
import { readBytesOf, strideOf } from '../job/stride.ts';
import { type Again, retry } from '../retry.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import { ContentDigest } from '../storage/checksum.ts';
import { addsUp, digestedBlocks } from '../storage/chunked-digest.ts';
import { hasCode } from '../storage/errors.ts';
import { promote } from '../storage/promote.ts';
import { cleaningUp } from '../storage/urgent.ts';
import { chunkLayouts } from './chunk-layouts.ts';
import type { FileCopy } from './file-copy.ts';
import { isLong, obstacleToParts } from './long-files.ts';
import {
  BegunAnewError,
  dropParts,
  forgetParts,
  mayBeginAnew,
  mayHaveParts,
  openParts,
  type PartsFile,
  putOldBack,
  statusOf,
  withPart,
} from './parts-file.ts';
import { provePart, verifyParts } from './parts-proof.ts';
import { weaker } from './verify.ts';
import { explained, ofSource, overtakenBy, requireUnchanged, requireWhole } from './source.ts';
import { Patience, refresh } from './tries.ts';

/** Parts that a file is cut into at most: after each the checksum of all before it is asked for. */
const MOST_PARTS = 100;
/** What a copier in AWS moves at least, bytes a second: no more of them copy at once than that. @see aws/scale.ts */
const LEAST_RATE = 1024 ** 3 / 600;
/** Of the time that is left, how much a part may take by the rate of the one before it. */
const SHARE_OF_TIME = 0.8;

/**
 * Copies a long file in parts, one after the other into the same temporary file: the first APPEND goes to an empty one, and each part is proved and
 * recorded before the next. Whoever takes the file up later, after a crash or in another invocation, goes on behind the last part that
 * is recorded. The whole is then verified, gets its attributes and its name as any file.
 *
 * @returns the verification level that was reached; undefined where the file does not go in parts, and nothing stands of it
 * @throws LeftForNext when the time is over and the next invocation has less to do; as `copyWithTries`
 */
export async function copyInParts(file: FileCopy): Promise<Verification | undefined> {
  const { context, destination, destinationPath } = file;
  const { options } = context.job.spec;
  let hasChanged = false;
  for (;;) {
    if (!isLong(file.unit, options, context.deadline !== undefined)) break;
    if (obstacleToParts(file.unit, options, destination, destinationPath) !== undefined) break;
    const copy = new PartsCopy(file);
    try {
      return await copy.run();
    } catch (error) {
      copy.takeBack();
      const reason: unknown = context.signal.reason;
      if (reason instanceof DeadlineReached && copy.hasRecorded) throw new LeftForNext();
      context.signal.throwIfAborted();
      if (error instanceof NotAddedError) break;
      const isAnew = error instanceof SourceChangedError && !hasChanged && (await mayBeginAnew(file));
      // Nothing that was read of another file is wanted any more.
      const isUnwanted =
        overtakenBy(error) !== undefined || error instanceof IntegrityError || error instanceof BegunAnewError;
      if (isUnwanted) await dropInAnyCase(file, !isAnew);
      if (!isAnew) throw error;
      hasChanged = true;
      file.retries += 1;
      await refresh(file);
    }
  }
  await dropParts(file);
  return undefined;
}

/**
 * Finds a file that an earlier claim has given its name, and died before it could say so. It was verified before that, and its content is not
 * read again: its inode is the one that was recorded.
 *
 * @returns the verification level that was reached; undefined where there is no such file
 */
export async function promotedInParts(file: FileCopy): Promise<Verification | undefined> {
  const { context, destination, destinationPath, planned } = file;
  const { signal, progress } = context;
  if (file.claim === 1 || !mayHaveParts(file)) return undefined;
  const known = await file.knownParts();
  if (known?.fileId === undefined || bytesOf(known.parts) !== known.lengthBytes) return undefined;
  const { lengthBytes, modifiedAtMs } = known;
  const status = await destination.stat(destinationPath, signal);
  if (status?.fileId !== known.fileId || status.lengthBytes !== lengthBytes) return undefined;
  file.unit = { ...planned, lengthBytes, modifiedAtMs };
  // An old file that was moved aside.
  await dropParts(file);
  progress.bytes += lengthBytes;
  const written = { path: destinationPath, status, known, refused: [] };
  try {
    return await verifyParts(file, written, await chunkLayouts(file, file.unit, status.blockBytes, signal));
  } catch (error) {
    // Its source may have changed since, and then says nothing any more.
    if (!overtakenBy(error)) throw error;
    return known.parts.map(({ verification }) => verification).reduce(weaker, 'read-back');
  }
}

/** Drops the parts of a file that fails, or begins anew, in any case: what cannot be deleted is left for that, or for `clean`. */
async function dropInAnyCase(file: FileCopy, isForGood: boolean): Promise<void> {
  const { log, signal } = file.context;
  try {
    await dropParts(file, isForGood);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    log.warn({ path: file.destinationPath, error: messageOf(error) }, 'the parts of a file are left');
  }
}

/** The server lets nobody add to files: nothing of this one was moved. */
class NotAddedError extends Error {
  override readonly name = 'NotAddedError';
}

/** The copy of one file in parts, of one state of its source. */
class PartsCopy {
  readonly #file: FileCopy;
  #written: PartsFile | undefined;
  /** Of the source, from the first look at it on. */
  #inode: number | undefined;
  /** Bytes that the progress display has got of the file. */
  #shownBytes = 0;
  #progressedAtMs = 0;
  #bytesPerSecond = LEAST_RATE;
  /** Whether the try moved bytes, which then move again. */
  #hasMoved = false;
  /** Whether a part was recorded: another invocation has less to do. */
  hasRecorded = false;

  constructor(file: FileCopy) {
    this.#file = file;
  }

  async run(): Promise<Verification> {
    const { context, unit, destination, destinationPath, overwrite } = this.#file;
    const { signal } = context;
    await requireWhole(this.#listed, signal);
    this.#inode = (await requireUnchanged(this.#listed, signal)).fileId;
    let verification: Verification | undefined;
    while (verification === undefined) verification = await this.#stepWithTries();
    await this.#file.requireOwner();
    const { path = '' } = this.#written ?? {};
    const names = { temporary: path, finalPath: destinationPath };
    const { lengthBytes } = unit;
    try {
      const { backup } = this.#file;
      const promotion = { storage: destination, ...names, overwrite, lengthBytes, backup };
      this.#file.promoted = await promote(promotion, promoting, signal);
    } catch (error) {
      await putOldBack(this.#file, cleaningUp()).catch((failure: unknown) =>
        context.log.warn({ path: destinationPath, error: messageOf(failure) }, 'the old file waits for a resume'),
      );
      throw error;
    }
    return verification;
  }

  /** Takes the bytes of a copy that failed out of the progress display. */
  takeBack(): void {
    this.#show(0);
  }

  get #listed() {
    const { source, sourcePath, unit } = this.#file;
    const { lengthBytes, modifiedAtMs } = unit;
    return { storage: source, path: sourcePath, lengthBytes, modifiedAtMs, fileId: this.#inode };
  }

  #stepWithTries(): Promise<Verification | undefined> {
    const file = this.#file;
    const { log, signal } = file.context;
    const patience = new Patience();
    let mismatches = 0;
    const again = (error: unknown): Again => {
      if (error instanceof LeftForNext || error instanceof NotAddedError) return 'no';
      log.warn({ path: file.sourcePath, error: messageOf(error) }, 'a try of a part failed');
      return patience.after(error, this.#hasMoved);
    };
    const tryOnce = async (number: number) => {
      if (number > 0) file.retries += 1;
      this.#hasMoved = false;
      try {
        return await this.#step();
      } catch (error) {
        this.#written = undefined;
        if (error instanceof IntegrityError) mismatches += 1;
        // What stands may be wrong before the last part as well.
        if (mismatches > 1) await forgetParts(file);
        throw error;
      }
    };
    return retry(wholeFile, signal, again, tryOnce, () => this.#progressedAtMs);
  }

  /** Copies a part, or ends the file when it has all of them. */
  async #step(): Promise<Verification | undefined> {
    const file = this.#file;
    const { unit, context, attributes } = file;
    const written = (this.#written ??= await openParts(file, this.#inode, file.retries));
    const bytes = bytesOf(written.known.parts);
    this.#show(bytes);
    const layouts = await chunkLayouts(file, unit, written.status.blockBytes, context.signal);
    if (bytes < unit.lengthBytes) {
      this.#written = await this.#copyPart(written, bytes, layouts);
      return undefined;
    }
    if (context.deadline?.isNear() && this.hasRecorded) throw new LeftForNext();
    const verification = await verifyParts(file, written, layouts);
    await attributes.set(written.path, unit, written.refused, context.signal, true);
    return verification;
  }

  async #copyPart(
    written: PartsFile,
    offset: number,
    layouts: Awaited<ReturnType<typeof chunkLayouts>>,
  ): Promise<PartsFile> {
    const file = this.#file;
    const { context, source, sourcePath, unit } = file;
    const { job, signal, progress } = context;
    const stride = this.#strideBytes(written);
    const lengthBytes = this.#nextBytes(unit.lengthBytes - offset, stride);
    const beganAtMs = performance.now();
    await file.requireOwner();
    await requireUnchanged(this.#listed, signal);
    const { verify: level } = job.spec.options;
    const isDigested = level !== 'none' && level !== 'length';
    const adding = [...layouts.source, ...layouts.written].filter((layout) => isDigested && addsUp(layout, stride));
    const digest = new ContentDigest(isDigested ? [...layouts.written, ...adding] : []);
    const range = { offset, lengthBytes, fileBytes: unit.lengthBytes };
    const unwanted = new AbortController();
    const both = AbortSignal.any([signal, unwanted.signal]);
    let cancel: (() => void) | undefined;
    const counted = async function* (this: PartsCopy) {
      const reading = await ofSource(source.read(sourcePath, range, both));
      ({ cancel } = reading);
      for await (const piece of reading.body) {
        digest.update(piece);
        progress.moved += piece.length;
        this.#show(this.#shownBytes + piece.length);
        this.#progressedAtMs = performance.now();
        this.#hasMoved = true;
        yield piece;
      }
    };
    // It hears nothing of what went wrong at the destination, which is none of its failures.
    const letGo = () => {
      unwanted.abort();
      cancel?.();
    };
    const near = await this.#append(written, counted.call(this), lengthBytes, letGo);
    await requireUnchanged(this.#listed, signal);
    await this.#requireOwn(written, offset + lengthBytes);
    const part = { lengthBytes, blocks: digestedBlocks(digest, adding) };
    const verification = await provePart({ file, written, part, range, digest, layouts, near }, level);
    const proved: CopiedPart = { ...part, verification };
    const now = await withPart(file, written, proved);
    this.hasRecorded = true;
    this.#bytesPerSecond = (lengthBytes / Math.max(1, performance.now() - beganAtMs)) * 1000;
    return now;
  }

  /** @param letGo  is called when nobody takes the source's bytes any more */
  async #append({ path, known }: PartsFile, body: AsyncIterable<Uint8Array>, lengthBytes: number, letGo: () => void) {
    const { destination, sourcePath, unit, source, context } = this.#file;
    const { signal, log } = context;
    try {
      return (await destination.appending?.append(path, body, lengthBytes, signal))?.near;
    } catch (error) {
      letGo();
      signal.throwIfAborted();
      const isFirst = known.parts.length === 0;
      if (isFirst && hasCode(error, 'unsupported', 'invalid', 'denied', 'not-webhdfs') && isOfAppend(error)) {
        log.warn({ path: sourcePath, error: messageOf(error) }, 'it goes as one stream');
        throw new NotAddedError(messageOf(error));
      }
      throw await explained(error, { storage: source, path: sourcePath, lengthBytes: unit.lengthBytes }, signal);
    }
  }

  /** Nobody else has added to the file, or put another one in its place. */
  async #requireOwn({ path, status }: PartsFile, lengthBytes: number): Promise<void> {
    const now = await statusOf(this.#file, path);
    if (now.lengthBytes === lengthBytes && now.fileId === status.fileId) return;
    throw new IntegrityError(`it has ${now.lengthBytes} bytes, not ${lengthBytes}`, {
      operation: 'GETFILESTATUS',
      path,
    });
  }

  #strideBytes({ status }: PartsFile): number {
    const { source, unit } = this.#file;
    return strideOf(readBytesOf(unit, source), status.blockBytes).strideBytes;
  }

  /**
   * Length of the next part: within what is likely to be moved in the time that is left.
   * @throws LeftForNext where another invocation has more of it
   */
  #nextBytes(leftBytes: number, stride: number): number {
    const { context, unit } = this.#file;
    const { deadline, job } = context;
    const usual = Math.max(job.spec.options.chunkSize, unit.lengthBytes / MOST_PARTS);
    const most = Math.min(Math.ceil(usual / stride) * stride, leftBytes);
    if (!deadline) return most;
    const room = (deadline.leftMs / 1000) * this.#bytesPerSecond * SHARE_OF_TIME;
    if (most <= room) return most;
    const strides = Math.floor(room / stride);
    if (strides > 0) return Math.min(strides * stride, leftBytes);
    if (this.hasRecorded || !deadline.isFresh) throw new LeftForNext();
    return Math.min(stride, leftBytes);
  }

  #show(bytes: number): void {
    this.#file.context.progress.bytes += bytes - this.#shownBytes;
    this.#shownBytes = bytes;
  }
}

function isOfAppend(error: unknown): boolean {
  return error instanceof FanoutError && error.where?.operation === 'APPEND';
}
