import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { linePrefix, listPrefix, manifestPrefix, startedListPrefix, tableKeys } from '../shared/names.ts';
import { allow } from './rights.ts';

/** Prefix of the objects in which Step Functions keeps the answers of batches, all of them empty. */
export const mapRunPrefix = 'map-runs';

/** When a multipart upload that no planner goes on with is given up. */
const UPLOADS_LAST = Duration.days(7);
const MAP_RUNS_LAST = Duration.days(7);

export interface StorageProps {
  /** How long a job's manifest is kept: as long as its records. */
  readonly retention: Duration;
  /** What becomes of bucket, table and key when the stack is deleted. */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * What outlives an execution: manifests in a bucket, jobs in a table, and the key for a job's tokens, the secrets and the topic.
 *
 * Bucket and table hold paths and counts, encrypted by S3 and DynamoDB under their own keys, so that the state machine needs
 * no right on ours. A token is encrypted under ours before it gets into the table.
 */
export class Storage extends Construct {
  readonly bucket: s3.Bucket;
  readonly table: dynamodb.TableV2;
  readonly key: kms.Key;

  constructor(scope: Construct, id: string, { retention, removalPolicy }: StorageProps) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      description: 'hdfs-fanout: tokens of jobs, cluster secrets, notifications',
      enableKeyRotation: true,
      removalPolicy,
    });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy,
      lifecycleRules: [
        { id: 'manifests', prefix: manifestPrefix, expiration: retention },
        { id: 'lines', prefix: linePrefix, expiration: retention },
        { id: 'started-lists', prefix: startedListPrefix, expiration: retention },
        { id: 'map-runs', prefix: `${mapRunPrefix}/`, expiration: MAP_RUNS_LAST },
        { id: 'uploads', abortIncompleteMultipartUploadAfter: UPLOADS_LAST },
      ],
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only this deployment writes and reads it; CloudTrail data events tell more than access logs, where wanted',
    });
    this.table = new dynamodb.TableV2(this, 'Table', {
      partitionKey: { name: tableKeys.partition, type: dynamodb.AttributeType.STRING },
      sortKey: { name: tableKeys.sort, type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: tableKeys.expires,
      billing: dynamodb.Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
      removalPolicy,
    });
  }

  /** Lets a role read and write the job store, without a scan: nothing needs to see all jobs at once. */
  allowTable(role: iam.Role): void {
    const actions = ['GetItem', 'BatchGetItem', 'Query', 'ConditionCheckItem', 'PutItem', 'UpdateItem', 'DeleteItem'];
    allow(role, { actions: actions.map((action) => `dynamodb:${action}`), resources: [this.table.tableArn] });
  }

  allowReadingManifests(role: iam.Role): void {
    allow(role, {
      actions: ['s3:GetObject'],
      resources: [this.bucket.arnForObjects(`${manifestPrefix}*`)],
      because: 'A manifest is named after its job',
    });
  }

  /** Lists that people put there: only the planner reads them, and keeps those of its jobs beside their manifests. */
  allowReadingLists(role: iam.Role): void {
    allow(role, {
      actions: ['s3:GetObject'],
      resources: [this.bucket.arnForObjects(`${listPrefix}*`)],
      because: 'A list is named by whoever puts it there',
    });
  }

  /** What reports are made of. Whoever writes it reads none of it. */
  allowWritingLines(role: iam.Role): void {
    allow(role, {
      actions: ['s3:PutObject'],
      resources: [this.bucket.arnForObjects(`${linePrefix}*`)],
      because: 'Lines are named after their job and batch',
    });
  }

  allowWritingManifests(role: iam.Role): void {
    allow(role, {
      actions: ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resources: [this.bucket.arnForObjects(`${manifestPrefix}*`)],
      because: 'A manifest is named after its job',
    });
    // Without ListBucket S3 says 403 for an object that is not there: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    allow(role, { actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
  }

  /** Lets a role use the key for tokens of jobs alone: what Secrets Manager encrypts under it has another context. */
  allowTokens(role: iam.Role, ...actions: ('Encrypt' | 'Decrypt')[]): void {
    allow(role, {
      actions: actions.map((action) => `kms:${action}`),
      resources: [this.key.keyArn],
      conditions: { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['job', 'cluster'] } },
    });
  }
}
