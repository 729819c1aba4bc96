import { type Endpoints, openEndpoints } from '../shared/endpoints/endpoints.ts';
import { locationsOf } from '../shared/endpoints/location.ts';
import { SpecError } from '../shared/errors.ts';
import { type Cluster, clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { Limits } from '../shared/limits/limits.ts';
import type { JobSpec } from '../shared/job/spec.ts';
import type { Log } from '../shared/log.ts';

/** Both endpoints of a job, with the definitions by which they were opened. */
export interface ClusterEndpoints extends Endpoints {
  readonly clusters: readonly Cluster[];
}

/** Both endpoints of a job, by the cluster configuration of this machine. Asks nothing of a cluster yet. @throws SpecError */
export async function endpointsOf(spec: JobSpec, conf: string | undefined, log: Log): Promise<ClusterEndpoints> {
  const { sourceAlias, destinationAlias } = locationsOf(spec);
  if (sourceAlias === 'local' && destinationAlias === 'local') {
    throw new SpecError('source and destination are both local', 'use cp, or diff -r');
  }
  const file = clustersFile(conf);
  let defined: ReadonlyMap<string, Cluster> | undefined;
  const clusters: Cluster[] = [];
  const accessTo = (alias: string) => {
    defined ??= loadClusters(file);
    const cluster = defined.get(alias);
    if (!cluster)
      throw new SpecError(`no cluster "${alias}" in ${file}`, `it defines ${[...defined.keys()].join(', ')}`);
    clusters.push(cluster);
    return { cluster };
  };
  const limits = new Limits(spec.options);
  const means = { accessTo, disk: { readBytes: spec.options.partSize }, contact: 'first', log, limits } as const;
  return { ...(await openEndpoints(spec, means)), clusters };
}
