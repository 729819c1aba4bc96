/**
 * Names that cross a border: between the stack, its Lambdas, the state machine and the command line. Both sides import them, so
 * that neither can misspell one. Imports nothing.
 */

/** Environment variables of the Lambdas. */
export const environment = {
  table: 'HDFS_FANOUT_TABLE',
  bucket: 'HDFS_FANOUT_BUCKET',
  /** KMS key that encrypts a job's tokens. */
  key: 'HDFS_FANOUT_KEY',
  /** JSON: cluster alias → {@link ClusterSecrets}. */
  clusters: 'HDFS_FANOUT_CLUSTERS',
  /** Transfers at once in one copier. */
  transfers: 'HDFS_FANOUT_TRANSFERS',
  /** Copiers at once over all jobs: the copy Lambda's share of the account's concurrency. */
  copiers: 'HDFS_FANOUT_COPIERS',
  /** Days after which a finished job's records expire. */
  retentionDays: 'HDFS_FANOUT_RETENTION_DAYS',
  /** Name of the close Lambda, for the reaper alone. */
  closer: 'HDFS_FANOUT_CLOSER',
  /** Minutes between two rounds of the renewer, for it alone. */
  renewMinutes: 'HDFS_FANOUT_RENEW_MINUTES',
} as const;

/** Where a cluster's definition and its credential are kept, each a secret's name or ARN. */
export interface ClusterSecrets {
  readonly definition: string;
  /** No copier may read it: copiers get a job's tokens from the job store. */
  readonly credential: string;
  /** Whether the deployment can log in to the cluster with Kerberos. */
  readonly kerberos?: true;
}

/** Outputs of the stack, by which the command line finds a deployment. */
export const outputs = {
  stateMachine: 'StateMachineArn',
  table: 'TableName',
  bucket: 'BucketName',
  /** Name of the doctor Lambda. */
  doctor: 'DoctorFunctionName',
  /** The same JSON as in `environment.clusters`. */
  clusters: 'Clusters',
} as const;

/** Keys and the expiry attribute of the table. */
export const tableKeys = { partition: 'pk', sort: 'sk', expires: 'expiresAt' } as const;

/** Keys of the item that the state machine writes for a batch whose copier died each time. The finish Lambda reads it. */
export const deathRecord = { jobPrefix: 'JOB#', sortPrefix: 'DEATH#' } as const;

/** What the finish Lambda answers in place of an outcome where a job is to be planned and copied once more. */
export const secondPass = 'SecondPass';

/** What it answers of a verification that found differences, or could not tell of everything. */
export const treesDiffer = 'TreesDiffer';

/** Prefix of the manifests in the bucket. */
export const manifestPrefix = 'manifests/';

/** Prefix of the lists of paths that people put into the bucket, and, below it, of those that the command line puts there for one job. */
export const listPrefix = 'lists/';
export const startedListPrefix = 'lists/started/';

/** Prefix of what is kept of each file for the reports of jobs: `lines/JOB/…`. */
export const linePrefix = 'lines/';

/** CloudWatch namespace and metrics, whose one dimension is `service`. */
export const metrics = {
  namespace: 'HdfsFanout',
  service: 'hdfs-fanout',
  jobsFailed: 'JobsFailed',
  jobsSuccessful: 'JobsSuccessful',
  filesFailed: 'FilesFailed',
  filesCopied: 'FilesCopied',
  bytesCopied: 'BytesCopied',
  oldestActiveJobSeconds: 'OldestActiveJobSeconds',
  tokenRenewalsFailed: 'TokenRenewalsFailed',
} as const;

/** `name` of each error that leaves a Lambda, as the state machine matches it. */
export const errorNames = {
  spec: 'SpecError',
  refused: 'RefusedError',
  unavailable: 'UnavailableError',
  busy: 'DestinationBusyError',
  superseded: 'SupersededError',
  tooManyFailures: 'TooManyFailuresError',
  incomplete: 'IncompleteError',
  closed: 'JobClosedError',
  kerberos: 'KerberosError',
  noToken: 'NoTokenError',
  /** A service of AWS did not answer for a while: worth the state machine's retry. */
  service: 'ServiceError',
} as const;

/** Errors with which the state machine itself fails an execution: no code throws them. */
export const executionErrors = {
  filesFailed: 'FilesFailed',
  jobFailed: 'JobFailed',
  treesDiffer,
} as const;

/** The Lambdas: each is `functions/NAME.ts` here, and `dist/functions/NAME/index.mjs` when it was bundled. */
export const lambdaNames = ['plan', 'copy', 'finish', 'close', 'reap', 'renew', 'doctor'] as const;
