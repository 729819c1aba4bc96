import { identity } from '../job/snapshot.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * What tells a directory from another one that has its name later, or on another cluster.
 * @returns undefined where nothing is there, or the server tells no inode: another directory would pass for this one
 */
export async function identityOf(storage: Storage, path: string, signal: AbortSignal): Promise<string | undefined> {
  const status = await storage.stat(path, signal);
  return status?.fileId === undefined ? undefined : identity(status.fileId, await storage.lockedPaths(path, signal));
}
