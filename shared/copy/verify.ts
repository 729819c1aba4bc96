import { IntegrityError, SourceChangedError } from '../errors.ts';
import {
  type ChecksumLayout,
  isOfNothing,
  ContentDigest,
  type FileChecksum,
  hasEqualBlocks,
  proves,
  type RegularLayout,
  sameLayout,
} from '../storage/checksum.ts';
import type { Layouts, Near } from '../storage/capabilities.ts';
import { allBytes } from '../storage/storage.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { type ContentOf, digestOf, storedChecksum, storedLayout } from './content.ts';
import { ofSource, requireUnchanged, requireWhole, type SourceFile } from './source.ts';
import { type Verification, verificationLevels } from '../job/spec.ts';
import { isOpen } from '../storage/errors.ts';

/** Servers before Hadoop 3.3.1 may give a wrong checksum to a block that was lost and computed again: the bytes may be right. */
const ERASURE_CODED =
  'the checksum stored of an erasure-coded file may itself be wrong: compare the contents, or copy with --verify length';

/** A file that was just written under a name of its try, to be verified before it gets its own. */
export interface Streamed extends BothLayouts {
  readonly source: SourceFile & { readonly near: Near | undefined; readonly encrypted: boolean };
  readonly written: ContentOf & { readonly near: Near | undefined };
  /** Digest of the bytes that were read and written, in all of the layouts below; undefined where the stored checksums are to be compared. */
  readonly digest: Pick<ContentDigest, 'checksum'> | undefined;
  /** The likely layouts as they are known now: a checksum that was seen meanwhile may have shown another one. */
  readonly layoutsNow: () => Promise<BothLayouts>;
  /** How the written file is read again and digested in another layout; left out where that is done in one go. */
  readonly readAgain?: (layout: ChecksumLayout, signal: AbortSignal) => Promise<FileChecksum>;
}

export interface BothLayouts {
  readonly sourceLayouts: Layouts;
  readonly writtenLayouts: Layouts;
}

/**
 * Proves a copy before it is promoted.
 *
 *     level      the source                                      the destination
 *     checksum   its stored checksum is that of the bytes read   its stored checksum is that of the bytes written
 *     read-back  its length and modification time are as listed  its stored checksum, or what was read again, is of the bytes written
 *     length     as for read-back                                has as many bytes
 *     none       nothing                                         nothing
 *
 * The level that is reached is the weaker one of both sides. Asked for checksum, a side that stores none that can be compared (the local disk, an encryption
 * zone, `dfs.checksum.type=NULL`) leaves read-back. The source's checksum is asked for after the read, so that it also shows that the
 * source did not change meanwhile.
 *
 * @returns the level that was reached
 * @throws SourceChangedError; SourceVanishedError; StorageError open; IntegrityError when the bytes differ
 */
export async function verify(copy: Streamed, level: Verification, signal: AbortSignal): Promise<Verification> {
  if (level === 'none') return 'none';
  if (copy.written.lengthBytes === 0) {
    // No byte could differ: that both are empty is all there is to show, of the source before it was copied.
    await requireLength(copy, signal);
    return level;
  }
  switch (level) {
    case 'length':
      await allOrAbort(signal, [(both) => requireUnchanged(copy.source, both), (both) => requireLength(copy, both)]);
      return 'length';
    case 'read-back': {
      const digested = { ...copy, digest: copy.digest ?? (await digestAfterwards(copy, copy.source, signal)) };
      await allOrAbort(signal, [(both) => verifySource(digested, both), (both) => readBack(digested, both)]);
      return 'read-back';
    }
    case 'checksum': {
      const { digest } = copy;
      if (digest) return verifyBoth({ ...copy, digest }, signal);
      const stored = await storedOfBoth(copy, signal);
      return isAlike(stored) ? 'checksum' : verifyAfterwards(copy, stored, signal);
    }
  }
}

export function weaker(a: Verification, b: Verification): Verification {
  return verificationLevels.indexOf(a) > verificationLevels.indexOf(b) ? a : b;
}

/** The checksums that both clusters keep of the two files; undefined where there is none. */
export interface StoredOfBoth {
  readonly ofRead: FileChecksum | undefined;
  readonly ofWritten: FileChecksum | undefined;
}

/** The source's checksum is asked for after the read, as ever. @throws IntegrityError when the written file is not closed */
export async function storedOfBoth(
  copy: Pick<Streamed, 'source' | 'written'>,
  signal: AbortSignal,
): Promise<StoredOfBoth> {
  const [ofRead, ofWritten] = await allOrAbort(signal, [
    (both) => storedOfSource(copy, both),
    (both) => storedOfWritten(copy, both),
  ]);
  return { ofRead, ofWritten };
}

/**
 * Whether source and destination keep the same checksum. Each is computed of the bytes as that side has them, so that equal ones prove the
 * copy from disk to disk.
 */
export function isAlike({ ofRead, ofWritten }: StoredOfBoth): boolean {
  return ofRead !== undefined && ofWritten !== undefined && !isOfNothing(ofRead) && proves(ofRead, ofWritten);
}

async function verifyBoth(copy: Digested, signal: AbortSignal): Promise<Verification> {
  const reached = await allOrAbort(signal, [(both) => verifySource(copy, both), (both) => verifyWritten(copy, both)]);
  return reached.reduce(weaker);
}

/**
 * Proves a copy of which no byte was digested on its way, where the stored checksums did not settle it: other layouts than expected, or other
 * bytes. The written file is read; where the source's checksum cannot be compared with that, the source is read again as well.
 */
async function verifyAfterwards(copy: Streamed, stored: StoredOfBoth, signal: AbortSignal): Promise<Verification> {
  const layouts = await copy.layoutsNow();
  const now = { ...copy, ...layouts };
  const ofWritten = { ...now, digest: await digestAfterwards(now, copy.written, signal) };
  if ((await verifySource(ofWritten, signal, stored)) === 'checksum')
    return verifyWritten(ofWritten, signal, stored, true);
  await verifyWritten({ ...now, digest: await digestAfterwards(now, copy.source, signal) }, signal, stored);
  return 'read-back';
}

/** Reads one of the two files once more, and digests it in the layouts of both. */
async function digestAfterwards(copy: Streamed, file: ContentOf, signal: AbortSignal): Promise<ContentDigest> {
  const digest = new ContentDigest([...copy.sourceLayouts, ...copy.writtenLayouts]);
  try {
    const { body } = await file.storage.read(file.path, allBytes(file.lengthBytes), signal);
    for await (const piece of body) digest.update(piece);
  } catch (error) {
    if (file === copy.written && error instanceof SourceChangedError)
      throw new IntegrityError(error.reason, whereWritten(copy));
    throw error;
  }
  return digest;
}

type Digested = Omit<Streamed, 'layoutsNow'> & { readonly digest: Pick<ContentDigest, 'checksum'> };

/** What is looked at of a written file alone. */
export type Written = Pick<Digested, 'written' | 'digest' | 'writtenLayouts' | 'readAgain'>;

/** In an encryption zone it is of the ciphertext. */
async function storedOfSource(
  { source }: Pick<Streamed, 'source'>,
  signal: AbortSignal,
): Promise<FileChecksum | undefined> {
  return source.encrypted ? undefined : ofSource(storedChecksum(source, signal, source.near));
}

/** Proves what was read, as `verify` says. */
export async function verifySource(copy: Digested, signal: AbortSignal, known?: StoredOfBoth): Promise<Verification> {
  const { source, digest, sourceLayouts } = copy;
  const stored = known ? known.ofRead : await storedOfSource(copy, signal);
  if (stored && sourceLayouts.some((layout) => proves(stored, digest.checksum(layout)))) return 'checksum';
  await requireUnchanged(source, signal);
  if (!stored && !source.encrypted) await requireWhole(source, signal);
  // The guess of the layout was wrong, or the blocks are irregular: what was written is read in the real one.
  const layout = stored && (await storedLayout(source, stored, signal));
  if (!layout) return 'read-back';
  if (!isAmong(sourceLayouts, layout, source.lengthBytes)) {
    if (proves(stored, await digestWritten(copy, layout, signal))) return 'checksum';
  }
  throw new IntegrityError(
    `the bytes read do not match the checksum of the source (${describe(stored)})`,
    { operation: 'OPEN', path: source.path, ...(source.near ? { host: source.near.host } : {}) },
    layout.stripe ? ERASURE_CODED : undefined,
  );
}

async function storedOfWritten(
  copy: Pick<Streamed, 'written'>,
  signal: AbortSignal,
): Promise<FileChecksum | undefined> {
  const { written } = copy;
  try {
    return await storedChecksum(written, signal, written.near);
  } catch (error) {
    // Nobody but this copy writes it: it was not closed well, and nothing is said of the source.
    if (isOpen(error)) throw new IntegrityError('it is not closed', whereWritten(copy));
    throw error;
  }
}

/**
 * Proves a written file by the checksum that its storage keeps, or by reading it again.
 * @param isReadBack  whether the digest is of the written file as it was read again
 * @throws IntegrityError
 */
export async function verifyWritten(
  copy: Written,
  signal: AbortSignal,
  known?: StoredOfBoth,
  isReadBack = false,
): Promise<Verification> {
  const { written, digest, writtenLayouts } = copy;
  const stored = known ? known.ofWritten : await storedOfWritten(copy, signal);
  if (stored && writtenLayouts.some((layout) => proves(stored, digest.checksum(layout)))) return 'checksum';
  const layout = stored && (await storedLayout(written, stored, signal));
  if (layout && isAmong(writtenLayouts, layout, written.lengthBytes)) {
    throw new IntegrityError(
      `its checksum, ${describe(stored)}, is not that of the bytes written`,
      whereWritten(copy),
      layout.stripe ? ERASURE_CODED : undefined,
    );
  }
  if (!isReadBack) await readBack(copy, signal);
  return 'read-back';
}

/** Whether one of the layouts that were computed gives the same checksum as this one. */
function isAmong(layouts: readonly RegularLayout[], layout: ChecksumLayout, lengthBytes: number): boolean {
  return hasEqualBlocks(layout) && layouts.some((computed) => sameLayout(layout, computed, lengthBytes));
}

/** A written file that has another length was not changed by its writer, as a source may be, but by somebody else or by a fault. */
export async function digestWritten(
  copy: Pick<Streamed, 'written' | 'readAgain'>,
  layout: ChecksumLayout,
  signal: AbortSignal,
): Promise<FileChecksum> {
  try {
    return await (copy.readAgain?.(layout, signal) ?? digestOf(copy.written, layout, signal));
  } catch (error) {
    if (error instanceof SourceChangedError) throw new IntegrityError(error.reason, whereWritten(copy));
    throw error;
  }
}

export async function readBack(copy: Written, signal: AbortSignal): Promise<void> {
  const [layout] = copy.writtenLayouts;
  const read = await digestWritten(copy, layout, signal);
  if (!proves(read, copy.digest.checksum(layout))) {
    throw new IntegrityError('what was read back is not what was written', whereWritten(copy));
  }
}

export async function requireLength({ written }: Pick<Streamed, 'written'>, signal: AbortSignal): Promise<void> {
  const status = await written.storage.stat(written.path, signal);
  if (status?.lengthBytes === written.lengthBytes) return;
  throw new IntegrityError(`it has ${status?.lengthBytes ?? 'no'} bytes, not ${written.lengthBytes}`, {
    operation: 'GETFILESTATUS',
    path: written.path,
  });
}

function whereWritten({ written }: Pick<Streamed, 'written'>) {
  return { operation: 'CREATE', path: written.path, ...(written.near ? { host: written.near.host } : {}) };
}

function describe(checksum: FileChecksum): string {
  return `${checksum.algorithm}:${checksum.value}`;
}
