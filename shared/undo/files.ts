import { backupOf } from '../job/backup.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import type { Job } from '../job/job.ts';
import type { MadeFile } from '../job/outcome.ts';
import { destinationPathOf, type FileUnit, isNeverWritten } from '../job/unit.ts';
import { chosenAttributes } from '../preserve/attributes.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { Renames } from './renames.ts';
import type { Step, Undoing } from './undoing.ts';

/** How far the clocks of this machine and of a namenode may differ, ms. */
const SLACK_MS = 10_000;
/** How old the last word of a process may be that was killed, ms. */
const SEEN_MS = 10_000;

/** A file that a job has made, or may have. */
export interface Candidate {
  /** Where it is now. */
  readonly path: string;
  /** What the job called it: its backup has that name. */
  readonly named: string;
  readonly unit: FileUnit;
  readonly made: MadeFile;
  /** The job was cut off before it could tell. */
  readonly isGuess: boolean;
}

/** All files that a job has made, and those of which it could not tell any more whether it did. */
export async function* candidates({ job, store, manifests }: Undoing, renames: Renames): AsyncGenerator<Candidate> {
  if (!manifests.has(job.id)) return;
  const isDated = chosenAttributes(job.spec.options).has('times');
  for await (const { line, claim } of batchRecords(job.id, { store, manifests })) {
    if (!claim) continue;
    const files = await store.madeFiles(job.id, line.batch);
    if (files.size === 0 && claim.done.size === line.count) continue;
    for (const [index, unit] of line.units.entries()) {
      if (unit.kind !== 'file') continue;
      const made = files.get(index);
      const named = destinationPathOf(job.roots, unit);
      const path = renames.placeOf(named);
      if (path === undefined) continue;
      if (made) yield { path, named, unit, made, isGuess: false };
      else if (!claim.done.has(index) && !isNeverWritten(unit)) {
        const { lengthBytes: bytes, modifiedAtMs, decision } = unit;
        const replaced = decision === 'copy' ? {} : ({ replaced: true } as const);
        yield { path, named, unit, made: { bytes, ...replaced, ...(isDated ? { modifiedAtMs } : {}) }, isGuess: true };
      }
    }
  }
}

/**
 * Decides what is done about a file, from what stands there now.
 *
 *     stands there             its backup   before the job   step
 *     nothing                  is there     any              put back (an undo was killed, or somebody deleted the new file)
 *     nothing                  none         any              –
 *     what the job has made    is there     any              put back
 *     what the job has made    none         nothing          remove
 *     what the job has made    none         a file           leave: what stood there is gone
 *     the file of before       none         a file           –
 *     a directory of before    none         a directory      – (an undo that was killed has restored it)
 *     anything else            any          any              leave: changed since
 *
 * @returns undefined where nothing is to be done
 */
export async function fileStep(
  { job, destination }: Pick<Undoing, 'job' | 'destination'>,
  { path, named, unit, made, isGuess }: Candidate,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const backup = backupOf(job, destination);
  const from = backup?.pathOf(named) ?? '';
  const [there, old] = await Promise.all([
    destination.stat(path, signal),
    backup ? destination.stat(from, signal) : undefined,
  ]);
  const isKept = old?.kind === 'file';
  const putBack = { action: 'put back', path, from, bytes: old?.lengthBytes ?? 0 } as const;
  if (!there) return isKept ? putBack : undefined;
  const isOld = unit.replaces !== undefined && there.fileId === unit.replaces;
  if (there.kind === 'file' && !isOld && isMade(there, made, job)) {
    if (isKept) return putBack;
    if (!made.replaced) return { action: 'remove', path, bytes: there.lengthBytes };
    if (isGuess) return undefined;
    const gone = backup ? `and its backup is not at ${from} any more` : 'and no backup was kept';
    return { action: 'leave', path, reason: `the job replaced what stood there before, ${gone}` };
  }
  if (!isKept && (isOld || isGuess || isOlderDirectory(there, made, job))) return undefined;
  return { action: 'leave', path, reason: 'it was changed or replaced since the job' };
}

/** Whether a directory stood somewhere before the job made its file: inodes are numbered as they are made. */
function isOlderDirectory({ kind, fileId, modifiedAtMs }: FileStatus, made: MadeFile, job: Job): boolean {
  if (kind !== 'directory') return false;
  if (made.fileId !== undefined && fileId !== undefined) return fileId < made.fileId;
  return modifiedAtMs < job.startedAtMs - SLACK_MS;
}

/** Whether a file is the one that the job has made, as it was then. */
function isMade({ lengthBytes, fileId, modifiedAtMs }: FileStatus, made: MadeFile, job: Job): boolean {
  if (lengthBytes !== made.bytes) return false;
  if (made.fileId !== undefined && fileId !== undefined && fileId !== made.fileId) return false;
  if (made.modifiedAtMs !== undefined) return modifiedAtMs === made.modifiedAtMs;
  const lastMs = job.endedAtMs ?? job.seenAtMs ?? job.startedAtMs;
  const endMs = job.outcome === 'Successful' ? lastMs : lastMs + SEEN_MS;
  return modifiedAtMs >= job.startedAtMs - SLACK_MS && modifiedAtMs <= endMs + SLACK_MS;
}
