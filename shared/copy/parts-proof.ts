import { allOrAbort } from '../all-or-abort.ts';
import { IntegrityError } from '../errors.ts';
import type { Verification } from '../job/spec.ts';
import type { Layouts, Near } from '../storage/capabilities.ts';
import { ContentDigest, proves } from '../storage/checksum.ts';
import { ChunkedDigest, type DigestedChunk } from '../storage/chunked-digest.ts';
import type { ByteRange } from '../storage/storage.ts';
import type { ChunkLayouts } from './chunk-layouts.ts';
import type { FileCopy } from './file-copy.ts';
import type { PartsFile } from './parts-file.ts';
import { requireUnchanged } from './source.ts';
import { requireLength, verify, verifySource, verifyWritten, weaker } from './verify.ts';

/** A part that was just added to a file. */
export interface AddedPart {
  readonly file: FileCopy;
  readonly written: PartsFile;
  readonly part: DigestedChunk;
  /** Its place in the file. */
  readonly range: ByteRange;
  /** Of its bytes alone. */
  readonly digest: ContentDigest;
  readonly layouts: ChunkLayouts;
  readonly near: Near | undefined;
}

/**
 * Proves what a part has added: by the checksum that is stored of the file so far, and otherwise by reading the part again. What was read is proved
 * when the whole file is.
 * @throws IntegrityError
 */
export async function provePart(added: AddedPart, level: Verification): Promise<Verification> {
  const { file, written, part, layouts, near, range } = added;
  const { destination, context } = file;
  const so = {
    storage: destination,
    path: written.path,
    lengthBytes: range.offset + range.lengthBytes,
    near,
  };
  switch (level) {
    case 'none':
      return level;
    case 'length':
      await requireLength({ written: so }, context.signal);
      return level;
    case 'read-back':
      await readPart(added);
      return level;
    case 'checksum': {
      const digest = new ChunkedDigest([...written.known.parts, part]);
      const known = digestedIn(layouts.written, digest);
      const copy = known && { written: so, digest, writtenLayouts: known };
      if (copy && (await verifyWritten(copy, context.signal, undefined, true)) === 'checksum') return level;
      await readPart(added);
      return 'read-back';
    }
  }
}

/**
 * As `verify`, of a file of which each part was proved as it was written.
 * @returns the level that was reached: that of the weakest part at most
 */
export async function verifyParts(
  file: FileCopy,
  { path, known }: PartsFile,
  layouts: ChunkLayouts,
): Promise<Verification> {
  const { context, source, sourcePath, destination, unit } = file;
  const { job, signal } = context;
  const { lengthBytes, modifiedAtMs } = unit;
  const level = job.spec.options.verify;
  const encrypted = unit.encrypted === true;
  const written = { storage: destination, path, lengthBytes, near: undefined };
  const fileId = known.sourceInode;
  const ofSource = { storage: source, path: sourcePath, lengthBytes, near: undefined, modifiedAtMs, fileId, encrypted };
  const reachedByParts = known.parts.map(({ verification }) => verification).reduce(weaker, level);
  if (level === 'none') return level;
  if (level === 'length') {
    await allOrAbort(signal, [(both) => requireUnchanged(ofSource, both), (both) => requireLength({ written }, both)]);
    return level;
  }
  const digest = new ChunkedDigest(known.parts);
  // A source that keeps no checksum of its content is compared with none.
  const sourceLayouts = digestedIn(source.checksums && !encrypted ? layouts.source : layouts.written, digest);
  const writtenLayouts = digestedIn(layouts.written, digest);
  if (!sourceLayouts || !writtenLayouts) {
    const likely = { sourceLayouts: layouts.source, writtenLayouts: layouts.written };
    const copy = { source: ofSource, written, digest: undefined, ...likely };
    return weaker(reachedByParts, await verify({ ...copy, layoutsNow: () => Promise.resolve(likely) }, level, signal));
  }
  const likely = { sourceLayouts, writtenLayouts };
  const copy = { source: ofSource, written, digest, ...likely, layoutsNow: () => Promise.resolve(likely) };
  // What was written was read again part by part where no checksum tells.
  const reached = await allOrAbort(signal, [
    (both) => verifySource(copy, both),
    (both) => verifyWritten(copy, both, undefined, true),
  ]);
  return reached.reduce(weaker, reachedByParts);
}

/** The layouts in which all parts were digested; undefined where there is none. */
function digestedIn(layouts: Layouts, digest: ChunkedDigest): Layouts | undefined {
  const [first, ...others] = layouts.filter((layout) => digest.has(layout));
  return first && [first, ...others];
}

async function readPart({ file, written, range, digest, layouts, near }: AddedPart): Promise<void> {
  const { destination, context } = file;
  const [layout] = layouts.written;
  const again = new ContentDigest([layout]);
  const fileBytes = range.offset + range.lengthBytes;
  const { body } = await destination.read(written.path, { ...range, fileBytes }, context.signal);
  for await (const piece of body) again.update(piece);
  if (proves(again.checksum(layout), digest.checksum(layout))) return;
  throw new IntegrityError('what was read back is not what was written', {
    operation: 'APPEND',
    path: written.path,
    ...(near ? { host: near.host } : {}),
  });
}
