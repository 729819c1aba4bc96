import { randomUUID } from 'node:crypto';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { ActiveJobs } from '../../shared/aws/active-jobs.ts';
import { ClusterSecretStore } from '../../shared/aws/cluster-secrets.ts';
import { DestinationLock } from '../../shared/aws/destination-lock.ts';
import { DynamoJobStore } from '../../shared/aws/dynamo-job-store.ts';
import { Executions } from '../../shared/aws/executions.ts';
import { JobTokens } from '../../shared/aws/job-tokens.ts';
import { S3FileLines } from '../../shared/aws/s3-file-lines.ts';
import { S3Lists } from '../../shared/aws/s3-lists.ts';
import { S3Manifests } from '../../shared/aws/s3-manifest.ts';
import { S3Reports } from '../../shared/aws/s3-reports.ts';
import { KeptNames } from '../../shared/aws/kept-names.ts';
import { Meter } from '../../shared/aws/meter.ts';
import { noRequests } from '../../shared/aws/request-counts.ts';
import type { Services } from '../../shared/aws/services.ts';
import { silentLog } from '../../shared/log.ts';
import { type Clients, newBucket, newKey, newTable } from './support.ts';

/** The stores of a deployment of a test's own, whose steps a test calls as the Lambdas would. */
export interface TestDeployment {
  /** For one invocation. @param lastsMs  until when it may be at work */
  readonly services: (lastsMs?: number) => Services;
  /** What the state machine's execution of this name would be called. */
  readonly executionOf: (job: string) => string;
  /** Executions that a test says are running. */
  readonly running: Set<string>;
}

/** @param clusters  alias → namenode URL, and other fields of the definition */
export async function newTestDeployment(
  clients: Clients,
  clusters: Readonly<Record<string, { readonly url: string } & Record<string, unknown>>>,
): Promise<TestDeployment> {
  const { name: table } = await newTable(clients);
  const bucket = await newBucket(clients);
  const key = await newKey(clients);
  const ids: Record<string, { definition: string; credential: string }> = {};
  for (const [alias, { url, token, ...fields }] of Object.entries(clusters)) {
    const nameservices = [{ urls: [url], mounts: ['/'] }];
    const name = `${randomUUID()}/${alias}`;
    const secret = async (kind: string, value: object) => {
      const SecretString = JSON.stringify(value);
      const { ARN = '' } = await clients.secrets.send(
        new CreateSecretCommand({ Name: `${name}/${kind}`, SecretString }),
      );
      return ARN;
    };
    ids[alias] = {
      definition: await secret('definition', { name: alias, user: 'root', nameservices, ...fields }),
      credential: await secret('credential', token === undefined ? {} : { token }),
    };
  }
  const running = new Set<string>();
  const services = (lastsMs = 60_000): Services => {
    const client = clients.documents;
    const store = new DynamoJobStore(client, table, { retentionDays: 7, copierUntilMs: Date.now() + lastsMs });
    const isGone = async ({ job, execution }: { readonly job: string; readonly execution: string }) =>
      !running.has(execution) && !(await store.closing.hasCopiers(job));
    return {
      store,
      active: new ActiveJobs(client, table),
      lock: new DestinationLock(client, table, isGone),
      tokens: new JobTokens({ kms: clients.kms, key, client, table, retentionDays: 7 }),
      secrets: new ClusterSecretStore(clients.secrets, ids),
      manifests: new S3Manifests(clients.s3, bucket),
      lists: new S3Lists(clients.s3, bucket),
      lines: new S3FileLines(clients.s3, bucket),
      reports: new S3Reports(clients.s3, bucket),
      takenNames: new KeptNames(clients.s3, bucket, 'names'),
      typeChanges: new KeptNames(clients.s3, bucket, 'types'),
      executions: new Executions(clients.stepFunctions),
      meter: new Meter(noRequests(), 1024, 'arm64'),
      log: silentLog,
    };
  };
  const executionOf = (job: string) => `arn:aws:states:us-east-1:000000000000:execution:machine:${job}`;
  return { services, executionOf, running };
}
