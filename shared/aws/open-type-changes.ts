import type { Job } from '../job/job.ts';
import { ListOnDisk } from '../machine/list-on-disk.ts';
import type { Services } from './services.ts';

/** The type changes that a job's plan has left for a second pass, on this Lambda's disk; undefined where there are none. */
export async function openTypeChanges(
  { id, typeChanges }: Job,
  services: Pick<Services, 'typeChanges'>,
): Promise<ListOnDisk | undefined> {
  if (!typeChanges) return undefined;
  const list = new ListOnDisk();
  const paths = { add: (path: string) => list.add({ path, isListed: true }) };
  await services.typeChanges.refill(id, paths, typeChanges.names);
  return list;
}
