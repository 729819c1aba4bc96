import { FanoutError, OpenFileError, SourceChangedError, SourceVanishedError, TransportError } from '../errors.ts';
import type { ContentOf } from './content.ts';
import type { Overtaken } from '../job/outcome.ts';
import { hasCode, isOpen } from '../storage/errors.ts';
import type { FileStatus } from '../storage/storage.ts';

/** A source file as it was listed. */
export interface SourceFile extends ContentOf {
  readonly modifiedAtMs: number;
  /** Its inode, where more than one read of the same file is to give one content. */
  readonly fileId?: number | undefined;
}

/** Waits for a request about the source. @throws SourceVanishedError when there is no such file any more */
export async function ofSource<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof FanoutError && error.where && hasCode(error, 'not-found'))
      throw new SourceVanishedError(error.where);
    throw error;
  }
}

/**
 * Refuses a file that somebody writes: it is listed shorter than it is, down to 0 bytes, and is not whole at any length.
 *
 * @throws OpenFileError; SourceChangedError when it is closed and has another length; SourceVanishedError
 */
export async function requireWhole({ storage, path, lengthBytes }: ContentOf, signal: AbortSignal): Promise<void> {
  const where = { operation: 'GET_BLOCK_LOCATIONS', path };
  const length = await ofSource(Promise.resolve(storage.closedLength?.(path, signal)));
  if (length === 'open') throw new OpenFileError(where);
  if (length !== undefined && length !== lengthBytes) {
    throw new SourceChangedError(`it has ${length} bytes now, ${lengthBytes} when it was listed`, where);
  }
}

/**
 * Why a source came with another length than it was listed with. An open file is being written: another try would find another length.
 * HttpFS sends an empty body in place of a block that it cannot read.
 *
 * @returns the error to go on with
 */
export async function explained(error: unknown, file: ContentOf, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof SourceChangedError) || !error.where) return error;
  const { storage, path, lengthBytes } = file;
  const length = await storage.closedLength?.(path, signal).catch(() => undefined);
  if (length === 'open') return new OpenFileError(error.where);
  if (length !== lengthBytes || error.where.operation !== 'OPEN') return error;
  const remedy = 'check hdfs fsck, and the log of HttpFS if it goes through one';
  return new TransportError(`the server sent another length than the ${length} bytes that it has`, error.where, {
    remedy,
  });
}

/** What became of the source, where that is why a file was not copied. */
export function overtakenBy(error: unknown): Overtaken | undefined {
  if (error instanceof SourceVanishedError) return 'vanished';
  return error instanceof SourceChangedError || isOpen(error) ? 'changed' : undefined;
}

/** @returns what stands there @throws SourceChangedError; SourceVanishedError */
export async function requireUnchanged(source: SourceFile, signal: AbortSignal): Promise<FileStatus> {
  const status = await source.storage.stat(source.path, signal);
  const where = { operation: 'GETFILESTATUS', path: source.path };
  if (!status) throw new SourceVanishedError(where);
  if (status.lengthBytes !== source.lengthBytes) {
    throw new SourceChangedError(
      `it changed while it was copied: ${source.lengthBytes} bytes planned, ${status.lengthBytes} now`,
      where,
    );
  }
  if (status.modifiedAtMs !== source.modifiedAtMs) {
    throw new SourceChangedError('it changed while it was copied', where);
  }
  if (source.fileId !== undefined && status.fileId !== undefined && status.fileId !== source.fileId) {
    throw new SourceChangedError('another file of its length and time has its name now', where);
  }
  return status;
}
