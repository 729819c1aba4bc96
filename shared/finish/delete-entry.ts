import { FanoutError } from '../errors.ts';
import type { DeleteUnit } from '../job/deletion.ts';
import { type Deletable, isFixed, survey } from '../plan/survey.ts';
import { retry } from '../retry.ts';
import { wholeFile } from '../storage/budget.ts';
import type { Backup } from '../storage/backup.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { join } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';

/** How a deletion ended that did not fail. */
export type DeleteEnding =
  { readonly outcome: 'deleted'; readonly trash?: string } | { readonly outcome: 'kept'; readonly reason: string };

/** How an entry is deleted. */
interface DeleteOrder {
  readonly skipTrash: boolean;
  /** Where it goes in place of the trash. */
  readonly backup?: Backup | undefined;
  /** Whether an earlier claim may have sent the request. */
  readonly mayHaveBegun: boolean;
  /** Why it must stay, as far as the source tells. */
  readonly reasonToKeep: string | undefined;
}

const deleted: DeleteEnding = { outcome: 'deleted' };
const kept = (reason: string): DeleteEnding => ({ outcome: 'kept', reason });

const REFUSALS = 3;
const GONE = 'gone already';
const CHANGED = 'changed since it was listed';

/**
 * Deletes one entry, if it is still the one that was listed. What may have worked is settled by looking: an entry that is gone, and that
 * this job has begun to delete, was deleted by it.
 *
 * @throws FanoutError when it stands there and cannot be deleted
 */
export async function deleteEntry(
  within: Deletable,
  unit: DeleteUnit,
  { skipTrash, backup, mayHaveBegun, reasonToKeep }: DeleteOrder,
): Promise<DeleteEnding> {
  const { storage, root, signal } = within;
  const path = join(root, unit.path);
  // A directory that does not go whole is deleted when it is empty: what was in it lies in the trash already.
  const isLast = unit.kind === 'directory' && unit.digest === undefined;
  let begun = mayHaveBegun;
  let refusals = 0;
  const again = (error: unknown) => {
    if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
    // What a namenode refuses in such words seldom changes.
    return hasCode(error, 'io', 'other') && ++refusals >= REFUSALS ? 'no' : 'soon';
  };
  return retry(wholeFile, signal, again, async () => {
    const there = await storage.stat(path, signal);
    if (!there) return begun ? deleted : kept(GONE);
    const obstacle = reasonToKeep ?? (await obstacleTo(within, unit, there));
    if (obstacle !== undefined) return kept(obstacle);
    try {
      if (skipTrash || isLast) await storage.delete(path, signal);
      else if (backup) return { ...deleted, trash: await backup.keep(path, signal) };
      else return { ...deleted, trash: await toTrash(within, path) };
      return deleted;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FanoutError)) throw error;
      begun ||= error.mayHaveWorked;
      if (hasCode(error, 'not-found') && !(await storage.stat(path, signal))) return begun ? deleted : kept(GONE);
      if (isLast && (await holdsAny(within, path))) return kept('not empty');
      throw error;
    }
  });
}

/** Why an entry must stay, now that it is looked at once more. */
async function obstacleTo(within: Deletable, unit: DeleteUnit, there: FileStatus): Promise<string | undefined> {
  const isAnother = unit.fileId !== undefined && there.fileId !== undefined && unit.fileId !== there.fileId;
  if (isAnother || there.kind !== unit.kind) return CHANGED;
  if (unit.kind === 'file') {
    return there.modifiedAtMs === unit.modifiedAtMs && there.lengthBytes === unit.bytes ? undefined : CHANGED;
  }
  if (unit.digest === undefined) return isFixed(within, unit.path, there) ? 'snapshots may be taken of it' : undefined;
  const found = await survey(within, unit.path, { ...there, name: nameOf(unit) });
  // What was not waited for is no answer.
  within.signal.throwIfAborted();
  if (!found) return 'something in it must stay';
  return found.digest === unit.digest ? undefined : CHANGED;
}

async function toTrash({ storage, signal }: Deletable, path: string): Promise<string> {
  if (!storage.trash)
    throw new StorageError('unsupported', 'no trash', `${storage.name} has none`, { operation: 'RENAME', path });
  return storage.trash.put(path, signal);
}

async function holdsAny({ storage, signal }: Deletable, path: string): Promise<boolean> {
  for await (const page of storage.list(path, signal)) if (page.length > 0) return true;
  return false;
}

function nameOf({ path }: DeleteUnit): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
