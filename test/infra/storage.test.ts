import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { Deployed } from '../support/deployed.ts';

/** What is kept, and how. */

const deployed = new Deployed();
const { template } = deployed;

it('keeps manifests in a private, encrypted bucket that refuses plain HTTP', () => {
  template.hasResourceProperties('AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      ]),
    },
  });
});

it('deletes manifests with the records of their jobs, and uploads that nobody goes on with', () => {
  const { template: shorter } = new Deployed({ retention: Duration.days(10) });
  shorter.hasResourceProperties('AWS::S3::Bucket', {
    LifecycleConfiguration: {
      Rules: [
        { Id: 'manifests', Prefix: 'manifests/', ExpirationInDays: 10, Status: 'Enabled' },
        { Id: 'lines', Prefix: 'lines/', ExpirationInDays: 10, Status: 'Enabled' },
        { Id: 'started-lists', Prefix: 'lists/started/', ExpirationInDays: 10, Status: 'Enabled' },
        { Id: 'map-runs', Prefix: 'map-runs/', ExpirationInDays: 7, Status: 'Enabled' },
        { Id: 'uploads', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' },
      ],
    },
  });
  const [copy] = Object.values(shorter.findResources('AWS::Lambda::Function'));
  expect(JSON.stringify(copy)).toContain('"HDFS_FANOUT_RETENTION_DAYS":"10"');
});

it('keeps jobs in a table on demand, recoverable to a point in time, protected, whose records expire', () => {
  template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    Replicas: [
      { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
    ],
  });
});

it('encrypts tokens, secrets and notifications under a key that rotates', () => {
  template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  const key = { 'Fn::GetAtt': ['FanoutStorageKey273CBF9C', 'Arn'] };
  template.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: key });
  template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: key });
});

it.each([
  ['AWS::S3::Bucket', 'FanoutStorageBucketE45C7658'],
  ['AWS::DynamoDB::GlobalTable', 'FanoutStorageTableC19088D2'],
  ['AWS::KMS::Key', 'FanoutStorageKey273CBF9C'],
  ['AWS::StepFunctions::StateMachine', 'FanoutStateMachineC8E0DA80'],
])('%s keeps its logical id: another one is another, empty resource', (type, id) => {
  expect(Object.keys(template.findResources(type))).toEqual([id]);
});

it('leaves bucket, table and key behind, unless it is a trial', () => {
  const trial = new Deployed({ removalPolicy: RemovalPolicy.DESTROY }).template;
  for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable', 'AWS::KMS::Key']) {
    template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    trial.allResources(type, { DeletionPolicy: 'Delete' });
  }
  trial.hasResourceProperties('AWS::DynamoDB::GlobalTable', { Replicas: [{ DeletionProtectionEnabled: false }] });
});

it('makes the secrets of a cluster that names none, and no others; they say nothing before they are filled', () => {
  const names = Object.values(deployed.resources('AWS::SecretsManager::Secret')).map(({ Name }) => Name);
  expect(names).toEqual(['hdfs-fanout/HdfsFanout/clusters/staging', 'hdfs-fanout/HdfsFanout/credentials/staging']);
  template.allResourcesProperties('AWS::SecretsManager::Secret', {
    SecretString: Match.absent(),
    GenerateSecretString: { ExcludePunctuation: true },
  });
});

it('tells the Lambdas and the command line where a cluster’s secrets are', () => {
  const clusters = {
    staging: {
      definition: 'hdfs-fanout/HdfsFanout/clusters/staging',
      credential: 'hdfs-fanout/HdfsFanout/credentials/staging',
    },
    prod: { definition: 'hadoop/prod/definition', credential: 'hadoop/prod/credential' },
  };
  template.hasOutput('Clusters', { Value: JSON.stringify(clusters) });
  template.allResourcesProperties('AWS::Lambda::Function', {
    Environment: { Variables: { HDFS_FANOUT_CLUSTERS: JSON.stringify(clusters) } },
  });
});

it('has the outputs by which the command line finds it', () => {
  expect(Object.keys(template.findOutputs('*'))).toEqual([
    'StateMachineArn',
    'TableName',
    'BucketName',
    'DoctorFunctionName',
    'Clusters',
  ]);
});

it('keeps logs for a limited time', () => {
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  template.resourceCountIs('AWS::Logs::LogGroup', 7);
});

it.each([
  [{ local: {} }, /clusters\.local: /],
  [{ 'a b': {} }, /clusters\.a b: /],
  [Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`cluster-${i}`, {}])), /clusters: 40 are more than/],
])('refuses clusters that cannot be: %j', (clusters, says) => {
  expect(() => new Deployed({ clusters, schedules: [] })).toThrow(says);
});
