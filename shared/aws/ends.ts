import { SpecError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Contact } from '../hdfs/nameservice.ts';
import { WebHdfs } from '../hdfs/webhdfs.ts';
import type { Log } from '../log.ts';
import type { Access } from './access.ts';
import type { JobSpec } from '../job/spec.ts';
import { locationsOf } from '../endpoints/location.ts';

/** Both ends of a job, opened, and their paths as the job spells them. */
export interface Ends extends AsyncDisposable {
  readonly source: Storage;
  readonly patterns: readonly string[];
  readonly destination: Storage;
  readonly target: string;
}

/**
 * Asks nothing of a cluster yet.
 * @param contact  `known` once the job's planner has reached the clusters: their addresses are right, and a failure is one of the moment
 */
export async function openEnds(
  spec: JobSpec,
  accessTo: (alias: string) => Promise<Access>,
  log: Log,
  contact: Contact = 'first',
): Promise<Ends> {
  const { from, patterns, to, target } = locationsOf(spec);
  if (from === 'local' || to === 'local') {
    throw new SpecError('local: is the disk of one machine, which AWS does not see', 'use hdfs-fanout copy for it');
  }
  const open = async (alias: string): Promise<Storage> => {
    const { cluster, authentication } = await accessTo(alias);
    return new WebHdfs(cluster, log, authentication, contact);
  };
  const source = await open(from);
  const destination = from === to ? source : await open(to);
  return {
    source,
    patterns,
    destination,
    target,
    async [Symbol.asyncDispose]() {
      await source.close();
      await destination.close();
    },
  };
}
