import type { Job } from '../job/job.ts';
import { StateError } from '../errors.ts';
import type { KeptLists } from './kept-lists.ts';
import type { ListOnDisk } from './list-on-disk.ts';

/** What the type changes of a job are called among the lists. */
export function typeChangesOf(id: string): string {
  return `${id}.types`;
}

/**
 * The type changes that a job's plan has left for a second pass; undefined where there are none.
 * @throws StateError when the list is not what was kept: what it lacks would never be copied
 */
export function openTypeChanges({ id, typeChanges }: Job, lists: KeptLists): ListOnDisk | undefined {
  if (!typeChanges) return undefined;
  const list = lists.open(typeChangesOf(id));
  if (list.length === typeChanges.names) return list;
  list[Symbol.dispose]();
  throw new StateError(`the list of the job ${id} has lost names`, 'copy anew with --force: what is equal is skipped');
}
