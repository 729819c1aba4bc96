import type { Log } from '../log.ts';
import type { ActiveJobs } from './active-jobs.ts';
import type { ClusterSecretStore } from './cluster-secrets.ts';
import type { DestinationLock } from './destination-lock.ts';
import type { DynamoJobStore } from './dynamo-job-store.ts';
import type { Executions } from './executions.ts';
import type { JobTokens } from './job-tokens.ts';
import type { S3FileLines } from './s3-file-lines.ts';
import type { Meter } from './meter.ts';
import type { S3Lists } from './s3-lists.ts';
import type { S3Manifests } from './s3-manifest.ts';
import type { S3Reports } from './s3-reports.ts';
import type { KeptNames } from './kept-names.ts';

/** What the steps of a job share: the stores of one deployment. */
export interface Services {
  readonly store: DynamoJobStore;
  readonly active: ActiveJobs;
  readonly lock: DestinationLock;
  readonly tokens: JobTokens;
  readonly secrets: ClusterSecretStore;
  readonly manifests: S3Manifests;
  readonly lists: S3Lists;
  readonly lines: S3FileLines;
  readonly reports: S3Reports;
  readonly takenNames: KeptNames;
  readonly typeChanges: KeptNames;
  readonly executions: Executions;
  readonly meter: Meter;
  readonly log: Log;
}
