import { type Endpoints, openEndpoints } from '../shared/endpoints/endpoints.ts';
import { locationsOf } from '../shared/endpoints/location.ts';
import { SpecError } from '../shared/errors.ts';
import { type Cluster, clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { Limits } from '../shared/limits/limits.ts';
import type { JobSpec } from '../shared/job/spec.ts';
import type { Log } from '../shared/log.ts';

/** Both endpoints of a job, by the cluster configuration of this machine. Asks nothing of a cluster yet. @throws SpecError */
export async function endpointsOf(spec: JobSpec, conf: string | undefined, log: Log): Promise<Endpoints> {
  const { sourceAlias, destinationAlias } = locationsOf(spec);
  if (sourceAlias === 'local' && destinationAlias === 'local') {
    throw new SpecError('source and destination are both local', 'use cp');
  }
  const file = clustersFile(conf);
  let clusters: ReadonlyMap<string, Cluster> | undefined;
  const accessTo = (alias: string) => {
    clusters ??= loadClusters(file);
    const cluster = clusters.get(alias);
    if (cluster) return { cluster };
    throw new SpecError(`no cluster "${alias}" in ${file}`, `it defines ${[...clusters.keys()].join(', ')}`);
  };
  const limits = new Limits(spec.options);
  return openEndpoints(spec, { accessTo, disk: { readBytes: spec.options.partSize }, contact: 'first', log, limits });
}
