import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { ActiveJobs } from '../shared/aws/active-jobs.ts';
import { ClusterSecretStore } from '../shared/aws/cluster-secrets.ts';
import { DestinationLock } from '../shared/aws/destination-lock.ts';
import { DynamoJobStore } from '../shared/aws/dynamo-job-store.ts';
import { Executions } from '../shared/aws/executions.ts';
import { JobTokens } from '../shared/aws/job-tokens.ts';
import { S3FileLines } from '../shared/aws/s3-file-lines.ts';
import { S3Lists } from '../shared/aws/s3-lists.ts';
import { S3Manifests } from '../shared/aws/s3-manifest.ts';
import { S3Reports } from '../shared/aws/s3-reports.ts';
import type { Services } from '../shared/aws/services.ts';
import { KeptNames } from '../shared/aws/kept-names.ts';
import { Meter } from '../shared/aws/meter.ts';
import { countRequests, noRequests } from '../shared/aws/request-counts.ts';
import type { PlanLimits } from '../shared/aws/plan-step.ts';
import { type ClusterSecrets, environment, metrics as names } from '../shared/names.ts';
import type { Log } from '../shared/log.ts';

/** This file alone reads environment variables. Clients are made once for each Lambda environment, since connections outlive an invocation. */
export const logger = new Logger({ serviceName: names.service });
export const metrics = new Metrics({ namespace: names.namespace, serviceName: names.service });

/** The engine's log lines, as Powertools writes them. */
const log: Log = {
  error: (fields, message) => logger.error(message, { ...fields }),
  warn: (fields, message) => logger.warn(message, { ...fields }),
  info: (fields, message) => logger.debug(message, { ...fields }),
  debug: (fields, message) => logger.debug(message, { ...fields }),
};

const table = read(environment.table);
const retentionDays = Number(read(environment.retentionDays));
const dynamo = new DynamoDBClient();
const client = DynamoDBDocumentClient.from(dynamo, { marshallOptions: { removeUndefinedValues: true } });
const secretsManager = new SecretsManagerClient();
const kms = new KMSClient();
const s3 = new S3Client();
const stepFunctions = new SFNClient();
const counts = noRequests();
countRequests(counts, { dynamo, s3 });

/** For how long after the end of its Lambda a copier is still taken to be at work, ms. */
const GRACE_MS = 2000;

/** What the steps work with, for one invocation. */
export function servicesFor(context: Context): Services {
  const copierUntilMs = Date.now() + context.getRemainingTimeInMillis() + GRACE_MS;
  const store = new DynamoJobStore(client, table, { retentionDays, copierUntilMs });
  const executions = new Executions(stepFunctions);
  const isGone = async ({ job, execution }: { readonly job: string; readonly execution: string }) =>
    !(await executions.isRunning(execution)) && !(await store.closing.hasCopiers(job));
  const clusters = JSON.parse(read(environment.clusters)) as Record<string, ClusterSecrets>;
  return {
    store,
    executions,
    meter: new Meter(counts, Number(context.memoryLimitInMB), process.arch),
    active: new ActiveJobs(client, table),
    lock: new DestinationLock(client, table, isGone),
    tokens: new JobTokens({ kms, key: read(environment.key), client, table, retentionDays }),
    secrets: new ClusterSecretStore(secretsManager, clusters),
    manifests: new S3Manifests(s3, read(environment.bucket)),
    lists: new S3Lists(s3, read(environment.bucket)),
    lines: new S3FileLines(s3, read(environment.bucket)),
    reports: new S3Reports(s3, read(environment.bucket)),
    takenNames: new KeptNames(s3, read(environment.bucket), 'names'),
    typeChanges: new KeptNames(s3, read(environment.bucket), 'types'),
    log,
  };
}

export function limits(): PlanLimits {
  return { transfers: Number(read(environment.transfers)), copiers: Number(read(environment.copiers)) };
}

/** Name of the close Lambda. */
export function closer(): string {
  return read(environment.closer);
}

/** The time between two rounds of the renewer. */
export function renewPeriodMs(): number {
  return Number(read(environment.renewMinutes)) * 60_000;
}

function read(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}
