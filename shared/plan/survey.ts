import { createHash } from 'node:crypto';
import { FanoutError } from '../errors.ts';
import { join } from '../storage/path.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { childOf } from './entry.ts';
import type { Selection } from './selection.ts';
import { walk } from './walk.ts';

/** Where the user's trash lies in a home directory, and at the top of an encryption zone. */
const TRASH = '.Trash';
/** Entries of a directory that is moved whole: a larger one is looked at, and moved, piece by piece. */
const MOST_ENTRIES = 100_000;

/** Whether a filter of the job leaves out what lies at a path below the root. */
export type Hides = (path: string, status: FileStatus) => boolean;

/**
 * What a user's choice keeps out of a job is not deleted either, and neither is what its length or time would keep out at the source, or
 * what lies in a hidden directory: one that `filters` has hidden is walked all the same.
 */
export function hiddenBy({ hides, leavesOut }: Selection): Hides {
  return (path, status) => {
    if (hides(path, status.kind) !== undefined || (status.kind === 'file' && leavesOut(status) !== undefined))
      return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (hides(path.slice(0, end), 'directory') !== undefined) return true;
    }
    return false;
  };
}

/** What may be deleted where. */
export interface Deletable {
  readonly storage: Storage;
  /** The destination of the root. */
  readonly root: string;
  readonly hides: Hides;
  readonly signal: AbortSignal;
}

/** What is in a directory, all of which may be deleted. */
export interface Survey {
  readonly files: number;
  readonly bytes: number;
  /** Of everything that listings tell of it. */
  readonly digest: string;
}

/** Whether an entry that only the destination has stays, whatever else is deleted: hidden, the trash, or nothing that can be named. */
export function isProtected({ hides }: Pick<Deletable, 'hides'>, path: string, status: FileStatus): boolean {
  return status.kind === 'other' || path.split('/').includes(TRASH) || hides(path, status);
}

/** Whether a directory stays although what is in it may go: another namespace begins there or below, or snapshots may be taken of it. */
export function isFixed({ storage, root }: Deletable, path: string, { isSnapshottable }: FileStatus): boolean {
  return isSnapshottable === true || storage.isSpanned?.(join(root, path)) === true;
}

/**
 * Looks at everything in a directory.
 * @param path  below the root
 * @returns undefined where it may not be moved as a whole: something in it stays, or could not be listed
 */
export async function survey(within: Deletable, path: string, status: FileStatus): Promise<Survey | undefined> {
  const { storage, root, signal } = within;
  const hash = createHash('sha256');
  let [files, bytes, entries, isWhole] = [0, 0, 0, true];
  const source = { storage, root: join(root, path), status };
  const keep = () => {
    isWhole = false;
  };
  try {
    await walk(
      { source },
      {
        sourceOnly: ({ path: below, source: entry }) => {
          const { kind, lengthBytes, modifiedAtMs, fileId = 0 } = entry;
          const full = below === '' ? path : childOf(path, below);
          if (isProtected(within, full, entry) || isFixed(within, full, entry) || ++entries > MOST_ENTRIES) keep();
          hash.update(`${below}\0${kind}\0${lengthBytes}\0${modifiedAtMs}\0${fileId}\n`);
          if (kind !== 'file') return;
          files += 1;
          bytes += lengthBytes;
        },
        temporary: keep,
        lost: keep,
        blocked: keep,
      },
      signal,
      { isOver: () => !isWhole },
    );
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return undefined;
  }
  return isWhole ? { files, bytes, digest: hash.digest('base64') } : undefined;
}
