import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { tableKeys } from '../../shared/names.ts';
import type { SharedAws } from './shared-aws.ts';

/** Clients of the emulator with the rights of the account's root user. */
export function clientsOf({ environment }: Pick<SharedAws, 'environment'>) {
  const {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    AWS_REGION,
    AWS_CA_BUNDLE,
  } = environment;
  if (endpoint === undefined || AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new Error('not the environment of an emulator');
  }
  if (AWS_CA_BUNDLE !== undefined) trust(AWS_CA_BUNDLE);
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const config = { endpoint, credentials, region: AWS_REGION ?? '' };
  const dynamo = new DynamoDBClient(config);
  return {
    dynamo,
    documents: DynamoDBDocumentClient.from(dynamo, { marshallOptions: { removeUndefinedValues: true } }),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    kms: new KMSClient(config),
    secrets: new SecretsManagerClient(config),
    stepFunctions: new SFNClient(config),
    lambdas: new LambdaClient(config),
    scheduler: new SchedulerClient(config),
    logs: new CloudWatchLogsClient(config),
    cloudFormation: new CloudFormationClient(config),
  };
}

export type Clients = ReturnType<typeof clientsOf>;

const trusted = new Set<string>();

/** For all connections of this process: NODE_EXTRA_CA_CERTS is read only when a process starts. */
function trust(file: string): void {
  if (trusted.has(file)) return;
  trusted.add(file);
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')]);
}

const unique = (): string => `test-${randomBytes(6).toString('hex')}`;

/** An empty table with the keys of the deployment's own. */
export async function newTable({ dynamo }: Clients): Promise<{ name: string } & AsyncDisposable> {
  const name = unique();
  const { partition, sort, expires } = tableKeys;
  await dynamo.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: partition, AttributeType: 'S' },
        { AttributeName: sort, AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: partition, KeyType: 'HASH' },
        { AttributeName: sort, KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client: dynamo, maxWaitTime: 10, minDelay: 1 }, { TableName: name });
  const TimeToLiveSpecification = { Enabled: true, AttributeName: expires };
  await dynamo.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
  return {
    name,
    async [Symbol.asyncDispose]() {
      await dynamo.send(new DeleteTableCommand({ TableName: name }));
    },
  };
}

/** The name of an empty bucket. */
export async function newBucket({ s3 }: Clients): Promise<string> {
  const name = unique();
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

/** The id of a key that encrypts. */
export async function newKey({ kms }: Clients): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  if (KeyMetadata?.KeyId === undefined) throw new Error('KMS gave no key');
  return KeyMetadata.KeyId;
}
