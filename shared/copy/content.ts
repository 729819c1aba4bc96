import { createHash } from 'node:crypto';
import {
  type ChecksumLayout,
  compareChecksums,
  ContentDigest,
  type FileChecksum,
  hasEqualBlocks,
  isComposite,
  isOfNothing,
  isRegular,
  layoutOf,
  proves,
  sameLayout,
  striped,
  usualLayout,
} from '../storage/checksum.ts';
import type { Layouts, Near } from '../storage/capabilities.ts';
import { allBytes, type Storage } from '../storage/storage.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { isOpen } from '../storage/errors.ts';

/** A file to be compared or verified by its content. */
export interface ContentOf {
  readonly storage: Storage;
  readonly path: string;
  readonly lengthBytes: number;
}

/** The checksum that a storage keeps of a file; undefined where it keeps none. @throws StorageError open while somebody writes the file */
export async function storedChecksum(
  { storage, path, lengthBytes }: ContentOf,
  signal: AbortSignal,
  near?: Near,
): Promise<FileChecksum | undefined> {
  return storage.checksums?.stored(path, signal, near, lengthBytes);
}

/** The layouts in which a file's checksum is likely to be kept, or in which it is computed where none is kept. */
export async function expectedLayouts(
  { storage, path }: Pick<ContentOf, 'storage' | 'path'>,
  blockBytes: number | undefined,
  signal: AbortSignal,
): Promise<Layouts> {
  return (await storage.checksums?.expectedLayouts(path, blockBytes, signal)) ?? [usualLayout];
}

/** Reads a file and computes its checksum in one layout. */
export async function digestOf(file: ContentOf, layout: ChecksumLayout, signal: AbortSignal): Promise<FileChecksum> {
  const digest = new ContentDigest([layout]);
  const { body } = await file.storage.read(file.path, allBytes(file.lengthBytes), signal);
  for await (const chunk of body) digest.update(chunk);
  return digest.checksum(layout);
}

/**
 * Where the stored checksum's real blocks lie: files made by CONCAT or APPEND have irregular ones, and erasure-coded files stripes, under the algorithm
 * string of a regular file. Undefined for checksums of another family, of an empty file, and in encryption zones, where it is of the ciphertext.
 */
export async function storedLayout(
  file: ContentOf,
  stored: FileChecksum,
  signal: AbortSignal,
): Promise<ChecksumLayout | undefined> {
  const regular = layoutOf(stored);
  if (!regular) return undefined;
  const [status, blocks] = await allOrAbort(signal, [
    (both) => file.storage.stat(file.path, both),
    (both) => file.storage.checksums?.blockLengths(file.path, file.lengthBytes, both) ?? Promise.resolve(undefined),
  ]);
  if (status?.encrypted) return undefined;
  if (isComposite(regular)) return regular;
  const layout = striped(regular, status?.stripe);
  return !blocks || isRegular(blocks, layout) ? layout : { ...layout, blockBytes: blocks };
}

/**
 * What a comparison showed. Equal by `checksum`: the stored ones are the same; by `read-back`: one or both files were read. `open`: somebody
 * writes the second file, so that it holds nothing final.
 */
export type Comparison = 'checksum' | 'read-back' | 'different' | 'open';

/**
 * Whether two files of the same length hold the same bytes. Asks for the stored checksums first; reads a file, once,
 * only when these cannot settle it: other block sizes, irregular blocks or stripes, nothing stored, an encryption zone.
 *
 * @throws StorageError open when somebody writes the first file; SourceChangedError when either is found to have another length
 */
export async function compareContent(a: ContentOf, b: ContentOf, signal: AbortSignal): Promise<Comparison> {
  const [storedA, storedB] = await allOrAbort(signal, [
    (both) => storedChecksum(a, both),
    (both) => openOr(storedChecksum(b, both)),
  ]);
  if (storedB === 'open') return 'open';
  if (storedA && storedB) {
    if (compareChecksums(storedA, storedB) === 'equal') return 'checksum';
    if (isOfNothing(storedA) || isOfNothing(storedB)) return 'different';
  }
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
    return 'different';
  const equal = (same: boolean) => (same ? 'read-back' : 'different');
  if (storedB && layoutB) return equal(proves(storedB, await digestOf(a, layoutB, signal)));
  if (storedA && layoutA) {
    const digest = await openOr(digestOf(b, layoutA, signal));
    return digest === 'open' ? digest : equal(proves(storedA, digest));
  }
  const [layout] = await expectedLayouts(a, undefined, signal);
  const [digestA, digestB] = await allOrAbort(signal, [
    (both) => digestOf(a, layout, both),
    (both) => openOr(digestOf(b, layout, both)),
  ]);
  if (digestB === 'open') return digestB;
  return equal(proves(digestA, digestB));
}

async function openOr<T>(asked: Promise<T>): Promise<T | 'open'> {
  try {
    return await asked;
  } catch (error) {
    if (isOpen(error)) return 'open';
    throw error;
  }
}

/** Whether a shorter file is the beginning of another one. Reads as many bytes of both as the shorter one has. */
export async function isBeginningOf(part: ContentOf, whole: ContentOf, signal: AbortSignal): Promise<boolean> {
  if (part.lengthBytes >= whole.lengthBytes) return false;
  const [a, b] = await allOrAbort(signal, [
    (both) => openOr(hashOf(part, part.lengthBytes, both)),
    (both) => hashOf(whole, part.lengthBytes, both),
  ]);
  return a === b;
}

/** The SHA-256 of a file's first bytes, in hex. @throws SourceChangedError when it is found to have another length */
export async function hashOf(file: ContentOf, bytes: number, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const range = { offset: 0, lengthBytes: bytes, fileBytes: file.lengthBytes };
  const { body } = await file.storage.read(file.path, range, signal);
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}
