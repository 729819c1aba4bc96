import { RefusedError } from '../errors.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Root } from '../job/root.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * Refuses a job that could not delete, or would delete everything, before a byte is moved.
 * @throws RefusedError
 */
export async function refuseDeletes(
  { skipTrash }: Pick<JobOptions, 'skipTrash'>,
  roots: readonly Root[],
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
): Promise<void> {
  for (const root of roots) {
    if (root.kind !== 'directory')
      throw new RefusedError(`${source.name}:${root.source} is a file: it has nothing to delete`, 'leave out --delete');
    await requireEntries(source, root.source, signal);
    if (skipTrash) continue;
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
