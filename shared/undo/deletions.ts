import { backupOf } from '../job/backup.ts';
import { deletesOf, type DeleteUnit, deleteUnitsOf, FIRST_DELETE_BATCH } from '../job/deletion.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import { manifestStart } from '../job/manifest-lines.ts';
import { join } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { Renames } from './renames.ts';
import type { Step, Undoing } from './undoing.ts';

/** Something that a job has deleted, or may have. */
export interface Deletion {
  /** Where it was, by what that is called now. */
  readonly path: string;
  /** What the job called it. */
  readonly named: string;
  readonly unit: DeleteUnit;
}

export async function* deletions({ job, store, manifests }: Undoing, renames: Renames): AsyncGenerator<Deletion> {
  const name = deletesOf(job.id);
  const [root] = job.roots;
  if (!root || !manifests.has(name)) return;
  const lists = { read: (_: string, from = manifestStart) => manifests.read(name, from) };
  const start = { ...manifestStart, batch: FIRST_DELETE_BATCH };
  for await (const { line, claim } of batchRecords(job.id, { store, manifests: lists }, start)) {
    if (!claim) continue;
    for (const unit of deleteUnitsOf(line)) {
      const named = join(root.destination, unit.path);
      const path = renames.placeOf(named);
      if (path !== undefined) yield { path, named, unit };
    }
  }
}

/**
 * Decides what is done about a deletion, from what stands there now.
 * @returns undefined where nothing is to be done: it is there
 */
export async function deletionStep(
  undoing: Pick<Undoing, 'job' | 'destination' | 'dryRun'>,
  { path, named, unit }: Deletion,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const { job, destination, dryRun } = undoing;
  const there = await destination.stat(path, signal);
  if (there && isSame(unit, there)) return undefined;
  // In a dry run what took its place still stands there.
  if (there && !(dryRun && unit.replacedBy !== undefined))
    return { action: 'leave', path, reason: 'something else stands there by now: what was deleted is not put over it' };
  const { files, bytes, kind, digest } = unit;
  if (kind === 'directory' && digest === undefined) return { action: 'restore', path, from: '', files: 0, bytes: 0 };
  const from = await find(undoing, named, unit, signal);
  if (from !== undefined) return { action: 'restore', path, from, files, bytes };
  return { action: 'leave', path, reason: `it was deleted, ${whereNot(job.spec.options)}` };
}

function whereNot({ skipTrash, backupDir }: { skipTrash: boolean; backupDir: string }): string {
  if (skipTrash) return 'for good (--skip-trash)';
  return backupDir === '' ? 'and is not in the trash any more' : 'and is not among the backups any more';
}

/** Where a deleted entry is now. */
async function find(
  { job, destination }: Pick<Undoing, 'job' | 'destination'>,
  path: string,
  unit: DeleteUnit,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (job.spec.options.skipTrash) return undefined;
  const backup = backupOf(job, destination);
  const places = backup?.candidates(path, signal) ?? destination.trash?.candidates(path, signal) ?? [];
  for await (const place of places) {
    const status = await destination.stat(place, signal);
    if (status && isSame(unit, status)) return place;
  }
  return undefined;
}

/** Whether an entry is the one that was listed to be deleted: a rename keeps its inode and its time. */
function isSame({ kind, fileId, modifiedAtMs, bytes }: DeleteUnit, status: FileStatus): boolean {
  if (status.kind !== kind) return false;
  if (fileId !== undefined && status.fileId !== undefined && fileId !== status.fileId) return false;
  if (kind === 'file') return status.lengthBytes === bytes && status.modifiedAtMs === modifiedAtMs;
  return status.fileId !== undefined || status.modifiedAtMs === modifiedAtMs;
}
