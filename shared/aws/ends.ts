import { type JobSpec, locationsOf } from '../copy/spec.ts';
import { SpecError } from '../errors.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { WebHdfs } from '../hdfs/webhdfs.ts';
import type { Log } from '../log.ts';

/** Both ends of a job, opened, and their paths as the job spells them. */
export interface Ends extends AsyncDisposable {
  readonly source: FileSystem;
  readonly patterns: readonly string[];
  readonly destination: FileSystem;
  readonly target: string;
}

/** Asks nothing of a cluster yet. @param clusterOf  a cluster's definition with its credential */
export async function openEnds(spec: JobSpec, clusterOf: (alias: string) => Promise<Cluster>, log: Log): Promise<Ends> {
  const { from, patterns, to, target } = locationsOf(spec);
  if (from === 'local' || to === 'local') {
    throw new SpecError('local: is the disk of one machine, which AWS does not see', 'use hdfs-fanout copy for it');
  }
  const source = new WebHdfs(await clusterOf(from), log);
  const destination = from === to ? source : new WebHdfs(await clusterOf(to), log);
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
