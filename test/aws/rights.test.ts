import { DynamoDBClient, GetItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type ClusterSecrets, outputs } from '../../shared/names.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud, credentialsOf, lambdaProcesses } from './cloud.ts';

/**
 * What each role may not do, tried with the credentials that its Lambda really has. That it may do what it needs is shown by every other
 * test here: policies are enforced for all of them.
 */

const cloud = new Cloud(inject('aws'));
const secrets = JSON.parse(cloud.output(outputs.clusters)) as Record<string, ClusterSecrets>;
const { A } = secrets;
const TableName = cloud.output(outputs.table);
const Bucket = cloud.output(outputs.bucket);
const manifest = { Bucket, Key: 'manifests/any.jsonl' };

beforeAll(async () => {
  const pair = await TwoClusters.make(inject('bed'), 'rights');
  await pair.a.put('/rights/tree/file', 'content');
  const { code, stderr } = await cloud.run('start', '--wait', 'A:/rights/tree', 'B:/rights/tree');
  expect(code, stderr).toBe(0);
  expect(await cloud.run('doctor', 'A', '/rights')).toMatchObject({ code: 0 });
});

function clientsOf(lambda: string) {
  const [pid] = lambdaProcesses(lambda);
  if (pid === undefined) throw new Error(`no ${lambda} Lambda is warm`);
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = cloud.aws.environment;
  const { key, ...credentials } = credentialsOf(pid);
  const config = { endpoint, region, credentials, maxAttempts: 1 };
  return {
    key,
    secrets: new SecretsManagerClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    kms: new KMSClient(config),
    dynamo: new DynamoDBClient(config),
    stepFunctions: new SFNClient(config),
  };
}

type Try = (clients: ReturnType<typeof clientsOf>) => Promise<unknown>;

const readsDefinition: Try = ({ secrets: client }) =>
  client.send(new GetSecretValueCommand({ SecretId: A?.definition }));
const readsCredential: Try = ({ secrets: client }) =>
  client.send(new GetSecretValueCommand({ SecretId: A?.credential }));
const writesManifest: Try = ({ s3 }) => s3.send(new PutObjectCommand({ ...manifest, Body: '' }));
const readsManifest: Try = ({ s3 }) => s3.send(new GetObjectCommand(manifest));
const line = { Bucket: manifest.Bucket, Key: 'lines/job/0.me.0.jsonl.gz' };
const writesLine: Try = ({ s3 }) => s3.send(new PutObjectCommand({ ...line, Body: '' }));
const readsLine: Try = ({ s3 }) => s3.send(new GetObjectCommand(line));
const encrypts: Try = ({ kms, key }) => kms.send(new EncryptCommand({ KeyId: key, Plaintext: Buffer.from('x') }));
const readsTable: Try = ({ dynamo }) =>
  dynamo.send(new GetItemCommand({ TableName, Key: { pk: { S: 'x' }, sk: { S: 'x' } } }));
const scansTable: Try = ({ dynamo }) => dynamo.send(new ScanCommand({ TableName }));
const listsExecutions: Try = ({ stepFunctions }) =>
  stepFunctions.send(new ListExecutionsCommand({ stateMachineArn: cloud.output(outputs.stateMachine) }));

const denied = { name: expect.stringMatching(/AccessDenied/) as string };

describe.each<[string, readonly Try[], readonly Try[]]>([
  [
    'Copy',
    [readsDefinition, readsTable, writesLine],
    [readsCredential, writesManifest, readsManifest, readsLine, encrypts, scansTable, listsExecutions],
  ],
  ['Plan', [readsDefinition, readsCredential, writesManifest], [writesLine, readsLine, scansTable, listsExecutions]],
  [
    'Doctor',
    [readsDefinition, readsCredential],
    [readsTable, scansTable, readsManifest, writesManifest, encrypts, listsExecutions],
  ],
  [
    'Finish',
    [readsDefinition, readsManifest, writesManifest, writesLine],
    [readsCredential, readsLine, encrypts, scansTable, listsExecutions],
  ],
])('the role of the %s Lambda', (lambda, may, mayNot) => {
  test('may do what it needs', async () => {
    const clients = clientsOf(lambda);
    for (const attempt of may) {
      const name = await attempt(clients).then(
        () => 'done',
        (error: unknown) => (error as Error).name,
      );
      expect(name, attempt.name).not.toMatch(/AccessDenied/);
    }
  });

  test('is denied what is not its own', async () => {
    const clients = clientsOf(lambda);
    for (const attempt of mayNot) await expect(attempt(clients), attempt.name).rejects.toMatchObject(denied);
  });
});
