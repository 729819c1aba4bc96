import { FanoutError } from '../errors.ts';
import { isExists, type StorageCode } from '../storage/errors.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import type { FileStatus } from '../storage/storage.ts';
import { promote, withdraw } from '../storage/promote.ts';
import type { Verification } from '../job/spec.ts';
import type { FileCopy } from './file-copy.ts';
import { explained } from './source.ts';
import { stream } from './stream.ts';
import { takeBack } from './take-back.ts';

/**
 * One try of a file: writes it under a name of the try's own, verifies it, sets its attributes and promotes it. With `--direct` the name is
 * the file's own from the beginning. A try that fails is taken back.
 *
 * @param number  from 0, and never the same twice under one claim
 * @param onMoved  called whenever bytes have moved
 * @returns the verification level that was reached
 * @throws AppearedError when something took the name since it was looked for; as `stream` and `promote`
 */
export async function attempt(file: FileCopy, number: number, onMoved: () => void): Promise<Verification> {
  const { context, source, sourcePath, destination, destinationPath, attributes, unit, overwrite } = file;
  const { job, signal, progress } = context;
  const { direct, verify: level } = job.spec.options;
  await file.requireOwner();
  const replaced = direct ? await replacedFile(file) : undefined;
  const writtenPath = direct ? destinationPath : file.temporaryPath(number);
  const seen = { isBegun: false, bytes: 0 };
  const onBytes = (bytes: number) => {
    seen.isBegun = true;
    if (bytes === 0) return;
    seen.bytes += bytes;
    progress.bytes += bytes;
    progress.moved += bytes;
    onMoved();
  };
  try {
    const creation = await attributes.creation(unit, signal);
    const how = { level, creation, overwrite: direct && (overwrite || replaced !== undefined), direct, onBytes };
    const route = { source, sourcePath, destination, writtenPath };
    const { verification, writing } = await stream({ ...route, unit, ...how }, signal);
    await attributes.set(writtenPath, unit, writing.refused ?? [], signal);
    if (!direct) {
      await file.requireOwner();
      const { lengthBytes } = unit;
      const names = { temporary: writtenPath, finalPath: destinationPath };
      const promotion = { storage: destination, ...names, overwrite, lengthBytes, backup: file.backup };
      file.promoted = await promote(promotion, promoting, signal).catch(asLast);
    }
    return verification;
  } catch (error) {
    progress.bytes -= seen.bytes;
    if (!direct || (seen.isBegun && !isExists(error))) await discard(file, number, writtenPath, replaced);
    throw await explained(error, { storage: source, path: sourcePath, lengthBytes: unit.lengthBytes }, signal);
  }
}

/**
 * The file that `--direct` replaces: one that may be replaced, or the part that the try before could not delete. Any other file under that name
 * is somebody else's: neither written over nor discarded.
 */
async function replacedFile(file: FileCopy): Promise<FileStatus | undefined> {
  const { context, destination, destinationPath, overwrite } = file;
  const there = await destination.stat(destinationPath, context.signal);
  if (!there || overwrite) return there;
  if (file.hasRemains && (await file.holdsBeginning(there))) return there;
  throw new AppearedError(destinationPath);
}

/** Takes back what a failed try wrote, under whatever name. */
function discard(file: FileCopy, number: number, writtenPath: string, replaced: FileStatus | undefined): Promise<void> {
  const { destination, destinationPath } = file;
  const { direct } = file.context.job.spec.options;
  return takeBack(file, number, writtenPath, async (limit) => {
    if (direct && (await stillStands(file, replaced, limit))) return;
    const remains = { temporary: writtenPath, finalPath: destinationPath, overwrite: file.overwrite && !direct };
    const { backup } = file;
    await withdraw({ storage: destination, ...remains, backup }, wholeFile, limit);
    if (direct) file.hasRemains = false;
  });
}

/** Whether the file that `--direct` was to replace is under its name as before; also where no inode numbers tell. */
async function stillStands(
  { destination, destinationPath, overwrite }: FileCopy,
  replaced: FileStatus | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (!overwrite && !replaced) return false;
  const there = await destination.stat(destinationPath, signal);
  return there !== undefined && (there.fileId === undefined || there.fileId === replaced?.fileId);
}

/** Ends a unit with a promotion that failed: it has had tries of its own, and the bytes are not moved again for it. */
export function asLast(error: unknown): never {
  if (!(error instanceof FanoutError) || error.disposition !== 'retry') throw error;
  throw new NotPromotedError(error);
}

class NotPromotedError extends FanoutError {
  override readonly name = 'NotPromotedError';
  constructor({ reason, where, remedy, cause }: FanoutError) {
    super(reason, { disposition: 'fail-unit', where, remedy, cause });
  }
}

class AppearedError extends FanoutError {
  override readonly name = 'AppearedError';
  readonly code: StorageCode = 'exists';
  constructor(path: string) {
    const where = { operation: 'CREATE', path };
    super('it appeared after planning', { disposition: 'fail-unit', where, remedy: 'use --force to overwrite' });
  }
}
