import { allOrAbort } from '../all-or-abort.ts';
import { compareContent, type ContentOf, hashOf } from '../copy/content.ts';
import { comparisonAgain } from '../copy/settle.ts';
import { FanoutError, SourceChangedError } from '../errors.ts';
import type { Proof, VerifyLevel } from '../job/verification.ts';
import { retry } from '../retry.ts';
import { wholeFile } from '../storage/budget.ts';
import { hasCode, isOpen } from '../storage/errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import type { SharedEntry } from './drift.ts';
import type { Difference } from './finding.ts';

export type Verdict = { readonly type: 'equal'; readonly proof: Proof } | Difference;

/** How often files are looked at that are others each time. */
const MOST_LOOKS = 3;
const CHANGES = 'it changed while it was compared: verify it again when nobody writes there';

/**
 * Compares two regular files.
 *
 *     level      equal when
 *     size       both listings tell one length: no request is made, and open files are not told from others
 *     checksum   stored checksums prove it, or, where those cannot be compared, what is read of one file or both
 *     read-back  all bytes of both were read and have one SHA-256: what disks hold today, whatever checksums were stored
 *
 * A difference is told of two files that are as they were seen when it is told: those that have changed meanwhile are compared again, a few times.
 *
 * @throws only what fails the job, and the signal's reason: a file that cannot be compared is `unknown`
 */
export async function compareFiles(entry: SharedEntry, level: VerifyLevel, signal: AbortSignal): Promise<Verdict> {
  if (level === 'size') return lengthsOf(entry) ?? { type: 'equal', proof: 'length' };
  try {
    let seen = entry;
    for (let looks = 1; ; looks++) {
      const look = seen;
      const verdict = await retry(wholeFile, signal, comparisonAgain(), () => compareOnce(look, level, signal));
      if (verdict !== 'changed' && verdict.type !== 'different') return verdict;
      const now = await lookAgain(seen, signal);
      if (now && verdict !== 'changed' && isSame(now.status, seen.status) && isSame(now.there, seen.there))
        return verdict;
      if (!now || looks === MOST_LOOKS) return { type: 'unknown', reason: CHANGES };
      seen = now;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return isOpen(error) ? { type: 'open', reason: error.message } : { type: 'unknown', reason: error.message };
  }
}

function lengthsOf({ status, there }: SharedEntry): Difference | undefined {
  const [sourceBytes, destinationBytes] = [status.lengthBytes, there.lengthBytes];
  if (sourceBytes === destinationBytes) return undefined;
  return { type: 'different', by: 'length', sourceBytes, destinationBytes };
}

async function compareOnce(
  entry: SharedEntry,
  level: 'checksum' | 'read-back',
  signal: AbortSignal,
): Promise<Verdict | 'changed'> {
  const { source, sourcePath, status, destination, destinationPath, there } = entry;
  const { lengthBytes } = status;
  const a: ContentOf = { storage: source, path: sourcePath, lengthBytes };
  const b: ContentOf = { storage: destination, path: destinationPath, lengthBytes: there.lengthBytes };
  try {
    const differs = lengthsOf(entry);
    // A file that somebody writes is listed shorter than it is, down to 0 bytes. Stored checksums are refused of it; elsewhere it is asked for.
    if (differs || lengthBytes === 0 || level === 'read-back') {
      const state = await stateOf(a, b, signal);
      if (state !== 'closed') return state;
    }
    if (differs) return differs;
    if (lengthBytes === 0) return { type: 'equal', proof: level };
    const found = level === 'checksum' ? await compareContent(a, b, signal) : await compareBytes(a, b, signal);
    if (found === 'open') return openAt('destination');
    if (found !== 'different') return { type: 'equal', proof: found };
    return { type: 'different', by: 'content', sourceBytes: lengthBytes, destinationBytes: lengthBytes };
  } catch (error) {
    if (isOpen(error) || !(error instanceof SourceChangedError || hasCode(error, 'not-found'))) throw error;
    return 'changed';
  }
}

/** Whether nobody writes either of two files, and both have the lengths with which they were listed. */
async function stateOf(a: ContentOf, b: ContentOf, signal: AbortSignal): Promise<'closed' | 'changed' | Difference> {
  const [ofA, ofB] = await allOrAbort(signal, [
    async (both) => a.storage.closedLength?.(a.path, both),
    async (both) => b.storage.closedLength?.(b.path, both),
  ]);
  if (ofA === 'open') return openAt('source');
  if (ofB === 'open') return openAt('destination');
  const isAsListed = (ofA ?? a.lengthBytes) === a.lengthBytes && (ofB ?? b.lengthBytes) === b.lengthBytes;
  return isAsListed ? 'closed' : 'changed';
}

function openAt(side: 'source' | 'destination'): Difference {
  return { type: 'open', reason: `open for writing at the ${side}` };
}

async function compareBytes(a: ContentOf, b: ContentOf, signal: AbortSignal): Promise<'read-back' | 'different'> {
  const [ofA, ofB] = await allOrAbort(signal, [
    (both) => hashOf(a, a.lengthBytes, both),
    (both) => hashOf(b, b.lengthBytes, both),
  ]);
  return ofA === ofB ? 'read-back' : 'different';
}

/** The two files as they are now; undefined where one of them is none any more. */
async function lookAgain(entry: SharedEntry, signal: AbortSignal): Promise<SharedEntry | undefined> {
  const fileAt = async (storage: Storage, path: string, both: AbortSignal) => {
    const status = await storage.stat(path, both);
    return status?.kind === 'file' ? status : undefined;
  };
  const [status, there] = await allOrAbort(signal, [
    (both) => fileAt(entry.source, entry.sourcePath, both),
    (both) => fileAt(entry.destination, entry.destinationPath, both),
  ]);
  return status && there ? { ...entry, status, there } : undefined;
}

function isSame(one: FileStatus, other: FileStatus): boolean {
  return (
    one.lengthBytes === other.lengthBytes && one.modifiedAtMs === other.modifiedAtMs && one.fileId === other.fileId
  );
}
