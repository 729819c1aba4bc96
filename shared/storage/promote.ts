import { FanoutError } from '../errors.ts';
import type { FileStatus, Storage } from './storage.ts';
import { retry, type RetryPolicy } from '../retry.ts';
import type { Backup } from './backup.ts';
import { isExists, type StorageCode } from './errors.ts';
import { urgently } from './urgent.ts';

export interface Promotion {
  readonly storage: Storage;
  readonly temporary: string;
  readonly finalPath: string;
  /** Replace what stands there; without, an existing file is an error and stays. */
  readonly overwrite: boolean;
  readonly lengthBytes: number;
  /** Where the old file is kept, and not deleted. */
  readonly backup?: Backup | undefined;
}

/** A file that has got its name. */
export interface Promoted {
  readonly file: FileStatus;
  /** Whether another one had it before. */
  readonly replaced: boolean;
}

/**
 * Gives a verified temporary file its name: in one step where the storage can replace a file, and otherwise in three, of which the
 * first moves the old file aside and the last deletes it. With a backup these are two, and the first moves the old file there. What a
 * failure or a crash leaves is for `withdraw`.
 *
 * @returns what was looked at: of a job that keeps backups
 */
export async function promote(
  promotion: Promotion,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<Promoted | undefined> {
  if (promotion.backup) return promoteKeeping(promotion, promotion.backup, policy, signal);
  await promoteOver(promotion, policy, signal);
  return undefined;
}

/** No server exchanges two files in one step, or keeps what a rename replaces: for one request nothing has the file's name. */
async function promoteKeeping(
  promotion: Promotion,
  backup: Backup,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<Promoted> {
  const { storage, temporary, finalPath, overwrite } = promotion;
  const there = overwrite ? await storage.stat(finalPath, signal) : undefined;
  const made = await storage.stat(temporary, signal);
  // What somebody else has promoted meanwhile is not moved away for a file that is gone.
  if (!made) throw new NothingToPromoteError(temporary);
  const isReplaced = there?.kind === 'file';
  if (isReplaced) await backup.keep(finalPath, signal);
  await intoPlace({ ...promotion, overwrite: false }, policy, isReplaced ? urgently(signal) : signal);
  return { file: made, replaced: isReplaced };
}

async function promoteOver(promotion: Promotion, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  const { storage, temporary, finalPath, overwrite } = promotion;
  if (!overwrite || (await storage.replacesAtOnce?.(finalPath, signal))) return intoPlace(promotion, policy, signal);
  const old = asidePath(temporary);
  const there = await storage.stat(finalPath, signal);
  // What somebody else has promoted meanwhile is not moved aside for a file that is gone.
  if (there && !(await storage.stat(temporary, signal))) throw new NothingToPromoteError(temporary);
  // Once only: a lost rename that comes late, after the next one, would move the new file aside.
  if (there?.kind === 'file') await storage.rename(finalPath, old, false, signal);
  // Until the next one nothing has the file's name.
  const next = there ? urgently(signal) : signal;
  await intoPlace({ ...promotion, overwrite: false }, policy, next);
  if (there) await storage.delete(old, next);
}

/**
 * A rename whose answer was lost, or given by a proxy in place of the server, is not sent again blindly: whether the temporary file is still there tells whether it took
 * place, and the inode number, which a rename keeps, whether what stands under the final path is ours.
 */
async function intoPlace(promotion: Promotion, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  const { storage, temporary, finalPath, overwrite, lengthBytes } = promotion;
  let lost = false;
  let fileId: number | undefined;
  const tookPlace = async () => {
    const left = await storage.stat(temporary, signal);
    if (left) {
      fileId = left.fileId;
      return false;
    }
    const there = await storage.stat(finalPath, signal);
    return there?.lengthBytes === lengthBytes && (fileId === undefined || there.fileId === fileId);
  };
  await retry(policy, signal, againSoon, async () => {
    if (lost && (await tookPlace())) return;
    try {
      await storage.rename(temporary, finalPath, overwrite, signal);
    } catch (error) {
      lost ||= error instanceof FanoutError && error.mayHaveWorked;
      // A lost rename may also take place just before the second one, which then finds nothing to rename.
      if (lost && (await tookPlace())) return;
      throw error;
    }
  });
}

/** The temporary file was deleted, or has its name already. */
class NothingToPromoteError extends FanoutError {
  override readonly name = 'NothingToPromoteError';
  readonly code: StorageCode = 'not-found';
  constructor(path: string) {
    super('it is gone', { disposition: 'fail-unit', where: { operation: 'RENAME', path }, remedy: 'resume the job' });
  }
}

/** What a try that has ended may have left, and where it would have gone. */
export interface Remains {
  readonly storage: Storage;
  readonly temporary: string;
  readonly finalPath: string;
  /** Whether an old file may have been moved aside. */
  readonly overwrite: boolean;
  /** Where it was moved to. */
  readonly backup?: Backup | undefined;
}

/**
 * Takes a try back: an old file that was moved aside gets its name again, or is deleted when a new one stands there, and the
 * temporary file is deleted. Safe to run again, after a crash at any moment too. No try of the unit may be at work.
 */
export async function withdraw(remains: Remains, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  await putBack(remains, policy, signal);
  await remains.storage.delete(remains.temporary, signal);
}

/** Gives an old file its name again where one was moved aside, or deletes it when a new one stands there; in a backup it stays then. */
export async function putBack(remains: Remains, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  const { storage, temporary, finalPath, overwrite, backup } = remains;
  if (!overwrite) return;
  if (backup) {
    await retry(policy, signal, againSoon, () => backup.giveBack(finalPath, signal));
    return;
  }
  if (await storage.replacesAtOnce?.(finalPath, signal)) return;
  const old = asidePath(temporary);
  await retry(policy, signal, againSoon, async () => {
    if (!(await storage.stat(old, signal))) return;
    const next = urgently(signal);
    try {
      await storage.rename(old, finalPath, false, next);
    } catch (error) {
      if (!isExists(error)) throw error;
      await storage.delete(old, next);
    }
  });
}

function againSoon(error: unknown): 'soon' | 'no' {
  return error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no';
}

/** Where the old file waits while a try takes its place, on servers that cannot replace a file at once. */
export function asidePath(temporary: string): string {
  return `${temporary}.old`;
}
