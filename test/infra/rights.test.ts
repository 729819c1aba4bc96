import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, test } from 'vitest';
import { Deployed, withKerberos } from '../support/deployed.ts';

/** What each role may do: all of it, so that a right more is a failed test. */

const deployed = new Deployed();

const logs = (name: string) => `logs:CreateLogStream logs:PutLogEvents on <Functions${name}Logs.Arn>`;
const interfaces =
  'ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DeleteNetworkInterface ' +
  'ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses on *';
const table =
  'dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:ConditionCheckItem dynamodb:PutItem ' +
  'dynamodb:UpdateItem dynamodb:DeleteItem on <StorageTable.Arn>';
const arn = (service: string, rest: string) => `arn:<AWS::Partition>:${service}:<AWS::Region>:<AWS::AccountId>:${rest}`;
const definitions = `secretsmanager:GetSecretValue on <Clustersclustersstaging> ${arn('secretsmanager', 'secret:hadoop/prod/definition-??????')}`;
const credentials = `secretsmanager:GetSecretValue on <Clusterscredentialsstaging> ${arn('secretsmanager', 'secret:hadoop/prod/credential-??????')}`;
const viaSecretsManager =
  'kms:Decrypt on <StorageKey.Arn> if {"StringEquals":{"kms:ViaService":{"Fn::Join":["",["secretsmanager.",{"Ref":"AWS::Region"},".amazonaws.com"]]}}}';
const tokens = (actions: string) =>
  `${actions} on <StorageKey.Arn> if {"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["job","cluster"]}}`;
const manifests = 's3:GetObject on <StorageBucket.Arn>/manifests/*';
const writing = [
  's3:PutObject s3:DeleteObject s3:AbortMultipartUpload s3:ListMultipartUploadParts on <StorageBucket.Arn>/manifests/*',
  's3:ListBucket on <StorageBucket.Arn>',
];
const lines = 's3:PutObject on <StorageBucket.Arn>/lines/*';
const describeExecutions = `states:DescribeExecution on ${arn('states', 'execution:<StateMachine.Name>:*')}`;

const common = (name: string) => [logs(name), interfaces, table, definitions, viaSecretsManager];

test.each<[string, string[]]>([
  [
    'Plan',
    [
      ...common('Plan'),
      credentials,
      tokens('kms:Encrypt kms:Decrypt'),
      manifests,
      's3:GetObject on <StorageBucket.Arn>/lists/*',
      ...writing,
      describeExecutions,
    ],
  ],
  ['Copy', [...common('Copy'), tokens('kms:Decrypt'), lines]],
  ['Finish', [...common('Finish'), tokens('kms:Decrypt'), manifests, ...writing, lines]],
  ['Close', [...common('Close'), tokens('kms:Decrypt'), manifests]],
  ['Doctor', [logs('Doctor'), interfaces, definitions, credentials, viaSecretsManager]],
  ['Reap', [logs('Reap'), table, 'lambda:InvokeFunction on <FunctionsCloseFunction.Arn>', describeExecutions]],
])('the Lambda %s may do just this', (name, rights) => {
  expect(deployed.rightsOf(`<Functions${name}Role>`)).toEqual([...rights].sort());
});

const renewed = withKerberos();
const kerberosCredential = `secretsmanager:GetSecretValue on ${arn('secretsmanager', 'secret:hadoop/prod/credential-??????')}`;

test.each<[string, string[]]>([
  ['Copy', [...common('Copy'), tokens('kms:Decrypt'), lines]],
  [
    'Finish',
    [...common('Finish'), kerberosCredential, viaSecretsManager, tokens('kms:Decrypt'), manifests, ...writing, lines],
  ],
  ['Close', [...common('Close'), kerberosCredential, viaSecretsManager, tokens('kms:Decrypt'), manifests]],
  ['Renew', [...common('Renew'), kerberosCredential, viaSecretsManager, tokens('kms:Encrypt kms:Decrypt')]],
])('with Kerberos the Lambda %s may do just this: of credentials, those of clusters with Kerberos', (name, rights) => {
  // The same right is said once.
  expect(renewed.rightsOf(`<Functions${name}Role>`)).toEqual([...new Set(rights)].sort());
});

test('the copy role can read neither a credential secret nor anything of the bucket', () => {
  const rights = deployed.rightsOf('<FunctionsCopyRole>').join('\n');
  expect(rights).not.toMatch(/credential|s3:(?!PutObject on)|Encrypt /);
});

test('the state machine may do just this', () => {
  const lambdas = ['Plan', 'Copy', 'Finish', 'Close'].map((name) => `<Functions${name}Function.Arn>`);
  const mapRuns = arn('states', 'execution:<StateMachine.Name>/Copy:*');
  const rights = deployed.rightsOf('<StateMachineRole>');
  expect(rights.filter((right) => !right.startsWith('logs:'))).toEqual(
    [
      `lambda:InvokeFunction on ${lambdas.join(' ')}`,
      'dynamodb:PutItem on <StorageTable.Arn>',
      manifests,
      's3:PutObject s3:GetObject s3:ListMultipartUploadParts s3:AbortMultipartUpload on <StorageBucket.Arn>/map-runs/*',
      'states:StartExecution on <StateMachine>',
      `states:DescribeExecution states:StopExecution on ${arn('states', 'execution:<StateMachine.Name>:*')} ${mapRuns}`,
      `states:RedriveExecution on ${mapRuns}`,
    ].sort(),
  );
  expect(rights.filter((right) => right.startsWith('logs:'))).toEqual([expect.stringMatching(/LogDelivery.* on \*$/)]);
});

test('schedules may start executions, and nothing else', () => {
  expect(deployed.rightsOf('<SchedulesRole>')).toEqual(['states:StartExecution on <StateMachine>']);
});

test('no role has a managed policy', () => {
  for (const role of Object.values(deployed.resources('AWS::IAM::Role'))) {
    expect(role).not.toHaveProperty('ManagedPolicyArns');
  }
});

describe('cdk-nag (AWS Solutions)', () => {
  it('finds nothing, however the deployment is configured', () => {
    for (const one of [
      deployed,
      renewed,
      new Deployed({ schedules: [], reserveConcurrency: true, alarmEmail: 'a@b.example' }),
    ]) {
      expect(new AwsSolutionsChecks(one.app).validateScope(one.app).violations).toEqual([]);
    }
  });

  it('is not silenced for what is beside the construct, or for a right more', () => {
    const app = new App();
    new s3.Bucket(new Stack(app, 'Other'), 'Bucket');
    expect(new AwsSolutionsChecks(app).validateScope(app).success).toBe(false);
    const wider = new Deployed();
    const role = wider.stack.node.findAll().find(({ node }) => node.path.endsWith('/Copy/Role')) as iam.Role;
    role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::other/*'] }),
    );
    const { violations } = new AwsSolutionsChecks(wider.app).validateScope(wider.app);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-IAM5[Resource::arn:aws:s3:::other/*]']);
  });
});
