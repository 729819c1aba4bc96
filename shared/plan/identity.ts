import type { Storage } from '../storage/storage.ts';

/**
 * What tells a directory from another one that has its name later, or on another cluster: its inode, and the namespaces that serve it.
 * @returns undefined where nothing is there, or the server tells no inode: another directory would pass for this one
 */
export async function identityOf(storage: Storage, path: string, signal: AbortSignal): Promise<string | undefined> {
  const status = await storage.stat(path, signal);
  if (status?.fileId === undefined) return undefined;
  const locked = await storage.lockedPaths(path, signal);
  const namespaces = locked.map(({ namespace, path: served }) => `${namespace} ${served}`).sort();
  return [status.fileId, ...namespaces].join('\n');
}
