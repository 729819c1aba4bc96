import type { Job } from '../copy/job-store.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import type { Log } from '../log.ts';
import type { ActiveJobs } from './active-jobs.ts';
import type { ClusterSecretStore } from './cluster-secrets.ts';
import type { DestinationLock, LockedPath } from './destination-lock.ts';
import type { DynamoJobStore } from './dynamo-job-store.ts';
import type { Executions } from './executions.ts';
import type { JobTokens } from './job-tokens.ts';
import type { S3Manifests } from './s3-manifest.ts';

/** What the steps of a job share: the stores of one deployment. */
export interface Services {
  readonly store: DynamoJobStore;
  readonly active: ActiveJobs;
  readonly lock: DestinationLock;
  readonly tokens: JobTokens;
  readonly secrets: ClusterSecretStore;
  readonly manifests: S3Manifests;
  readonly executions: Executions;
  readonly log: Log;
}

/** A cluster as a copier sees it: its definition, and the token that the planner left for this job. */
export async function clusterOfJob(
  { secrets, tokens }: Pick<Services, 'secrets' | 'tokens'>,
  job: string,
  alias: string,
): Promise<Cluster> {
  const [definition, token] = await Promise.all([secrets.definition(alias), tokens.get(job, alias)]);
  return token === undefined ? definition : { ...definition, token };
}

/** What a job's lock is on. */
export function lockedPaths(roots: Job['roots'], destination: FileSystem): LockedPath[] {
  return roots.flatMap(({ destination: path }) => destination.placesOf(path).map((place) => ({ place, path })));
}
