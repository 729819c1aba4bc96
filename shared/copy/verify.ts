import { IntegrityError, SourceChangedError } from '../errors.ts';
import {
  type ContentDigest,
  type FileChecksum,
  hasEqualBlocks,
  layoutOf,
  proves,
  type RegularLayout,
  sameLayout,
} from '../hdfs/checksum.ts';
import type { Near } from '../hdfs/filesystem.ts';
import { together } from '../together.ts';
import { type ContentOf, digestOf, storedLayout } from './content.ts';
import type { Verification } from './spec.ts';

/** A file that was just streamed, before it gets its name. */
export interface Streamed {
  readonly source: ContentOf & {
    readonly near: Near | undefined;
    readonly modifiedAtMs: number;
    readonly encrypted: boolean;
  };
  readonly written: ContentOf & { readonly near: Near | undefined };
  /** Of the bytes that went by, in both layouts. */
  readonly digest: ContentDigest;
  readonly sourceLayout: RegularLayout;
  readonly writtenLayout: RegularLayout;
}

/**
 * Proves a copy before it is promoted.
 *
 *     checksum   the source's stored checksum is that of the bytes read, the destination's that of the bytes written
 *     read-back  the destination was read again and is what was written (where nothing comparable is stored)
 *     length     both lengths, and the source's modification time is the planned one
 *     none       nothing
 *
 * The source's checksum is asked for after the read, so it also shows that the source did not change meanwhile.
 *
 * @returns the level that was reached, which is never weaker than the one asked for
 * @throws SourceChangedError; IntegrityError when the bytes differ
 */
export async function verify(copy: Streamed, level: Verification, signal: AbortSignal): Promise<Verification> {
  if (level === 'none') return 'none';
  if (copy.written.lengthBytes === 0) {
    // No byte could differ: that both are still empty is all there is to show.
    await together(signal, [(both) => requireSourceUnchanged(copy, both), (both) => requireLength(copy, both)]);
    return level;
  }
  switch (level) {
    case 'length':
      await together(signal, [(both) => requireSourceUnchanged(copy, both), (both) => requireLength(copy, both)]);
      return 'length';
    case 'read-back':
      await together(signal, [(both) => verifySource(copy, both), (both) => readBack(copy, both)]);
      return 'read-back';
    case 'checksum': {
      const [, reached] = await together(signal, [
        (both) => verifySource(copy, both),
        (both) => verifyWritten(copy, both),
      ]);
      return reached;
    }
  }
}

async function verifySource(copy: Streamed, signal: AbortSignal): Promise<void> {
  const { source, digest, sourceLayout } = copy;
  const stored = source.encrypted
    ? undefined
    : await source.fs.checksum(source.path, signal, source.near, source.lengthBytes);
  if (!stored || !layoutOf(stored)) return requireSourceUnchanged(copy, signal);
  if (proves(stored, digest.checksum(sourceLayout))) return;
  await requireSourceUnchanged(copy, signal);
  // The guess of the layout was wrong, or the blocks are irregular: what was written is read in the real one.
  const layout = await storedLayout(source, stored, signal);
  const guessed = layout && hasEqualBlocks(layout) && sameLayout(layout, sourceLayout, source.lengthBytes);
  if (layout && !guessed && proves(stored, await digestOf(copy.written, layout, signal))) return;
  throw new IntegrityError(
    `the bytes read do not match the checksum of the source (${describe(stored)}, computed ${describe(digest.checksum(sourceLayout))})`,
    { operation: 'OPEN', path: source.path, ...(source.near ? { host: source.near.host } : {}) },
  );
}

async function verifyWritten(copy: Streamed, signal: AbortSignal): Promise<Verification> {
  const { written, digest, writtenLayout } = copy;
  const stored = await written.fs.checksum(written.path, signal, written.near, written.lengthBytes);
  if (stored && proves(stored, digest.checksum(writtenLayout))) return 'checksum';
  const layout = stored && (await storedLayout(written, stored, signal));
  if (stored && layout && hasEqualBlocks(layout) && sameLayout(layout, writtenLayout, written.lengthBytes)) {
    throw new IntegrityError(
      `its checksum is ${describe(stored)}, not ${describe(digest.checksum(writtenLayout))}`,
      whereWritten(copy),
    );
  }
  await readBack(copy, signal);
  return 'read-back';
}

async function readBack(copy: Streamed, signal: AbortSignal): Promise<void> {
  const { written, digest, writtenLayout } = copy;
  const read = await digestOf(written, writtenLayout, signal);
  if (read.value !== digest.checksum(writtenLayout).value) {
    throw new IntegrityError('what was read back is not what was written', whereWritten(copy));
  }
}

async function requireLength({ written }: Streamed, signal: AbortSignal): Promise<void> {
  const status = await written.fs.stat(written.path, signal);
  if (status?.lengthBytes === written.lengthBytes) return;
  throw new IntegrityError(`it has ${status?.lengthBytes ?? 'no'} bytes, not ${written.lengthBytes}`, {
    operation: 'GETFILESTATUS',
    path: written.path,
  });
}

async function requireSourceUnchanged({ source }: Streamed, signal: AbortSignal): Promise<void> {
  const status = await source.fs.stat(source.path, signal);
  const where = { operation: 'GETFILESTATUS', path: source.path };
  if (!status) throw new SourceChangedError('it vanished while it was copied', where);
  if (status.lengthBytes !== source.lengthBytes) {
    throw new SourceChangedError(
      `it changed while it was copied: ${source.lengthBytes} bytes planned, ${status.lengthBytes} now`,
      where,
    );
  }
  if (status.modifiedAtMs !== source.modifiedAtMs)
    throw new SourceChangedError('it changed while it was copied', where);
}

function whereWritten({ written }: Streamed) {
  return { operation: 'CREATE', path: written.path, ...(written.near ? { host: written.near.host } : {}) };
}

function describe(checksum: FileChecksum): string {
  return `${checksum.algorithm}:${checksum.value}`;
}
