import type { JobSpec } from '../shared/copy/spec.ts';
import { type Location, parseLocation } from '../shared/copy/spec.ts';
import { SpecError } from '../shared/errors.ts';
import { type Cluster, clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import type { FileSystem } from '../shared/hdfs/filesystem.ts';
import { WebHdfs } from '../shared/hdfs/webhdfs.ts';
import { LocalDisk } from '../shared/local/local-disk.ts';
import type { Log } from '../shared/log.ts';

/** Both ends of a job, opened, and their paths as the job spells them. */
export interface Ends {
  readonly source: FileSystem;
  readonly patterns: readonly string[];
  readonly destination: FileSystem;
  readonly target: string;
}

/** Asks nothing of a cluster yet. @throws SpecError */
export function openEnds(spec: JobSpec, conf: string | undefined, log: Log): Ends {
  const sources = spec.source.map(parseLocation);
  const to = parseLocation(spec.destination);
  const from = sources[0] ?? to;
  const other = sources.find(({ cluster }) => cluster !== from.cluster);
  if (other)
    throw new SpecError(
      `the sources lie in two clusters, ${from.cluster} and ${other.cluster}`,
      'copy them in two jobs',
    );
  if (from.cluster === 'local' && to.cluster === 'local') {
    throw new SpecError('source and destination are both local', 'use cp');
  }
  let clusters: ReadonlyMap<string, Cluster> | undefined;
  const file = clustersFile(conf);
  const open = ({ cluster }: Location): FileSystem => {
    if (cluster === 'local') return new LocalDisk(spec.options.partSize);
    clusters ??= loadClusters(file);
    const definition = clusters.get(cluster);
    if (definition) return new WebHdfs(definition, log);
    throw new SpecError(`no cluster "${cluster}" in ${file}`, `it defines ${[...clusters.keys()].join(', ')}`);
  };
  const source = open(from);
  const destination = from.cluster === to.cluster ? source : open(to);
  return { source, patterns: sources.map(({ path }) => path), destination, target: to.path };
}
