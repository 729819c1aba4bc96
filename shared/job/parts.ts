import type { DigestedChunk } from '../storage/chunked-digest.ts';
import type { Verification } from './spec.ts';
import type { Attempt } from './temporary.ts';

/** A part of a file that stands at the end of those before it. */
export interface CopiedPart extends DigestedChunk {
  /** How it was proved. */
  readonly verification: Verification;
}

/**
 * What is known of a file that is copied in parts, one after the other into the same temporary file: enough to go on behind the last one, and to
 * tell where that cannot be.
 */
export interface PartedFile {
  /** Length and modification time of the source when its parts were read. */
  readonly lengthBytes: number;
  readonly modifiedAtMs: number;
  /** Its inode: another file of the same length and time is not gone on with. Undefined where the source tells none. */
  readonly sourceInode?: number;
  /** Inode of the temporary file; undefined where the server tells none, or before there is a file. */
  readonly fileId?: number;
  /**
   * Names that something of it may have, the newest first. Once it was seen it has the first one; under the others may stand what comes late of
   * earlier tries, such as an empty file.
   */
  readonly names: readonly PartsName[];
  /** How often it was begun anew, by whichever claim: once is all. Absent: never. */
  readonly begunAnew?: number;
  /** Those that were proved, in order. */
  readonly parts: readonly CopiedPart[];
}

/** The try of its unit that a file in parts is named for. */
export type PartsName = Pick<Attempt, 'claim' | 'attempt'>;

/** Bytes that the parts of a file have. */
export function bytesOf(parts: readonly CopiedPart[]): number {
  return parts.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}
