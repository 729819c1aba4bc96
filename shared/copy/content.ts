import {
  type ChecksumLayout,
  compareChecksums,
  ContentDigest,
  type FileChecksum,
  isRegular,
  layoutOf,
  proves,
} from '../hdfs/checksum.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { together } from '../together.ts';

/** A file to be compared or verified by its content. */
export interface ContentOf {
  readonly fs: FileSystem;
  readonly path: string;
  readonly lengthBytes: number;
}

interface Compared extends ContentOf {
  /** In an encryption zone: its stored checksum is of the ciphertext and says nothing of the bytes. */
  readonly encrypted: boolean;
}

/** Reads a file and computes its checksum in one layout. */
export async function digestOf(file: ContentOf, layout: ChecksumLayout, signal: AbortSignal): Promise<FileChecksum> {
  const digest = new ContentDigest([layout]);
  const { body } = await file.fs.read(file.path, file.lengthBytes, signal);
  for await (const chunk of body) digest.update(chunk);
  return digest.checksum(layout);
}

/**
 * Where the stored checksum's real blocks lie: files made by CONCAT or APPEND have irregular ones under the algorithm
 * string of a regular file. Undefined for checksums of another family.
 */
export async function storedLayout(
  file: ContentOf,
  stored: FileChecksum,
  signal: AbortSignal,
): Promise<ChecksumLayout | undefined> {
  const layout = layoutOf(stored);
  if (!layout) return undefined;
  const blocks = await file.fs.blockLengths(file.path, file.lengthBytes, signal);
  return !blocks || isRegular(blocks, layout.blockBytes) ? layout : { ...layout, blockBytes: blocks };
}

async function storedOf({ fs, path, encrypted }: Compared, signal: AbortSignal): Promise<FileChecksum | undefined> {
  return encrypted ? undefined : fs.checksum(path, signal);
}

/**
 * Whether two files of the same length hold the same bytes. Asks for the stored checksums first; reads a file, once,
 * only when these cannot settle it: other block sizes, irregular blocks, nothing stored, an encryption zone.
 */
export async function sameContent(a: Compared, b: Compared, signal: AbortSignal): Promise<boolean> {
  const [storedA, storedB] = await together(signal, [(both) => storedOf(a, both), (both) => storedOf(b, both)]);
  if (storedA && storedB && compareChecksums(storedA, storedB) === 'equal') return true;
  // Reading one file is enough where the other's checksum can be computed from it.
  const layoutB = storedB && (await storedLayout(b, storedB, signal));
  const layoutA = storedA && (await storedLayout(a, storedA, signal));
  if (storedA && storedB && compareChecksums(storedA, storedB) === 'different') {
    const regular = typeof layoutA?.blockBytes === 'number' && typeof layoutB?.blockBytes === 'number';
    if (regular) return false;
  }
  if (storedB && layoutB) return proves(storedB, await digestOf(a, layoutB, signal));
  if (storedA && layoutA) return proves(storedA, await digestOf(b, layoutA, signal));
  const layout = await a.fs.expectedLayout(a.path, undefined, signal);
  const [digestA, digestB] = await together(signal, [
    (both) => digestOf(a, layout, both),
    (both) => digestOf(b, layout, both),
  ]);
  return proves(digestA, digestB);
}
