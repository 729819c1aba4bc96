import pLimit from 'p-limit';
import { allOrAbort } from '../all-or-abort.ts';
import { decorated } from '../storage/decorated.ts';
import { StorageError } from '../storage/errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';

/** Files that are asked about at once. */
const AT_ONCE = 40;

/**
 * A storage that lists a snapshot and says which files in it somebody still writes. These go on growing there, read as closed files do, and no
 * later comparison of snapshots tells of it: whoever copies one may have a part of it for good.
 *
 * A page is listed once more behind the answers: what was closed by then stays as it is.
 *
 * @param root  the directory that the snapshots are of
 */
export function tellingOpen(storage: Storage, root: string): Storage {
  const { snapshots } = storage;
  if (!snapshots) return storage;
  const limit = pLimit(Math.min(AT_ONCE, storage.maxConcurrency ?? AT_ONCE));
  return decorated(storage, {
    async *list(directory, signal, after) {
      let last = after;
      for await (const page of storage.list(directory, signal, after)) {
        const ids = page.flatMap(({ kind, fileId }) => (kind === 'file' && fileId !== undefined ? [fileId] : []));
        const answers = await allOrAbort(
          signal,
          ids.map((id) => (both: AbortSignal) => limit(() => snapshots.isOpen(root, id, both))),
        );
        const closed = new Set(ids.filter((_, index) => answers[index] === false));
        const told = (entry: FileStatus): FileStatus => {
          const isClosed = entry.kind !== 'file' || (entry.fileId !== undefined && closed.has(entry.fileId));
          return isClosed ? entry : { ...entry, isOpen: true };
        };
        yield ids.length === 0 ? page.map(told) : (await listedAgain(page, directory, last, signal)).map(told);
        last = page.at(-1)?.name ?? last;
      }
    },
  });

  async function listedAgain(
    page: readonly FileStatus[],
    directory: string,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly FileStatus[]> {
    const found: FileStatus[] = [];
    for await (const next of storage.list(directory, signal, after)) {
      found.push(...next);
      if (found.length >= page.length) break;
    }
    const again = found.slice(0, page.length);
    if (page.every(({ name }, index) => again[index]?.name === name)) return again;
    throw new StorageError('io', 'changed', 'a directory of a snapshot has changed', {
      operation: 'LISTSTATUS',
      path: directory,
    });
  }
}
