import pLimit, { type LimitFunction } from 'p-limit';
import { allOrAbort } from '../all-or-abort.ts';
import { RefusedError } from '../errors.ts';
import { decorated } from '../storage/decorated.ts';
import { StorageError } from '../storage/errors.ts';
import { isWithin, join } from '../storage/path.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { isCovered, type PathList } from './path-list.ts';

/** Names that are looked at before the first of them is told of. */
const PAGE = 200;
/** Names that are asked for at once. */
const AT_ONCE = 40;

/** What of two trees is looked at, in place of all. */
export interface Narrowed {
  readonly source: Storage;
  readonly destination: Storage;
}

/**
 * A storage whose directories hold, for whoever lists them, only what a list names: all of what is listed or lies in a listed directory, and the names
 * that lead there. Everything else, the statuses of what is left out included, is the inner storage's.
 *
 * Names come in the namenode's order, which is that of the list. A name is left out of such a listing only while the directory stands: nothing comes of one that is gone, as of any listing.
 *
 * @param root  that the list's paths are below
 */
export function narrowedTo(list: PathList, storage: Storage, root: string): Storage {
  const limit = pLimit(Math.min(AT_ONCE, storage.maxConcurrency ?? AT_ONCE));
  return decorated(storage, {
    async *list(directory, signal, after) {
      const path = pathBelow(root, directory);
      if (path === undefined || isCovered(list, path)) yield* storage.list(directory, signal, after);
      else yield* named(list.namesIn(path, after), { storage, directory, limit, signal });
    },
  });
}

/**
 * The destination of a narrowed tree. A directory is made there only where all of what is in it is looked at: another one stood there when that was
 * found out, and whoever made it anew would leave it nearly empty.
 */
export function narrowedDestination(list: PathList, storage: Storage, root: string): Storage {
  const narrowed = narrowedTo(list, storage, root);
  return decorated(narrowed, {
    async makeDirectory(directory, permission, signal) {
      const path = pathBelow(root, directory);
      if (path !== undefined && !isCovered(list, path)) {
        throw new RefusedError(
          `${storage.name}:${directory} vanished while the job looked at what has changed in it`,
          'copy again, with --repair if more than that is gone',
        );
      }
      await storage.makeDirectory(directory, permission, signal);
    },
  });
}

interface Listed {
  readonly storage: Storage;
  readonly directory: string;
  readonly limit: LimitFunction;
  readonly signal: AbortSignal;
}

async function* named(
  names: Iterable<{ readonly name: string }>,
  listed: Listed,
): AsyncGenerator<readonly FileStatus[]> {
  let page: string[] = [];
  for (const { name } of names) {
    page.push(name);
    if (page.length < PAGE) continue;
    yield await statuses(page, listed);
    page = [];
  }
  yield await statuses(page, listed);
}

/** @throws StorageError not-found where the directory is gone, or is none */
async function statuses(
  names: readonly string[],
  { storage, directory, limit, signal }: Listed,
): Promise<readonly FileStatus[]> {
  const found = await allOrAbort(
    signal,
    names.map((name) => (both: AbortSignal) => limit(() => storage.stat(join(directory, name), both))),
  );
  const present = found.flatMap((status, index) => (status ? [{ ...status, name: names[index] ?? '' }] : []));
  if (present.length > 0 && present.length === names.length) return present;
  // Where something is not there, or nothing was asked for: asked last, so that it stood all the while.
  const itself = await storage.stat(directory, signal);
  if (itself?.kind === 'directory') return present;
  throw new StorageError('not-found', 'FileNotFoundException', `${directory} is no directory any more`, {
    operation: 'LISTSTATUS',
    path: directory,
  });
}

function pathBelow(root: string, directory: string): string | undefined {
  if (directory === root) return '';
  if (!isWithin(directory, root)) return undefined;
  return root === '/' ? directory.slice(1) : directory.slice(root.length + 1);
}
