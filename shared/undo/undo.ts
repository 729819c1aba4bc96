import { FanoutError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { backupDirectory } from '../job/backup.ts';
import { retry } from '../retry.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { join, parentOf } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { urgently } from '../storage/urgent.ts';
import { deletions, deletionStep } from './deletions.ts';
import { candidates, fileStep } from './files.ts';
import { Renames } from './renames.ts';
import { nothingUndone, type Step, type Undoing, type Undone, withStep } from './undoing.ts';

/** Things that are undone at once. */
const AT_ONCE = 16;

/**
 * Takes back what a job did, as far as nothing has changed since: files that it made go into the trash and those that it replaced come back
 * by rename, directories that it made go where they are empty, then what it deleted comes back, since something of the job may have
 * stood in its place, and at last what it renamed gets its old name again: it did that first. Each thing is decided from what stands there now, so that an undo may be killed anywhere, and run again.
 *
 * @throws fail-job errors, and the signal's reason
 */
export async function undo(undoing: Undoing): Promise<Undone> {
  const { signal, dryRun, onStep } = undoing;
  let sum = nothingUndone;
  const tell = (step: Step | undefined) => {
    if (!step) return;
    sum = withStep(sum, step);
    onStep(step);
  };
  const each = <T extends { readonly path: string }>(
    items: AsyncIterable<T>,
    decide: (item: T, signal: AbortSignal) => Promise<Step | undefined>,
  ) =>
    forEach(items, AT_ONCE, signal, async (item, both) => {
      tell(await carriedOut(undoing, item.path, () => decide(item, both), both));
    });
  const { destination } = undoing;
  const renames = await Renames.of(undoing.job, destination, signal);
  const directory = async (path: string) => {
    tell(await carriedOut(undoing, path, () => directoryStep(undoing, path, signal), signal));
  };
  await each(candidates(undoing, renames), (candidate, both) => fileStep(undoing, candidate, both));
  let last: string | undefined;
  const waiting: { readonly path: string; readonly first: number }[] = [];
  for (const named of undoing.madeDirectories) {
    const path = named === last ? undefined : renames.placeOf(named);
    last = named;
    if (path === undefined) continue;
    const first = renames.firstInto(named);
    if (first === undefined) await directory(path);
    else waiting.push({ path, first });
  }
  await each(deletions(undoing, renames), (deletion, both) => deletionStep(undoing, deletion, both));
  for (const { number, path } of renames.reversed) {
    tell(await carriedOut(undoing, path, () => renames.step(number, undoing, signal), signal));
    for (const one of waiting) if (one.first === number) await directory(one.path);
  }
  const backups = backupDirectory(undoing.job);
  if (!dryRun && backups !== undefined && (await destination.stat(backups, signal)))
    await removeHollow(destination, backups, signal);
  return sum;
}

/** A step that may have worked although its answer was lost is decided anew, and told as it was decided first. */
async function carriedOut(
  undoing: Undoing,
  path: string,
  decide: () => Promise<Step | undefined>,
  signal: AbortSignal,
): Promise<Step | undefined> {
  let first: Step | undefined;
  const again = (error: unknown) => (error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no');
  try {
    return await retry(wholeFile, signal, again, async () => {
      const step = await decide();
      if (step && step.action !== 'leave') first ??= step;
      if (step && !undoing.dryRun) await carryOut(undoing, step, signal);
      return step ?? first;
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return { action: 'fail', path, reason: error.message };
  }
}

async function carryOut(undoing: Undoing, step: Step, signal: AbortSignal): Promise<void> {
  const { destination, skipTrash } = undoing;
  switch (step.action) {
    case 'remove':
      return discard(undoing, step.path, signal);
    case 'put back': {
      const isAtOnce = skipTrash && (await destination.replacesAtOnce?.(step.path, signal)) === true;
      if (!isAtOnce) await discard(undoing, step.path, signal);
      return moved(undoing, step.from, step.path, isAtOnce, isAtOnce ? signal : urgently(signal));
    }
    case 'restore':
      // Directories that were deleted when they were empty: closed, since nobody knows any more whom they let in.
      await destination.makeDirectory(step.from === '' ? step.path : parentOf(step.path), '700', signal);
      if (step.from !== '') await moved(undoing, step.from, step.path, false, signal);
      return;
    case 'rename':
      await destination.makeDirectory(parentOf(step.path), '700', signal);
      return moved(undoing, step.from, step.path, false, signal);
    case 'remove directory':
      await destination.delete(step.path, signal);
      return;
    case 'leave':
    case 'fail':
      return;
  }
}

/** @param replacing  whatever stands there, in the same step */
async function moved(
  { destination }: Undoing,
  from: string,
  to: string,
  replacing: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { relocation } = destination;
  const where = { operation: 'RENAME', path: from };
  if (!relocation) throw new StorageError('unsupported', 'not moved', `${destination.name} cannot move it`, where);
  let mayHaveWorked = false;
  const again = (error: unknown) => (error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no');
  await retry(promoting, signal, again, async () => {
    try {
      await (replacing ? destination.rename(from, to, true, signal) : relocation.move(from, to, signal));
    } catch (error) {
      mayHaveWorked ||= error instanceof FanoutError && error.mayHaveWorked;
      if (mayHaveWorked && !(await destination.stat(from, signal)) && (await destination.stat(to, signal))) return;
      throw error;
    }
  });
}

/** What the job has made: nothing where it is gone already. */
async function discard({ destination, skipTrash }: Undoing, path: string, signal: AbortSignal): Promise<void> {
  if (skipTrash || !destination.trash) {
    await destination.delete(path, signal);
    return;
  }
  try {
    await destination.trash.put(path, signal);
  } catch (error) {
    if (!hasCode(error, 'not-found') || (await destination.stat(path, signal))) throw error;
  }
}

/** In a dry run what the job has made is still in its directories. */
async function directoryStep(
  { destination, dryRun }: Undoing,
  path: string,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const there = await destination.stat(path, signal);
  if (there?.kind !== 'directory') return undefined;
  if (!dryRun && (await holdsAny(destination, path, signal)))
    return { action: 'leave', path, reason: 'the job made it, and something is in it' };
  return { action: 'remove directory', path };
}

async function holdsAny(storage: Storage, path: string, signal: AbortSignal): Promise<boolean> {
  for await (const page of storage.list(path, signal)) if (page.length > 0) return true;
  return false;
}

/** Deletes a directory of backups, and those in it, where no file is left in them. @returns whether it is gone */
async function removeHollow(storage: Storage, directory: string, signal: AbortSignal): Promise<boolean> {
  let isHollow = true;
  for await (const page of storage.list(directory, signal)) {
    for (const { name, kind } of page) {
      const isGone = kind === 'directory' && (await removeHollow(storage, join(directory, name), signal));
      isHollow &&= isGone;
    }
  }
  if (isHollow) await storage.delete(directory, signal);
  return isHollow;
}
