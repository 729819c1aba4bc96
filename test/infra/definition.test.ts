import validate from 'asl-validator';
import { describe, expect, it, test } from 'vitest';
import { Duration } from 'aws-cdk-lib';
import { errorNames, executionErrors } from '../../shared/names.ts';
import { type Definition, Deployed, type State } from '../support/deployed.ts';

/** The state machine as it reaches Step Functions. */

const deployed = new Deployed();
const { definition } = deployed;
const state = (name: string, of: Definition = definition): State => {
  const found = of.States[name];
  if (!found) throw new Error(`no state ${name}`);
  return found;
};
const map = state('Copy');
const child = map['ItemProcessor'] as Definition & { readonly ProcessorConfig: unknown };
const tasks = ['Plan', 'Finish', 'Close'].map((name) => state(name));
const lambdaTasks = [...tasks, state('CopyBatch', child)];

const { service, ...thrown } = errorNames;
const own = Object.values(thrown);

test('asl-validator finds no fault, and would find one', () => {
  expect(validate(structuredClone(definition)).errors).toEqual([]);
  const wrong = structuredClone(definition);
  Object.assign(state('Plan', wrong), { Next: 'Nowhere' });
  expect(validate(wrong).errors).not.toEqual([]);
});

describe('a state', () => {
  const all = [definition, child].flatMap(({ States }) => Object.entries(States));

  it.each(all)('%s has no field that Step Functions does not know', (_name, { Type, ...fields }) => {
    const known: Record<string, string[]> = {
      Task: ['Resource', 'Parameters', 'ResultPath', 'TimeoutSeconds', 'Retry', 'Catch', 'Next'],
      Choice: ['Choices', 'Default'],
      Map: [
        'Label',
        'ItemReader',
        'ItemSelector',
        'ItemProcessor',
        'MaxConcurrencyPath',
        'ToleratedFailureCount',
        'ResultWriter',
        'ResultPath',
        'Catch',
        'Next',
      ],
      Succeed: ['OutputPath'],
      Fail: ['Error', 'Cause', 'ErrorPath', 'CausePath'],
      Wait: ['Seconds', 'Next'],
    };
    expect(known[Type]).toEqual(expect.arrayContaining(Object.keys(fields)));
  });

  it.each(all.filter(([, { Retry }]) => Retry))(
    '%s has no field in its retries that is misspelt',
    (_name, { Retry }) => {
      const known = [
        'ErrorEquals',
        'MaxAttempts',
        'IntervalSeconds',
        'MaxDelaySeconds',
        'BackoffRate',
        'JitterStrategy',
      ];
      for (const entry of Retry ?? []) expect(known).toEqual(expect.arrayContaining(Object.keys(entry)));
    },
  );
});

describe('planning', () => {
  it('gets the execution and what was typed, and fails it with the Lambda’s own error', () => {
    expect(state('Plan')['Parameters']).toEqual({
      'execution.$': '$$.Execution.Id',
      'startTime.$': '$$.Execution.StartTime',
      'input.$': '$$.Execution.Input',
    });
    expect(definition.StartAt).toBe('Plan');
    expect(state('Plan').Catch).toBeUndefined();
  });

  it('goes on until it is done; a job without a batch skips the map, and one that is cleaned or only planned everything', () => {
    expect(state('Planned?')).toEqual({
      Type: 'Choice',
      Choices: [
        { Variable: '$.done', BooleanEquals: false, Next: 'Plan' },
        { Variable: '$.cleaned', BooleanEquals: true, Next: 'Cleaned' },
        { Variable: '$.planned', BooleanEquals: true, Next: 'PlanKept' },
        { Variable: '$.batches', NumericEquals: 0, Next: 'Finish' },
      ],
      Default: 'Copy',
    });
    expect(state('Cleaned').Type).toBe('Succeed');
    expect(state('PlanKept').Type).toBe('Succeed');
  });
});

describe('the map', () => {
  it('reads JSON Lines from where the planner says, as many at once as it says, in standard children', () => {
    expect(map).toMatchObject({
      Type: 'Map',
      Label: 'Copy',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSONL' },
        Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.key' },
      },
      ItemSelector: { 'job.$': '$.job', 'batch.$': '$$.Map.Item.Value' },
      MaxConcurrencyPath: '$.maxConcurrency',
      ToleratedFailureCount: 0,
    });
    expect(child.ProcessorConfig).toEqual({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
  });

  it('keeps its results out of the state: a child answers nothing, and that goes to S3', () => {
    const ends = Object.values(child.States).filter(({ Type }) => Type === 'Succeed');
    expect(ends).toHaveLength(2);
    for (const end of ends) expect(end['OutputPath']).toBeNull();
    expect(map['ResultPath']).toBeNull();
    expect(map['ResultWriter']).toEqual({
      Resource: 'arn:aws:states:::s3:putObject',
      Parameters: { Bucket: 'StorageBucket', Prefix: 'map-runs' },
      WriterConfig: { OutputType: 'JSONL', Transformation: 'COMPACT' },
    });
  });

  it('copies a batch until nothing of it is left', () => {
    expect(child.StartAt).toBe('CopyBatch');
    expect(state('CopyBatch', child)).toMatchObject({ ResultPath: '$.progress', Next: 'BatchLeft?' });
    expect(state('CopyBatch', child)).not.toHaveProperty('Parameters');
    expect(state('BatchLeft?', child)).toEqual({
      Type: 'Choice',
      Choices: [{ Variable: '$.progress.left', NumericGreaterThan: 0, Next: 'CopyBatch' }],
      Default: 'BatchEnded',
    });
  });

  it('records a batch whose copier died each time under its job, and goes on', () => {
    expect(state('RecordDeath', child)).toMatchObject({
      Resource: 'arn:aws:states:::dynamodb:putItem',
      Parameters: {
        TableName: 'StorageTable',
        Item: {
          pk: { 'S.$': "States.Format('JOB#{}', $.job)" },
          sk: { 'S.$': "States.Format('DEATH#{}', $.batch.batch)" },
          error: { 'S.$': '$.error.Error' },
        },
      },
      Next: 'BatchEnded',
    });
  });
});

describe('errors', () => {
  const ofAws = [
    ['Lambda.TooManyRequestsException'],
    [
      'Lambda.ResourceNotReadyException',
      'Lambda.ResourceConflictException',
      'Lambda.EC2ThrottledException',
      'Lambda.EC2UnexpectedException',
      'Lambda.ENILimitReachedException',
      'Lambda.SubnetIPAddressLimitReachedException',
    ],
    [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.ClientExecutionTimeoutException',
    ],
    [service],
    ['States.TaskFailed', 'States.Timeout'],
  ];
  const namesIn = ({ Retry = [] }: State) => Retry.map(({ ErrorEquals }) => ErrorEquals);
  const waitsOut = ['CopyBatch', 'Finish'].map((name) => state(name, name === 'CopyBatch' ? child : definition));

  it('of ours end a task at once, those of AWS are tried again, an unknown end of a Lambda last', () => {
    for (const task of lambdaTasks) {
      const first = waitsOut.includes(task) ? [[errorNames.unavailable], own] : [own];
      expect(namesIn(task)).toEqual([...first, ...ofAws]);
      const { Retry = [] } = task;
      expect(Retry.slice(-6).map(({ MaxAttempts }) => MaxAttempts)).toEqual([0, 100, 20, 8, 8, 3]);
      for (const { MaxAttempts, JitterStrategy } of Retry)
        expect(JitterStrategy).toBe(MaxAttempts === 0 ? undefined : 'FULL');
    }
  });

  /** Half of each wait, which is what full jitter takes on average. */
  const secondsOf = (retrier: Record<string, unknown>) => {
    const [most, first, cap] = ['MaxAttempts', 'IntervalSeconds', 'MaxDelaySeconds'].map((name) =>
      Number(retrier[name]),
    );
    const waits = Array.from({ length: most ?? 0 }, (_, index) => Math.min(cap ?? 0, (first ?? 0) * 2 ** index));
    return waits.reduce((sum, wait) => sum + wait / 2, 0);
  };

  it('of a cluster that is away are waited out for an hour while copying and finishing, never while planning', () => {
    for (const { Retry: [first] = [] } of waitsOut) expect(secondsOf({ ...first })).toBeGreaterThan(3600);
    expect(waitsOut).toHaveLength(2);
    expect(namesIn(state('Plan'))[0]).toContain(errorNames.unavailable);
  });

  it('of a function that has slept are waited out for longer than a network interface takes, some minutes', () => {
    for (const { Retry = [] } of lambdaTasks) {
      const waking = Retry.find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.ResourceNotReadyException'));
      expect(secondsOf({ ...waking })).toBeGreaterThan(300);
    }
  });

  it('of a copier: one that lost its batch ends well, one of the job ends the job, any other is recorded', () => {
    const catches = state('CopyBatch', child).Catch ?? [];
    expect(catches.map(({ ErrorEquals, Next }) => [Next, ...ErrorEquals])).toEqual([
      ['Superseded', errorNames.superseded],
      ['JobCannotGoOn', ...own.filter((name) => name !== errorNames.superseded)],
      ['RecordDeath', 'States.ALL'],
    ]);
    expect(state('JobCannotGoOn', child)).toEqual({
      Type: 'Fail',
      ErrorPath: '$.error.Error',
      CausePath: '$.error.Cause',
    });
  });

  it('of copying and finishing close the job; closing goes on until it is closed', () => {
    for (const name of ['Copy', 'Finish']) {
      expect(state(name).Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' }]);
    }
    expect(state('Close')['Parameters']).toEqual({ 'execution.$': '$$.Execution.Id', 'error.$': '$.error' });
    expect(state('Closed?')).toMatchObject({
      Choices: [{ Variable: '$.close.closed', BooleanEquals: false, Next: 'WaitToClose' }],
      Default: 'JobFailed',
    });
    expect(state('WaitToClose')).toMatchObject({ Type: 'Wait', Next: 'Close' });
  });

  it('are all of names.ts, each matched or given somewhere', () => {
    const { filesFailed, jobFailed, treesDiffer } = executionErrors;
    const text = JSON.stringify(definition);
    for (const name of Object.values(errorNames)) expect(text).toContain(`"${name}"`);
    expect(state('FilesFailed')).toEqual({ Type: 'Fail', Error: filesFailed, CausePath: '$.finish.cause' });
    expect(state('TreesDiffer')).toEqual({ Type: 'Fail', Error: treesDiffer, CausePath: '$.finish.cause' });
    expect(state('JobFailed')).toEqual({ Type: 'Fail', Error: jobFailed, CausePath: '$.close.cause' });
  });
});

it('ends with the Job Status, or fails with its summary', () => {
  expect(state('Finished?')).toEqual({
    Type: 'Choice',
    Choices: [
      { Variable: '$.finish.done', BooleanEquals: false, Next: 'Finish' },
      { Variable: '$.finish.outcome', StringEquals: 'SecondPass', Next: 'Plan' },
      { Variable: '$.finish.outcome', StringEquals: 'Successful', Next: 'Successful' },
      { Variable: '$.finish.outcome', StringEquals: 'TreesDiffer', Next: 'TreesDiffer' },
    ],
    Default: 'FilesFailed',
  });
  expect(state('Successful')).toEqual({ Type: 'Succeed', OutputPath: '$.finish.status' });
});

it.each([Duration.minutes(15), Duration.seconds(90)])('a task waits longer than its Lambda can run', (timeout) => {
  const functions = { plan: { timeout }, copy: { timeout }, finish: { timeout }, close: { timeout } };
  const { definition: changed } = new Deployed({ functions });
  const { States } = state('Copy', changed)['ItemProcessor'] as Definition;
  for (const task of [...Object.values(changed.States), ...Object.values(States)]) {
    if (task.Resource?.includes(':lambda:')) expect(task.TimeoutSeconds).toBeGreaterThan(timeout.toSeconds() + 30);
  }
});

it('is a standard state machine that logs errors without execution data', () => {
  deployed.template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
  });
});
