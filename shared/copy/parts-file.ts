import { setTimeout as sleep } from 'node:timers/promises';
import { FanoutError, SourceChangedError } from '../errors.ts';
import { mayReplace } from '../job/existing.ts';
import { bytesOf, type CopiedPart, type PartedFile } from '../job/parts.ts';
import { promoting } from '../storage/budget.ts';
import type { LayoutRefusal } from '../storage/capabilities.ts';
import { hasCode } from '../storage/errors.ts';
import { putBack } from '../storage/promote.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { FileUnit } from '../job/unit.ts';
import type { FileCopy } from './file-copy.ts';
import { isLong } from './long-files.ts';

/** For the lease of a writer that is gone, which the namenode takes after a minute, or for one that only seems to be gone, ms. */
const LEASE_MS = 120_000;
const LOOK_EVERY_MS = 1000;
/** Names that are kept of a file that was seen: what came before these tries comes no more. */
const MOST_NAMES = 20;
/** Before a file is looked at again that was cut, ms. */
const CUT_MS = 20;

/** The temporary file of a file that goes in parts, under the name of one try. */
export interface PartsFile {
  readonly path: string;
  readonly status: FileStatus;
  readonly known: PartedFile;
  /** What of its layout the destination did not take. */
  readonly refused: readonly LayoutRefusal[];
}

/**
 * Goes on with what earlier tries have written, or begins. What stands is given a name of this try's own first: whatever comes late of an
 * earlier one finds no file. It then holds just the parts that are recorded: what follows them is cut off, and where that cannot be done, or it
 * is another file, or was made of another source, it is deleted, and the file begins anew: once, whoever copies it.
 *
 * @param inode  of the source, where it tells one
 * @param attempt  never the same twice under one claim
 * @throws SourceChangedError, BegunAnewError where it has begun anew before
 */
export async function openParts(file: FileCopy, inode: number | undefined, attempt: number): Promise<PartsFile> {
  const { unit, claim, destination, attributes } = file;
  const { signal, log } = file.context;
  const name = { claim, attempt };
  const path = file.partsPath(name);
  const creation = await attributes.chunkCreation(unit, signal);
  const known = await file.knownParts();
  const names = [name, ...(known?.names ?? [])];
  const seen = names.slice(0, MOST_NAMES);
  let { begunAnew = 0 } = known ?? {};
  if (known) {
    await file.keepParts({ ...known, names });
    const status = await moved(file, known, path);
    const why = status ? await whyNot(file, inode, known, path, status) : 'the temporary file is gone';
    if (status && why === undefined) return { path, status, known: { ...known, names: seen }, refused: [] };
    if (known.parts.length > 0) {
      if (begunAnew > 0) throw begunTooOften(file, inode, known, why ?? '');
      begunAnew += 1;
      log.warn({ path: file.sourcePath, why }, 'a file in parts begins anew');
    }
    if (status) await destination.delete(path, signal);
  }
  const { lengthBytes, modifiedAtMs } = unit;
  const anew = begunAnew > 0 ? { begunAnew } : {};
  const of = { lengthBytes, modifiedAtMs, ...(inode === undefined ? {} : { sourceInode: inode }) };
  const begun: PartedFile = { ...of, names, ...anew, parts: [] };
  // Its name first: what a crash leaves is found by it.
  await file.keepParts(begun);
  const options = { ...creation, lengthBytes: 0, overwrite: false };
  const { refused = [] } = await destination.write(path, nothing(), options, signal);
  const status = await statusOf(file, path);
  const { fileId } = status;
  return { path, status, known: { ...begun, names: seen, ...(fileId === undefined ? {} : { fileId }) }, refused };
}

/** Records a part that was proved. @returns the file with it */
export async function withPart(file: FileCopy, written: PartsFile, part: CopiedPart): Promise<PartsFile> {
  const known = { ...written.known, parts: [...written.known.parts, part] };
  await file.keepParts(known);
  return { ...written, known };
}

/** Forgets the parts of a file: the next try begins anew. Where it has begun anew before, they stay. */
export async function forgetParts(file: FileCopy): Promise<void> {
  const known = await file.knownParts();
  if (known && !known.begunAnew) await file.keepParts({ ...known, begunAnew: 1, parts: [] });
}

/** Whether it has not begun anew yet. Each time costs all its bytes, and invocations would come and go without end. */
export async function mayBeginAnew(file: FileCopy): Promise<boolean> {
  return !(await file.knownParts())?.begunAnew;
}

/**
 * Deletes what was written of a file that goes another way by now, or will never be wanted.
 *
 * @param isForGood  false: it begins anew, which is counted
 * @throws PartsLeftError where something cannot be deleted: a job that ended well would leave it for good
 */
export async function dropParts(file: FileCopy, isForGood = true): Promise<void> {
  const { signal } = file.context;
  if (!mayHaveParts(file)) return;
  const known = await file.knownParts();
  if (!known) return;
  const { begunAnew = 0, ...rest } = known;
  await file.keepParts({ ...rest, ...(isForGood ? {} : { begunAnew: begunAnew + 1 }), parts: [] });
  try {
    await file.takePartsBack(known);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    throw new PartsLeftError(error);
  }
}

/** Gives the old file its name again where a promotion that was cut off had moved it aside. */
export async function putOldBack(file: FileCopy, signal: AbortSignal): Promise<void> {
  const { destination, destinationPath, context } = file;
  if (!mayHaveParts(file) || !mayReplace(context.job.spec.options.existing)) return;
  const { backup } = file;
  if (!backup && (await destination.replacesAtOnce?.(destinationPath, signal))) return;
  const known = await file.knownParts();
  for (const name of known?.names ?? []) {
    const names = { temporary: file.partsPath(name), finalPath: destinationPath, overwrite: true };
    await putBack({ storage: destination, ...names, backup }, promoting, signal);
  }
}

/** Whether a copier of this job, with more time or less, may have copied the file in parts: under an earlier claim it may have been longer. */
export function mayHaveParts({ planned, unit, claim, context }: FileCopy): boolean {
  return claim > 1 || [planned, unit].some((one) => isLong(one, context.job.spec.options, true));
}

/** Renames what stands under one of its names. @returns undefined where nothing does */
async function moved(file: FileCopy, { names }: PartedFile, path: string): Promise<FileStatus | undefined> {
  const { destination, context } = file;
  const { signal } = context;
  for (const name of names) {
    const from = file.partsPath(name);
    if (!(await destination.stat(from, signal))) continue;
    try {
      await destination.rename(from, path, false, signal);
      break;
    } catch (error) {
      // A rename of an earlier try that came late.
      if (!hasCode(error, 'not-found')) throw error;
    }
  }
  return destination.stat(path, signal);
}

/** Why a temporary file cannot be gone on with; undefined where it can, and holds just its parts. */
async function whyNot(
  file: FileCopy,
  inode: number | undefined,
  known: PartedFile,
  path: string,
  status: FileStatus,
): Promise<string | undefined> {
  const { fileId, parts } = known;
  if (parts.length === 0) return 'no part was recorded';
  if (!isOf(known, file.unit, inode)) return 'the source has changed';
  if (fileId !== status.fileId) return 'somebody else made the temporary file';
  return uncut(file, path, bytesOf(parts));
}

/** Whether the parts are of the source as it is now. */
function isOf(known: PartedFile, { lengthBytes, modifiedAtMs }: FileUnit, inode: number | undefined): boolean {
  const isAnother = known.sourceInode !== undefined && inode !== undefined && known.sourceInode !== inode;
  return !isAnother && known.lengthBytes === lengthBytes && known.modifiedAtMs === modifiedAtMs;
}

function begunTooOften(
  { unit, sourcePath: path }: FileCopy,
  inode: number | undefined,
  known: PartedFile,
  why: string,
): FanoutError {
  if (isOf(known, unit, inode)) return new BegunAnewError(path, why);
  return new SourceChangedError('it changed again while it was copied', { operation: 'GETFILESTATUS', path });
}

/** Cuts off what follows the parts, once nobody writes the file any more. @returns why that cannot be */
async function uncut(file: FileCopy, path: string, bytes: number): Promise<string | undefined> {
  const { destination, context } = file;
  const { signal } = context;
  const untilMs = performance.now() + LEASE_MS;
  for (;;) {
    const length = (await destination.closedLength?.(path, signal)) ?? (await statusOf(file, path)).lengthBytes;
    if (length === bytes) return undefined;
    if (length !== 'open' && length < bytes) return `it has ${length} bytes, and ${bytes} were recorded`;
    let isCut = false;
    let why = length === 'open' ? 'it is open for writing' : `it cannot be cut to ${bytes} bytes`;
    try {
      // It also makes the namenode take the lease of a writer that is gone.
      isCut = (await destination.appending?.truncate(path, bytes, signal)) === true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
      why = error.message;
      // It may come late, and cut off what is added until then: not under another name.
      if (error.mayHaveWorked) throw error;
      if (error.disposition !== 'retry') return why;
    }
    if (performance.now() > untilMs) return why;
    await sleep(isCut ? CUT_MS : LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** @throws StorageError not-found, to be tried again */
export async function statusOf({ destination, context }: FileCopy, path: string): Promise<FileStatus> {
  const status = await destination.stat(path, context.signal);
  if (status) return status;
  throw new GoneError(path);
}

/** Somebody has deleted or renamed a temporary file. */
class GoneError extends FanoutError {
  override readonly name = 'GoneError';
  constructor(path: string) {
    const where = { operation: 'GETFILESTATUS', path };
    super('the temporary file is gone', { disposition: 'retry', where, remedy: 'look for who deletes such files' });
  }
}

/** What stands of a file cannot be gone on with, and it has begun anew before. */
export class BegunAnewError extends FanoutError {
  override readonly name = 'BegunAnewError';
  constructor(path: string, why: string) {
    const remedy = 'look for who changes its temporary file, then resume the job';
    const reason = `its parts cannot be gone on with, for the second time: ${why}`;
    super(reason, { disposition: 'fail-unit', where: { operation: 'COPY', path }, remedy });
  }
}

/** What was written of a file that goes another way cannot be deleted. */
class PartsLeftError extends FanoutError {
  override readonly name = 'PartsLeftError';
  constructor({ reason, where, remedy, cause }: FanoutError) {
    super(`its parts are left: ${reason}`, { disposition: 'fail-unit', where, remedy, cause });
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A file begins empty, so that a refusal to add to it costs no byte.
}
