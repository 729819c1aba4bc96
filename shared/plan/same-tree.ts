import { FanoutError, RefusedError, SpecError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { isWithin, join, parentOf } from '../storage/path.ts';
import type { Root } from '../job/root.ts';
import { crossings } from './crossings.ts';
import { withProbe } from './probe.ts';

/** Source and destination of a job, and what it may do there. */
interface SourceAndDestination {
  readonly source: Storage;
  readonly destination: Storage;
  /** Existing files of the destination are replaced. */
  readonly mayReplace: boolean;
  /** What only the destination has is deleted. */
  readonly mayDelete?: boolean;
  /** False for a dry run: nothing is made. */
  readonly makeProbe: boolean;
}

/**
 * Refuses to copy a tree into itself, or into another one that the same job reads, also where source and destination are two names of
 * one namespace (`localhost` and `127.0.0.1`, a namenode and the HttpFS before it). What can be told without a request is told so;
 * otherwise, and only where the paths overlap, an empty directory is made where the destination is, looked for through the source, and
 * removed: once a job.
 *
 * @throws RefusedError
 */
export async function refuseSameTree(
  storages: SourceAndDestination,
  roots: readonly Root[],
  signal: AbortSignal,
): Promise<void> {
  const { source, destination, mayDelete } = storages;
  const known = new Map<string, boolean>();
  const isShared = async (path: string) => {
    const key = [...source.addressesOf(path), '|', ...destination.addressesOf(path)].join(' ');
    const same = known.get(key) ?? (await isOnePath(path, storages, signal));
    known.set(key, same);
    return same;
  };
  const alias = source.name === destination.name ? '' : `${source.name} and ${destination.name} are one file system: `;
  for (const root of roots) {
    if (!(await overlaps(root, root.source, storages, signal)) || !(await isShared(root.destination))) continue;
    const what = isWithin(root.destination, root.source)
      ? `is or lies inside its own source ${root.source}`
      : `holds its own source ${root.source}, and would ${mayDelete ? 'delete it' : 'overwrite it while it is read'}`;
    throw new RefusedError(`${alias}${destination.name}:${root.destination} ${what}`, 'name another destination');
  }
  for (const [root, read] of crossings(roots)) {
    if (!(await overlaps(root, read.source, storages, signal))) continue;
    const isServed = haveOneAddress(source, read.source, destination, read.source);
    if (!isServed && !(await isShared(root.destination))) continue;
    const writes = `${root.source} is copied to ${root.destination}`;
    const reads = `${read.source}, which is copied to ${read.destination}`;
    throw new RefusedError(`${alias}${writes}, and would write into ${reads}`, 'copy them in two jobs');
  }
}

/** Whether the copy of a root would write into what is read at a path, all taken as paths of one file system. */
async function overlaps(
  root: Root,
  read: string,
  { source, mayReplace, mayDelete = false }: SourceAndDestination,
  signal: AbortSignal,
): Promise<boolean> {
  if (isWithin(root.destination, read)) return true;
  if (!isWithin(read, root.destination) || isInSnapshot(read)) return false;
  // The source itself would be what only the destination has.
  if (mayDelete) return true;
  if (!mayReplace) return false;
  // Of `/a/b` copied to `/a`, only what lies at `/a/b/b` would land inside of `/a/b`.
  const below = root.destination === '/' ? read : read.slice(root.destination.length);
  return (await source.stat(join(root.source, below.slice(1)), signal)) !== undefined;
}

/** A path in a snapshot: nothing is ever written there. */
function isInSnapshot(path: string): boolean {
  return path.split('/').includes('.snapshot');
}

/** Whether a path of the destination is the same one of the source. */
async function isOnePath(path: string, storages: SourceAndDestination, signal: AbortSignal): Promise<boolean> {
  const { source, destination, makeProbe } = storages;
  if (haveOneAddress(source, path, destination, path)) return true;
  const [directory, destinationStatus] = await nearestDirectory(destination, path, signal);
  const sourceStatus = await seen(source, directory, signal);
  if (!destinationStatus || !sourceStatus || areTwo(destinationStatus, sourceStatus)) return false;
  // What inode numbers leave open: the root of every file system has the same one, and HttpFS tells none.
  const { modifiedAtMs, owner } = sourceStatus;
  const alike = destinationStatus.modifiedAtMs === modifiedAtMs && destinationStatus.owner === owner;
  return makeProbe ? showsThrough(directory, storages, alike, signal) : alike;
}

async function nearestDirectory(
  storage: Storage,
  path: string,
  signal: AbortSignal,
): Promise<[string, FileStatus | undefined]> {
  let directory = path;
  for (;;) {
    const status = await storage.stat(directory, signal);
    if (status?.kind === 'directory' || directory === '/') return [directory, status];
    directory = parentOf(directory);
  }
}

/** What the source shows at a path; undefined also where it may not look, or serves nothing: it copies nothing from there either. */
async function seen(source: Storage, path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
  try {
    return await source.stat(path, signal);
  } catch (error) {
    if (error instanceof SpecError || (error instanceof FanoutError && error.disposition === 'fail-unit'))
      return undefined;
    throw error;
  }
}

/** Whether two entries are certainly not one and the same. */
function areTwo(a: FileStatus, b: FileStatus): boolean {
  return a.kind !== b.kind || (a.fileId !== undefined && b.fileId !== undefined && a.fileId !== b.fileId);
}

/**
 * Makes a directory at the destination and looks for it through the source.
 * @param otherwise  the answer where no directory can be made
 */
function showsThrough(
  directory: string,
  { source, destination }: SourceAndDestination,
  otherwise: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const look = async (probe: string) => (await seen(source, probe, signal)) !== undefined;
  return withProbe(destination, directory, look, () => otherwise, signal);
}

/** Whether two paths are served by one address: the storages are then one, as far as these paths go. */
export function haveOneAddress(one: Storage, path: string, other: Storage, otherPath: string): boolean {
  const addresses = other.addressesOf(otherPath);
  return one.addressesOf(path).some((address) => addresses.includes(address));
}
