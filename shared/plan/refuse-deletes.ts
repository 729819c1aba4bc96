import { type FanoutError, RefusedError } from '../errors.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Root } from '../job/root.ts';
import { join } from '../storage/path.ts';
import { withProbe } from './probe.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * Refuses a job that could not delete, or would delete everything or what it has just copied, before a byte is moved.
 * @param makeProbe  false for a dry run: nothing is made
 * @throws RefusedError
 */
export async function refuseDeletes(
  { skipTrash, backupDir }: Pick<JobOptions, 'skipTrash' | 'backupDir'>,
  roots: readonly Root[],
  source: Storage,
  destination: Storage,
  makeProbe: boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const root of roots) {
    if (root.kind !== 'directory')
      throw new RefusedError(`${source.name}:${root.source} is a file: it has nothing to delete`, 'leave out --delete');
    await requireEntries(source, root.source, signal);
    if (makeProbe && (await ignoresCase(destination, root.destination, signal))) {
      throw new RefusedError(
        `${destination.name}:${root.destination} takes names in capital and in small letters for one: a file could be copied and deleted under two spellings`,
        'leave out --delete',
      );
    }
    if (skipTrash || backupDir !== '') continue;
    const { trash } = destination;
    const obstacle = trash ? await trash.obstacle(root.destination, signal) : 'it has no trash';
    if (obstacle === undefined) continue;
    const name = `${destination.name}:${root.destination}`;
    throw new RefusedError(
      `nothing can be moved to the trash of ${name}: ${obstacle}`,
      '--skip-trash deletes for good',
    );
  }
}

/** A source that is not mounted, or another one than was meant, looks like one from which everything was deleted. */
async function requireEntries(source: Storage, path: string, signal: AbortSignal): Promise<void> {
  for await (const page of source.list(path, signal)) if (page.length > 0) return;
  throw new RefusedError(
    `${source.name}:${path} is empty, and the whole destination would be deleted`,
    'check the source; if that is meant, delete the destination yourself',
  );
}

/** Whether a directory shows what is made there also under its name in capital letters. One that does not stand has nothing to delete. */
async function ignoresCase(storage: Storage, directory: string, signal: AbortSignal): Promise<boolean> {
  if (!storage.names?.mayIgnoreCase || (await storage.stat(directory, signal))?.kind !== 'directory') return false;
  const look = async (_: string, name: string) =>
    (await storage.stat(join(directory, name.toUpperCase()), signal)) !== undefined;
  const refused = (error: FanoutError) => {
    throw error;
  };
  return withProbe(storage, directory, look, refused, signal);
}
