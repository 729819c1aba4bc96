import { ContentDigest, sameLayout, striped } from '../storage/checksum.ts';
import { allBytes, type Reading, type Storage, type WriteOptions, type Writing } from '../storage/storage.ts';
import type { Layouts, Near } from '../storage/capabilities.ts';
import { expectedLayouts } from './content.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { ofSource, requireWhole } from './source.ts';
import { type BothLayouts, verify } from './verify.ts';
import type { FileUnit } from '../job/unit.ts';
import type { Verification } from '../job/spec.ts';

/** One try of a file: which file is read, and under which name it is written. */
export interface Try {
  readonly source: Storage;
  readonly sourcePath: string;
  readonly destination: Storage;
  /** A temporary name, or the file's own. */
  readonly writtenPath: string;
  readonly unit: FileUnit;
  readonly level: Verification;
  /** Layout and permission that the new file is made with. */
  readonly creation: Omit<WriteOptions, 'lengthBytes' | 'overwrite'>;
  /** Replace what stands at `writtenPath`. Nothing is asked of the destination before the source has answered. */
  readonly overwrite: boolean;
  /** Whether `writtenPath` is the file's own name, which is only touched once the source can be read. */
  readonly direct: boolean;
  /** Called with the length of every piece that is read. The first call, which may be of no byte, says that the destination is being written. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Streams a file and verifies what was written.
 * @returns the verification level that was reached, and what the destination told of the new file
 * @throws as `Storage.read`, `Storage.write` and `verify`; SourceVanishedError
 */
export async function stream(
  what: Try,
  signal: AbortSignal,
): Promise<{ readonly verification: Verification; readonly writing: Writing }> {
  const { source, sourcePath, destination, writtenPath, unit, level, creation } = what;
  const { lengthBytes, modifiedAtMs } = unit;
  const encrypted = unit.encrypted === true;
  const unwanted = new AbortController();
  const both = AbortSignal.any([signal, unwanted.signal]);
  const opening = ofSource(source.read(sourcePath, allBytes(lengthBytes), both));
  opening.catch(() => undefined);
  // Once both servers have answered: by then it is known whether datanodes keep the bytes, and with them which checksums there may be.
  let asked: Promise<Digesting> | undefined;
  const digesting = () => (asked ??= digestingOf(what, signal));
  // While the destination closes the file, the ways to both checksums are opened.
  using prepared = new DisposableStack();
  let writer: Near | undefined;
  const onNear = (near: Near) => (writer = near);
  const prepare = ({ checksums }: Storage, path: string, near: Near | undefined) => {
    // A body may come to its end after whoever wanted it has gone.
    if (near && !prepared.disposed) prepared.use(checksums?.prepare?.(path, near));
  };
  const onRead = ({ near }: Reading) => {
    if (digests(level) && !encrypted) prepare(source, sourcePath, near);
    if (level === 'checksum') prepare(destination, writtenPath, writer);
  };
  const options = { ...creation, lengthBytes, overwrite: what.overwrite, onNear };
  const body = tapped(opening, digesting, what.onBytes, onRead);
  let writing: Writing;
  try {
    // While somebody writes the source, its checksum is refused, which is asked for after the read. Where no checksum will be asked for, its blocks tell.
    if (lengthBytes === 0 || !digests(level) || encrypted)
      await requireWhole({ storage: source, path: sourcePath, lengthBytes }, signal);
    if (what.direct) await opening;
    writing = await destination.write(writtenPath, body, options, signal);
  } catch (error) {
    // A source that has not answered yet is not waited for. It hears nothing of what went wrong at the destination, which is none of its failures.
    unwanted.abort();
    await opening.then((reading) => reading.cancel()).catch(() => undefined);
    throw error;
  }
  const { near } = await opening;
  const verification = await verify(
    {
      source: { storage: source, path: sourcePath, lengthBytes, near, modifiedAtMs, encrypted },
      written: { storage: destination, path: writtenPath, lengthBytes, near: writing.near },
      ...(await digesting()),
      layoutsNow: () => layoutsOf(what, signal),
    },
    level,
    signal,
  );
  return { verification, writing };
}

/** The digest of the bytes on their way, and the layouts that it is computed in. */
type Digesting = BothLayouts & { readonly digest: ContentDigest | undefined };

async function digestingOf(what: Try, signal: AbortSignal): Promise<Digesting> {
  const { source, destination, unit, level } = what;
  const layouts = await layoutsOf(what, signal);
  const { sourceLayouts, writtenLayouts } = layouts;
  // Where both sides will state the same checksum of the same bytes, it is they who digest them.
  const isStated = level === 'checksum' && !unit.encrypted && source.checksums && destination.checksums;
  const digest =
    isStated && isOneLayout(sourceLayouts, writtenLayouts, unit.lengthBytes)
      ? undefined
      : new ContentDigest(digests(level) ? [...sourceLayouts, ...writtenLayouts] : []);
  return { digest, ...layouts };
}

/** The layouts that both files are likely to have, as far as both clusters have shown by now which checksums they keep. */
async function layoutsOf(what: Try, signal: AbortSignal): Promise<BothLayouts> {
  const { source, sourcePath, destination, writtenPath, unit, creation } = what;
  const { blockBytes, stripe, newStripe } = unit;
  const [sourcePlain, writtenPlain] = await allOrAbort(signal, [
    (both) => expectedLayouts({ storage: source, path: sourcePath }, blockBytes, both),
    (both) => expectedLayouts({ storage: destination, path: writtenPath }, creation.blockBytes, both),
  ]);
  const sourceLayouts = sourcePlain.map((layout) => striped(layout, stripe)) as unknown as Layouts;
  const writtenLayouts = writtenPlain.map((layout) => striped(layout, newStripe)) as unknown as Layouts;
  return { sourceLayouts, writtenLayouts };
}

function digests(level: Verification): boolean {
  return level === 'checksum' || level === 'read-back';
}

/** Whether no other layout was seen on either side, and both give the same checksum: another one would be found by reading the file again. */
export function isOneLayout(source: Layouts, written: Layouts, lengthBytes: number): boolean {
  return source.length === 1 && written.length === 1 && sameLayout(source[0], written[0], lengthBytes);
}

/** The source's bytes, digested and counted on their way to the destination. */
async function* tapped(
  opening: Promise<Reading>,
  digesting: () => Promise<Digesting>,
  onBytes: (bytes: number) => void,
  onRead: (reading: Reading) => void,
): AsyncGenerator<Uint8Array> {
  const reading = await opening;
  onBytes(0);
  const { digest } = await digesting();
  for await (const chunk of reading.body) {
    digest?.update(chunk);
    onBytes(chunk.length);
    yield chunk;
  }
  onRead(reading);
}
