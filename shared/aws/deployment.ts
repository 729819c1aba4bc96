import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { messageOf, SpecError } from '../errors.ts';
import { type ClusterSecrets, outputs } from '../names.ts';
import { ActiveJobs } from './active-jobs.ts';
import { ClusterSecretStore } from './cluster-secrets.ts';
import { DoctorLambda } from './doctor-lambda.ts';
import { DynamoJobStore } from './dynamo-job-store.ts';
import { Executions } from './executions.ts';
import { S3FileLines } from './s3-file-lines.ts';
import { S3Lists } from './s3-lists.ts';
import { S3Reports } from './s3-reports.ts';

/** A deployed stack, as a person's command line sees it: it starts, stops and watches; what copies runs in the Lambdas. */
export interface Deployment {
  readonly stack: string;
  /** ARN. */
  readonly stateMachine: string;
  readonly store: DynamoJobStore;
  readonly active: ActiveJobs;
  readonly executions: Executions;
  readonly secrets: ClusterSecretStore;
  readonly doctor: DoctorLambda;
  /** @throws SpecError when the deployment is of a version that tells no bucket */
  readonly lists: () => S3Lists;
  /** @throws the same */
  readonly lines: () => S3FileLines;
  /** @throws SpecError as `lists` */
  readonly reports: () => S3Reports;
}

/** Finds a deployment by its stack's outputs. Region and credentials come from where the AWS SDK looks. @throws SpecError */
export async function findDeployment(stack: string): Promise<Deployment> {
  const found = await outputsOf(stack);
  const output = (key: string) => {
    const value = found.get(key);
    if (value !== undefined) return value;
    throw new SpecError(`the stack ${stack} has no output ${key}`, 'deploy it again with this version of hdfs-fanout');
  };
  const client = DynamoDBDocumentClient.from(new DynamoDBClient());
  const table = output(outputs.table);
  const clusters = JSON.parse(output(outputs.clusters)) as Record<string, ClusterSecrets>;
  return {
    stack,
    stateMachine: output(outputs.stateMachine),
    // The command line writes no records, and needs not know for how long they are kept.
    store: new DynamoJobStore(client, table, { retentionDays: 0 }),
    active: new ActiveJobs(client, table),
    executions: new Executions(new SFNClient()),
    secrets: new ClusterSecretStore(new SecretsManagerClient(), clusters),
    doctor: new DoctorLambda(new LambdaClient(), () => output(outputs.doctor)),
    lists: () => new S3Lists(new S3Client(), output(outputs.bucket)),
    lines: () => new S3FileLines(new S3Client(), output(outputs.bucket)),
    reports: () => new S3Reports(new S3Client(), output(outputs.bucket)),
  };
}

async function outputsOf(stack: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { Stacks = [] } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: stack }));
    const described = Stacks[0]?.Outputs ?? [];
    return new Map(described.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (error) {
    throw new SpecError(
      `cannot look up the stack ${stack}: ${messageOf(error)}`,
      'name it with --stack, and its account and region as the AWS CLI does (AWS_PROFILE, AWS_REGION)',
      error,
    );
  }
}
