import type { Checkpoint } from '../checkpoint.ts';
import { FanoutError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { backupOf } from '../job/backup.ts';
import { deletesOf, type DeleteUnit, deleteUnitsOf } from '../job/deletion.ts';
import { timed } from '../job/file-line.ts';
import { requireFewFailures } from '../job/failures.ts';
import type { BatchLine, ManifestPosition } from '../job/manifest-lines.ts';
import type { DeleteOutcome } from '../job/outcome.ts';
import { livePath } from '../job/root.ts';
import { presentIn } from '../plan/absence.ts';
import { isExcluded, selection } from '../plan/selection.ts';
import { type Deletable, hiddenBy } from '../plan/survey.ts';
import { hasCode } from '../storage/errors.ts';
import { basename, join, parentOf } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';
import { ChildrenFirst } from './children-first.ts';
import { deleteEntry, type DeleteEnding } from './delete-entry.ts';
import type { Deleting, Finishing } from './finishing.ts';

/** Deletions that are on their way at once, and listings of the source before them. */
const AT_ONCE = 40;

/**
 * Deletes what was listed, batch by batch, and records how each deletion ended. A batch is claimed before anything of it is deleted: what an
 * earlier claim may have begun, and is gone, was deleted by this job. Safe to run again: what is recorded is not looked at.
 *
 * @returns where it stopped before the end
 */
export async function deleteExtras(
  finishing: Finishing,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const { job, deleting, isOver } = finishing;
  if (!deleting) throw new Error('a job is finished that deletes, and nothing is there to delete with');
  for await (const line of deleting.lists.read(deletesOf(job.id), from)) {
    await deleteBatch(finishing, deleting, line);
    if (isOver()) return line.next;
    if (checkpoint.isDue) await checkpoint.keep(line.next);
  }
  return undefined;
}

async function deleteBatch(finishing: Finishing, deleting: Deleting, line: BatchLine): Promise<void> {
  const { job, store, owner, deaths, destination } = finishing;
  const signal = deleting.late ? AbortSignal.any([finishing.signal, deleting.late]) : finishing.signal;
  const [root] = job.roots;
  if (!root) throw new Error('the job has no root');
  const { claim, done } = await store.claim(job.id, line.batch, owner);
  try {
    const left = [...deleteUnitsOf(line).entries()].filter(([index]) => !done.has(index));
    if (left.length === 0) return;
    const { deleteExcluded, skipTrash } = job.spec.options;
    const chosen = selection(job.spec.options, livePath(root));
    const isExtra = (unit: DeleteUnit, path: string, kind: FileStatus['kind']) =>
      unit.replacedBy === kind || (deleteExcluded && isExcluded(chosen, path, kind));
    const reasons = await reasonsToKeep(finishing, root.source, left, isExtra, signal);
    const hides = deleteExcluded ? () => false : hiddenBy(chosen);
    const within: Deletable = { storage: destination, root: root.destination, hides, signal };
    const outcomes: DeleteOutcome[] = [];
    const work = new ChildrenFirst(Math.min(AT_ONCE, destination.maxConcurrency ?? AT_ONCE));
    try {
      for (const [index, unit] of left) {
        await work.add(unit.path, async () => {
          const beganAtMs = Date.now();
          const path = join(root.destination, unit.path);
          const how = {
            skipTrash,
            backup: backupOf(job, destination),
            mayHaveBegun: claim > 1,
            reasonToKeep: reasons.get(index),
          };
          const ended = deleteEntry(within, unit, how);
          outcomes.push(timed(await outcomeOf(index, unit, path, ended), path, beganAtMs));
        });
      }
      await work.drained();
    } finally {
      // Nothing is on its way when this settles, and what has ended is recorded also where something stops the job.
      await work.rested();
      await store.record(job.id, line.batch, owner, outcomes);
      for (const outcome of outcomes) {
        const unit = left.find(([index]) => index === outcome.unit)?.[1];
        if (unit) deleting.onDeletion(unit, join(root.destination, unit.path), outcome);
      }
    }
    const counters = await store.counters(job.id);
    requireFewFailures(counters.get('deletes.failed') ?? 0, job);
  } finally {
    await deaths?.release(job.id, line.batch, owner);
  }
}

/**
 * Lists once more the directories of the source in which something is missing: what is there again stays, and all of what is in a
 * directory that cannot be listed. What is to be replaced stays where nothing is there to replace it, or nobody would copy that.
 *
 * @param isExtra  whether something is an extra although the source has that at its path
 * @returns why units must stay, by their numbers
 */
async function reasonsToKeep(
  { source, job }: Pick<Finishing, 'source' | 'job'>,
  root: string,
  units: readonly (readonly [number, DeleteUnit])[],
  isExtra: (unit: DeleteUnit, top: string, kind: FileStatus['kind']) => boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  const reasons = new Map<number, string>();
  const topOf = ({ path, top = path }: DeleteUnit) => `/${top}`;
  const byDirectory = Map.groupBy(units, ([, unit]) => parentOf(topOf(unit)));
  await forEach(byDirectory, AT_ONCE, signal, async ([directory, missing], both) => {
    const names = [...new Set(missing.map(([, unit]) => basename(topOf(unit))))].sort(source.order);
    const present = await presentIn(source, join(root, directory.slice(1)), names, both);
    for (const [index, unit] of missing) {
      const kind = present?.get(basename(topOf(unit)));
      if (!present) reasons.set(index, 'its directory could not be listed at the source');
      else if (unit.replacedBy !== undefined && job.pass === 2)
        reasons.set(index, 'a resumed job does not replace it: copy again');
      else if (unit.replacedBy !== undefined && kind === undefined)
        reasons.set(index, 'what was to replace it has vanished');
      else if (kind !== undefined && !isExtra(unit, topOf(unit).slice(1), kind))
        reasons.set(index, 'the source has it again');
    }
  });
  return reasons;
}

async function outcomeOf(
  index: number,
  { files, bytes }: DeleteUnit,
  path: string,
  ended: Promise<DeleteEnding>,
): Promise<DeleteOutcome> {
  const told = { kind: 'delete', unit: index, files, bytes, retries: 0 } as const;
  try {
    return { ...told, ...(await ended) };
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    const { operation = 'DELETE', host = '' } = error.where ?? {};
    const mend = hasCode(error, 'quota') ? 'raise the quota where the trash is, or delete it yourself' : error.remedy;
    const remedy = mend === undefined ? '' : ` (${mend})`;
    return { ...told, outcome: 'failed', failure: { path, operation, host, reason: error.reason + remedy } };
  }
}
