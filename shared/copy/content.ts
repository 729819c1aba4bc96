import {
  type ChecksumLayout,
  compareChecksums,
  ContentDigest,
  type FileChecksum,
  isRegular,
  layoutOf,
  hasEqualBlocks,
  proves,
  sameLayout,
  striped,
} from '../hdfs/checksum.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { together } from '../together.ts';

/** A file to be compared or verified by its content. */
export interface ContentOf {
  readonly fs: FileSystem;
  readonly path: string;
  readonly lengthBytes: number;
}

/** Reads a file and computes its checksum in one layout. */
export async function digestOf(file: ContentOf, layout: ChecksumLayout, signal: AbortSignal): Promise<FileChecksum> {
  const digest = new ContentDigest([layout]);
  const { body } = await file.fs.read(file.path, file.lengthBytes, signal);
  for await (const chunk of body) digest.update(chunk);
  return digest.checksum(layout);
}

/**
 * Where the stored checksum's real blocks lie: files made by CONCAT or APPEND have irregular ones, and erasure-coded files stripes, under the algorithm
 * string of a regular file. Undefined for checksums of another family and in encryption zones, where it is of the ciphertext.
 */
export async function storedLayout(
  file: ContentOf,
  stored: FileChecksum,
  signal: AbortSignal,
): Promise<ChecksumLayout | undefined> {
  const regular = layoutOf(stored);
  if (!regular) return undefined;
  const [status, blocks] = await together(signal, [
    (both) => file.fs.stat(file.path, both),
    (both) => file.fs.blockLengths(file.path, file.lengthBytes, both),
  ]);
  if (status?.encrypted) return undefined;
  const layout = striped(regular, status?.stripe);
  return !blocks || isRegular(blocks, layout) ? layout : { ...layout, blockBytes: blocks };
}

/**
 * Whether two files of the same length hold the same bytes. Asks for the stored checksums first; reads a file, once,
 * only when these cannot settle it: other block sizes, irregular blocks or stripes, nothing stored, an encryption zone.
 */
export async function sameContent(a: ContentOf, b: ContentOf, signal: AbortSignal): Promise<boolean> {
  const [storedA, storedB] = await together(signal, [
    (both) => a.fs.checksum(a.path, both, undefined, a.lengthBytes),
    (both) => b.fs.checksum(b.path, both, undefined, b.lengthBytes),
  ]);
  if (storedA && storedB && compareChecksums(storedA, storedB) === 'equal') return true;
  // Reading one file is enough where the other's checksum can be computed from it.
  const layoutB = storedB && (await storedLayout(b, storedB, signal));
  const layoutA = storedA && (await storedLayout(a, storedA, signal));
  if (
    storedA &&
    storedB &&
    layoutA &&
    layoutB &&
    hasEqualBlocks(layoutA) &&
    hasEqualBlocks(layoutB) &&
    sameLayout(layoutA, layoutB, a.lengthBytes)
  )
    return false;
  if (storedB && layoutB) return proves(storedB, await digestOf(a, layoutB, signal));
  if (storedA && layoutA) return proves(storedA, await digestOf(b, layoutA, signal));
  const layout = await a.fs.expectedLayout(a.path, undefined, signal);
  const [digestA, digestB] = await together(signal, [
    (both) => digestOf(a, layout, both),
    (both) => digestOf(b, layout, both),
  ]);
  return proves(digestA, digestB);
}
