import { SpecError } from '../shared/errors.ts';
import { type Cluster, clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import type { Storage } from '../shared/storage/storage.ts';
import { WebHdfs } from '../shared/hdfs/webhdfs.ts';
import { LocalDisk } from '../shared/disk/local-disk.ts';
import type { Log } from '../shared/log.ts';
import type { JobSpec } from '../shared/job/spec.ts';
import { locationsOf } from '../shared/endpoints/location.ts';

/** Both ends of a job, opened, and their paths as the job spells them. */
export interface Ends {
  readonly source: Storage;
  readonly patterns: readonly string[];
  readonly destination: Storage;
  readonly target: string;
}

/** Asks nothing of a cluster yet. @throws SpecError */
export function openEnds(spec: JobSpec, conf: string | undefined, log: Log): Ends {
  const { from, patterns, to, target } = locationsOf(spec);
  if (from === 'local' && to === 'local') throw new SpecError('source and destination are both local', 'use cp');
  let clusters: ReadonlyMap<string, Cluster> | undefined;
  const file = clustersFile(conf);
  const open = (cluster: string): Storage => {
    if (cluster === 'local') return new LocalDisk(spec.options.partSize);
    clusters ??= loadClusters(file);
    const definition = clusters.get(cluster);
    if (definition) return new WebHdfs(definition, log);
    throw new SpecError(`no cluster "${cluster}" in ${file}`, `it defines ${[...clusters.keys()].join(', ')}`);
  };
  const source = open(from);
  const destination = from === to ? source : open(to);
  return { source, patterns, destination, target };
}
