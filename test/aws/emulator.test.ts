import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { clientsOf, newBucket, newKey } from './support.ts';

/** What the deployment stands on and the emulator must do as AWS does; an emulator that changes is found out here. */

const clients = clientsOf(inject('aws'));
const name = `emulator-${randomUUID().slice(0, 8)}`;
const outputs: Record<string, string> = {};

/** Does as the event says. */
const code = `
const calls = {};
exports.handler = async (event) => {
  const { key, fail, times = Infinity, message = 'why', exit, sleepMs } = event.do ?? {};
  calls[key] = (calls[key] ?? 0) + 1;
  if (sleepMs) await new Promise((resolve) => setTimeout(resolve, sleepMs));
  if (exit) process.exit(1);
  if (fail && calls[key] <= times) { const error = new Error(message); error.name = fail; throw error; }
  return { calls: calls[key] };
};`;

const allowed = (Action: string[]) => ({ PolicyDocument: statement(Action), PolicyName: 'allowed' });
const statement = (Action: string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
});
const assumedBy = (Service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
});

const lambda = (more: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Code: { ZipFile: code },
    Timeout: 20,
    Role: { 'Fn::GetAtt': ['FunctionRole', 'Arn'] },
    ...more,
  },
});

const template = {
  Resources: {
    FunctionRole: {
      Type: 'AWS::IAM::Role',
      Properties: { AssumeRolePolicyDocument: assumedBy('lambda.amazonaws.com'), Policies: [allowed(['logs:*'])] },
    },
    MachineRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: assumedBy('states.amazonaws.com'),
        Policies: [allowed(['lambda:InvokeFunction', 'dynamodb:PutItem', 's3:GetObject', 'states:*'])],
      },
    },
    Step: lambda(),
    Hasty: lambda({ Timeout: 1 }),
    Narrow: lambda({ ReservedConcurrentExecutions: 1 }),
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      },
    },
    Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'x' } },
  },
  Outputs: {
    Step: { Value: { 'Fn::GetAtt': ['Step', 'Arn'] } },
    Hasty: { Value: { 'Fn::GetAtt': ['Hasty', 'Arn'] } },
    Narrow: { Value: { 'Fn::GetAtt': ['Narrow', 'Arn'] } },
    MachineRole: { Value: { 'Fn::GetAtt': ['MachineRole', 'Arn'] } },
    Table: { Value: { Ref: 'Table' } },
    Secret: { Value: { Ref: 'Secret' } },
  },
};

beforeAll(async () => {
  const { cloudFormation } = clients;
  await cloudFormation.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody: JSON.stringify(template),
      Capabilities: ['CAPABILITY_IAM'],
    }),
  );
  try {
    await waitUntilStackCreateComplete(
      { client: cloudFormation, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { StackName: name },
    );
  } catch (error) {
    const { StackEvents } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName: name }));
    throw new Error(JSON.stringify(StackEvents), { cause: error });
  }
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
  for (const { OutputKey = '', OutputValue = '' } of Stacks[0]?.Outputs ?? []) outputs[OutputKey] = OutputValue;
});

type States = Record<string, object>;

async function start(states: States, input: object = {}): Promise<string> {
  const { stateMachineArn = '' } = await clients.stepFunctions.send(
    new CreateStateMachineCommand({
      name: `m-${randomUUID()}`,
      roleArn: outputs['MachineRole'],
      definition: JSON.stringify({ StartAt: Object.keys(states)[0], States: states }),
    }),
  );
  const { executionArn = '' } = await clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  return executionArn;
}

async function ended(executionArn: string) {
  for (;;) {
    const described = await clients.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    if (described.status !== 'RUNNING') return { ...described, json: JSON.parse(described.output ?? 'null') as Output };
    await sleep(50);
  }
}

type Output = Record<string, unknown> & { Error?: string; Cause?: string };

const run = async (states: States, input: object = {}) => ended(await start(states, input));

async function children(executionArn: string) {
  const { mapRuns = [] } = await clients.stepFunctions.send(new ListMapRunsCommand({ executionArn }));
  if (mapRuns.length === 0) return [];
  const { executions = [] } = await clients.stepFunctions.send(
    new ListExecutionsCommand({ mapRunArn: mapRuns[0]?.mapRunArn }),
  );
  return executions;
}

const task = (which: 'Step' | 'Hasty' | 'Narrow', more: object = {}) => ({
  Type: 'Task',
  Resource: outputs[which],
  End: true,
  ...more,
});

async function manifest(lines: readonly unknown[]): Promise<{ bucket: string; key: string }> {
  const bucket = await newBucket(clients);
  const Body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await clients.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'manifests/m.jsonl', Body }));
  return { bucket, key: 'manifests/m.jsonl' };
}

const map = (states: States, more: object = {}) => ({
  Type: 'Map',
  Label: 'Copy',
  ItemReader: {
    Resource: 'arn:aws:states:::s3:getObject',
    ReaderConfig: { InputType: 'JSONL' },
    Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.key' },
  },
  ItemSelector: { 'job.$': '$.job', 'batch.$': '$$.Map.Item.Value' },
  MaxConcurrencyPath: '$.concurrency',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(states)[0],
    States: states,
  },
  End: true,
  ...more,
});

describe('errors of a Lambda', () => {
  test('reach Retry and Catch by their names', async () => {
    const caught = await run(
      {
        A: task('Step', { Catch: [{ ErrorEquals: ['SpecError'], ResultPath: '$.error', Next: 'B' }] }),
        B: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
      },
      { do: { fail: 'SpecError', message: 'a "quoted" word' } },
    );
    expect(caught).toMatchObject({ status: 'FAILED', error: 'SpecError' });
    expect(JSON.parse(caught.cause ?? '')).toMatchObject({ errorType: 'SpecError', errorMessage: 'a "quoted" word' });
  });

  test('are not tried again by a later retrier when the first that matches says so', async () => {
    const never = { ErrorEquals: ['SpecError'], MaxAttempts: 0 };
    const all = { ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 9, MaxDelaySeconds: 1, MaxAttempts: 2 };
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }];
    const states = { A: task('Step', { Retry: [never, all], Catch }), Caught: { Type: 'Pass', End: true } };
    const first = await run(states, { do: { key: 'first', fail: 'SpecError', times: 1 } });
    expect(first.json).toMatchObject({ Error: 'SpecError' });
    const other = await run(states, { do: { key: 'other', fail: 'AnotherError', times: 1 } });
    expect(other.json).toEqual({ calls: 2 });
  });

  test('of the runtime have the names that AWS gives', async () => {
    const exits = await run({ A: task('Step') }, { do: { exit: true } });
    expect(exits.error).toBe('Runtime.ExitError');
    const late = await run({ A: task('Hasty') }, { do: { sleepMs: 5000 } });
    expect(late.error).toBe('Sandbox.Timedout');
  });
});

describe('a Distributed Map', () => {
  test('reads JSON Lines, one item a line whatever it holds, gives each child a context of its own and keeps to its concurrency', async () => {
    const lines = ['a', 'b\u2028c', 'd\u0085e', '😀'].map((path, batch) => ({ batch, path }));
    const child = {
      A: {
        Type: 'Pass',
        Parameters: { 'id.$': '$$.Execution.Id', 'input.$': '$' },
        Next: 'Put',
      },
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::dynamodb:putItem',
        Parameters: {
          TableName: outputs['Table'],
          Item: {
            pk: { 'S.$': "States.Format('JOB#{}', $.input.job)" },
            sk: { 'S.$': "States.Format('DEATH#{}', $.input.batch.batch)" },
            path: { 'S.$': '$.input.batch.path' },
          },
        },
        ResultPath: null,
        End: true,
      },
    };
    const place = await manifest(lines);
    const arn = await start(
      { Copy: map(child, { ResultPath: '$.children' }) },
      { ...place, job: name, concurrency: 2 },
    );
    const { json, status } = await ended(arn);
    expect(status).toBe('SUCCEEDED');
    const outputsOfChildren = json['children'] as { id: string; input: object }[];
    expect(outputsOfChildren.map(({ input }) => input)).toEqual(lines.map((batch) => ({ job: name, batch })));
    expect(new Set(outputsOfChildren.map(({ id }) => id)).size).toBe(4);
    expect(outputsOfChildren[0]?.id).toContain('/Copy:');
    const { Items = [] } = await clients.documents.send(
      new QueryCommand({
        TableName: outputs['Table'],
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `JOB#${name}` },
      }),
    );
    expect(Items.map(({ sk, path }) => ({ sk: sk as string, path: path as string }))).toEqual(
      lines.map(({ batch, path }) => ({ sk: `DEATH#${batch}`, path })),
    );
  });

  test('fails at the first failed child, ends the others, and is caught', async () => {
    const fast = { do: { fail: 'RefusedError' } };
    const slow = { do: { sleepMs: 15_000 } };
    const place = await manifest([slow, fast, slow, slow]);
    const child = {
      A: task('Step', { InputPath: '$.batch', End: undefined, ResultPath: null, Next: 'B' }),
      B: { Type: 'Pass', End: true },
    };
    const Catch = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' }];
    const Copy = map(child, { Catch, End: undefined, Next: 'Close' });
    const arn = await start({ Copy, Close: { Type: 'Pass', End: true } }, { ...place, job: name, concurrency: 2 });
    const { json, status } = await ended(arn);
    expect(status).toBe('SUCCEEDED');
    expect(json['error']).toMatchObject({ Error: 'States.ExceedToleratedFailureThreshold' });
    const statuses = (await children(arn)).map((each) => each.status).sort();
    expect(statuses).toEqual(['ABORTED', 'FAILED']);
  });

  test('is stopped with its execution: no child begins another task', async () => {
    const place = await manifest([0, 1, 2].map((batch) => ({ batch, do: { sleepMs: 1000 } })));
    const child = {
      A: task('Step', { InputPath: '$.batch', End: undefined, ResultPath: null, Next: 'B' }),
      B: {
        Type: 'Task',
        Resource: 'arn:aws:states:::dynamodb:putItem',
        Parameters: {
          TableName: outputs['Table'],
          Item: { pk: { S: `${name}-stopped` }, sk: { 'S.$': "States.Format('{}', $.batch.batch)" } },
        },
        End: true,
      },
    };
    const arn = await start({ Copy: map(child) }, { ...place, job: name, concurrency: 2 });
    while ((await children(arn)).length === 0) await sleep(50);
    await clients.stepFunctions.send(new StopExecutionCommand({ executionArn: arn, cause: 'enough' }));
    expect(await ended(arn)).toMatchObject({ status: 'ABORTED', cause: 'enough' });
    await sleep(2500);
    expect((await children(arn)).map(({ status }) => status)).toEqual(['ABORTED', 'ABORTED']);
    const { Count } = await clients.documents.send(
      new QueryCommand({
        TableName: outputs['Table'],
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `${name}-stopped` },
      }),
    );
    expect(Count).toBe(0);
    expect((await ended(arn)).status).toBe('ABORTED');
  });

  test('meets a throttled function by the name of its error', async () => {
    const place = await manifest([0, 1].map(() => ({ do: { sleepMs: 4000 } })));
    const child = { A: task('Narrow', { InputPath: '$.batch' }) };
    const arn = await start({ Copy: map(child) }, { ...place, job: name, concurrency: 2 });
    await ended(arn);
    const all = await children(arn);
    const failed = all.find(({ status }) => status === 'FAILED');
    const { error } = await clients.stepFunctions.send(
      new DescribeExecutionCommand({ executionArn: failed?.executionArn ?? '' }),
    );
    expect(error).toBe('Lambda.TooManyRequestsException');
  });

  test('refuses what it does not know', async () => {
    const place = await manifest([1]);
    const Copy = map({ A: { Type: 'Pass', End: true } }, { ItemBatcher: { MaxItemsPerBatch: 2 } });
    const { error, cause } = await run({ Copy }, { ...place, job: name, concurrency: 1 });
    expect([error, cause]).toEqual(['States.Runtime', expect.stringContaining('ItemBatcher')]);
  });
});

test('KMS refuses what was encrypted under another context', async () => {
  const KeyId = await newKey(clients);
  const EncryptionContext = { job: 'a', cluster: 'A' };
  const Plaintext = Buffer.from('token');
  const { CiphertextBlob } = await clients.kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
  const same = await clients.kms.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext }));
  expect(Buffer.from(same.Plaintext ?? []).toString()).toBe('token');
  const other = new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: { job: 'b', cluster: 'A' } });
  await expect(clients.kms.send(other)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
});

test('Ref of a secret is its ARN', () => {
  expect(outputs['Secret']).toMatch(/^arn:aws:secretsmanager:/);
});
