import { FanoutError, RefusedError } from '../errors.ts';
import type { JobSpec } from '../job/spec.ts';
import type { Root } from '../job/root.ts';
import { isWithin, normalize, parentOf } from '../storage/path.ts';
import type { LockedPath, Storage } from '../storage/storage.ts';

const ELSEWHERE = 'name another directory with --backup-dir';

/**
 * Refuses a job that could not keep what it replaces, or would keep it where it copies from or to. Asks, and changes nothing.
 * @throws RefusedError
 */
export async function refuseBackup(
  { options }: Pick<JobSpec, 'options'>,
  roots: readonly Root[],
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
): Promise<void> {
  const directory = normalize(options.backupDir);
  const name = `${destination.name}:${directory}`;
  const { relocation } = destination;
  if (!relocation)
    throw new RefusedError(`${destination.name} keeps no backups: only HDFS clusters do`, 'leave out --backup-dir');
  const unwritable = destination.names?.unwritable(directory);
  if (unwritable !== undefined) throw new RefusedError(`${name}: ${unwritable}`, ELSEWHERE);
  const kept = await destination.lockedPaths(directory, signal);
  for (const root of roots) {
    const copied = await destination.lockedPaths(root.destination, signal);
    const to = `${destination.name}:${root.destination}`;
    if (overlap(copied, kept)) throw new RefusedError(`the backups in ${name} and ${to} would overlap`, ELSEWHERE);
    if (!isOfOneNamespace(copied, kept))
      throw new RefusedError(`${name} is in another namespace than ${to}: nothing can be renamed there`, ELSEWHERE);
    if (overlap(await source.lockedPaths(root.source, signal), kept))
      throw new RefusedError(`the backups in ${name} and ${source.name}:${root.source} would overlap`, ELSEWHERE);
  }
  await requirePlace(destination, directory, name, signal);
  for (const root of roots) {
    const to = `${destination.name}:${root.destination}`;
    const obstacle = await relocation.obstacle(root.destination, directory, signal);
    if (obstacle !== undefined)
      throw new RefusedError(`nothing can be renamed from ${to} to ${name}: ${obstacle}`, ELSEWHERE);
  }
}

/** The directory is made when it is needed, where it is missing. */
async function requirePlace(storage: Storage, directory: string, name: string, signal: AbortSignal): Promise<void> {
  let above = directory;
  let there = await storage.stat(above, signal);
  for (; !there && above !== '/'; there = await storage.stat(above, signal)) above = parentOf(above);
  if (there?.kind !== 'directory')
    throw new RefusedError(`${name} cannot be made: ${storage.name}:${above} is no directory`, ELSEWHERE);
  try {
    await storage.requireWritable?.(above, signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    throw new RefusedError(`${name} cannot be written: ${error.message}`, ELSEWHERE);
  }
}

function overlap(some: readonly LockedPath[], others: readonly LockedPath[]): boolean {
  return some.some((one) =>
    others.some(
      (other) =>
        one.namespace === other.namespace && (isWithin(one.path, other.path) || isWithin(other.path, one.path)),
    ),
  );
}

function isOfOneNamespace(some: readonly LockedPath[], others: readonly LockedPath[]): boolean {
  const named = new Set(some.map(({ namespace }) => namespace));
  return others.length > 0 && others.every(({ namespace }) => named.has(namespace)) && mountsAreOne(some, others);
}

/** A tree that several nameservices serve has entries that no rename takes to one of them. */
function mountsAreOne(some: readonly LockedPath[], others: readonly LockedPath[]): boolean {
  const paths = (places: readonly LockedPath[]) => new Set(places.map(({ path }) => path)).size;
  return paths(some) === 1 && paths(others) === 1;
}
