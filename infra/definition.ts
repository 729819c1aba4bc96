import { Aws, type Duration } from 'aws-cdk-lib';
import { deathRecord, errorNames, executionErrors, secondPass, treesDiffer } from '../shared/names.ts';
import { mapRunPrefix } from './storage.ts';

/** A Lambda as a state calls it. */
interface Callee {
  readonly arn: string;
  readonly timeout: Duration;
}

export interface DefinitionProps {
  readonly plan: Callee;
  readonly copy: Callee;
  readonly finish: Callee;
  readonly close: Callee;
  readonly tableName: string;
  readonly bucketName: string;
}

/** Names the Map Run in ARNs and in rights. */
export const mapLabel = 'Copy';

/** A task outlives its Lambda, so that the Lambda's own time-out is what the state machine sees. */
const TASK_MARGIN_SECONDS = 60;
const CLOSE_AGAIN_SECONDS = 5;

const { service, ...thrown } = errorNames;
const { spec, refused, unavailable, busy, superseded, tooManyFailures, incomplete, closed, kerberos, noToken } = thrown;

/** Errors of the job as a whole: one batch that fails with them ends all batches. */
const endTheJob = [spec, refused, unavailable, busy, tooManyFailures, incomplete, closed, kerberos, noToken];

/**
 * What Invoke answers while Lambda makes the network interfaces of a function again, which it takes away when nobody has called it for
 * weeks, and when the VPC has none to give at the moment.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
const asleep = [
  'Lambda.ResourceNotReadyException',
  'Lambda.ResourceConflictException',
  'Lambda.EC2ThrottledException',
  'Lambda.EC2UnexpectedException',
  'Lambda.ENILimitReachedException',
  'Lambda.SubnetIPAddressLimitReachedException',
];

/**
 * Retries of what a Lambda cannot see or mend itself. The Lambda's own errors come first and are never tried again: they say what is
 * wrong with the job.
 * A killed, timed-out or crashed Lambda comes last, as States.TaskFailed: the next invocation goes on where it was. With full
 * jitter a wait is half of what is written on average.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const retry = [
  { ErrorEquals: Object.values(thrown), MaxAttempts: 0 },
  // Copiers of other jobs have the account's concurrency: 100 waits of 30 s on average are longer than a copier lives.
  attempts(['Lambda.TooManyRequestsException'], 100, 2, 60),
  attempts(asleep, 20, 5, 60),
  attempts(
    [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.ClientExecutionTimeoutException',
    ],
    8,
    2,
    60,
  ),
  attempts([service], 8, 5, 120),
  attempts(['States.TaskFailed', 'States.Timeout'], 3, 5, 60),
];

/**
 * As of `retry`, where the clusters have served this job before: one that is away is waited for, an hour and more. A planner fails at
 * once in place of that: somebody has just started it, and nothing is lost.
 */
const retryThroughOutage = [attempts([unavailable], 70, 15, 120), ...retry];

function attempts(ErrorEquals: string[], MaxAttempts: number, IntervalSeconds: number, MaxDelaySeconds: number) {
  return { ErrorEquals, MaxAttempts, IntervalSeconds, MaxDelaySeconds, BackoffRate: 2, JitterStrategy: 'FULL' };
}

/** The states of one batch. They get job and manifest line and return nothing: the answers of all batches would outgrow a state. */
function batchStates({ copy, tableName }: DefinitionProps) {
  return {
    CopyBatch: {
      Type: 'Task',
      Resource: copy.arn,
      TimeoutSeconds: timeoutOf(copy),
      ResultPath: '$.progress',
      Retry: retryThroughOutage,
      Catch: [
        { ErrorEquals: [superseded], ResultPath: '$.error', Next: 'Superseded' },
        { ErrorEquals: endTheJob, ResultPath: '$.error', Next: 'JobCannotGoOn' },
        { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'RecordDeath' },
      ],
      Next: 'BatchLeft?',
    },
    'BatchLeft?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.progress.left', NumericGreaterThan: 0, Next: 'CopyBatch' }],
      Default: 'BatchEnded',
    },
    RecordDeath: {
      Type: 'Task',
      Resource: serviceArn('dynamodb:putItem'),
      Parameters: {
        TableName: tableName,
        Item: {
          pk: { 'S.$': `States.Format('${deathRecord.jobPrefix}{}', $.job)` },
          sk: { 'S.$': `States.Format('${deathRecord.sortPrefix}{}', $.batch.batch)` },
          error: { 'S.$': '$.error.Error' },
          // The whole error, since that of a time-out has no Cause.
          cause: { 'S.$': 'States.JsonToString($.error)' },
        },
      },
      ResultPath: null,
      Retry: [attempts(['States.TaskFailed', 'States.Timeout'], 8, 2, 60)],
      Next: 'BatchEnded',
    },
    BatchEnded: { Type: 'Succeed', OutputPath: null },
    Superseded: { Type: 'Succeed', OutputPath: null },
    JobCannotGoOn: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
  };
}

/**
 * The way of a job, in Amazon States Language. Arrows: docs/architecture.md, "On AWS".
 *
 * The first state's errors are not caught: wrong input fails the execution there, with the Lambda's own words. Whatever goes wrong later
 * goes through Close, which leaves the destination clean and free.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
 */
export function definition(props: DefinitionProps) {
  const { plan, finish, close, bucketName } = props;
  const toClose = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' }];
  return {
    Comment: 'hdfs-fanout: plan, copy, finish',
    StartAt: 'Plan',
    States: {
      Plan: {
        Type: 'Task',
        Resource: plan.arn,
        TimeoutSeconds: timeoutOf(plan),
        Parameters: {
          'execution.$': '$$.Execution.Id',
          'startTime.$': '$$.Execution.StartTime',
          'input.$': '$$.Execution.Input',
        },
        Retry: retry,
        Next: 'Planned?',
      },
      'Planned?': {
        Type: 'Choice',
        Choices: [
          { Variable: '$.done', BooleanEquals: false, Next: 'Plan' },
          { Variable: '$.cleaned', BooleanEquals: true, Next: 'Cleaned' },
          { Variable: '$.planned', BooleanEquals: true, Next: 'PlanKept' },
          { Variable: '$.batches', NumericEquals: 0, Next: 'Finish' },
        ],
        Default: 'Copy',
      },
      Copy: {
        Type: 'Map',
        Label: mapLabel,
        ItemReader: {
          Resource: serviceArn('s3:getObject'),
          ReaderConfig: { InputType: 'JSONL' },
          Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.key' },
        },
        ItemSelector: { 'job.$': '$.job', 'batch.$': '$$.Map.Item.Value' },
        MaxConcurrencyPath: '$.maxConcurrency',
        ToleratedFailureCount: 0,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'CopyBatch',
          States: batchStates(props),
        },
        // Without a ResultWriter Step Functions gathers all answers and fails the Map Run when they outgrow 256 KiB, even though nobody wants them.
        ResultWriter: {
          Resource: serviceArn('s3:putObject'),
          Parameters: { Bucket: bucketName, Prefix: mapRunPrefix },
          WriterConfig: { OutputType: 'JSONL', Transformation: 'COMPACT' },
        },
        ResultPath: null,
        Catch: toClose,
        Next: 'Finish',
      },
      Finish: {
        Type: 'Task',
        Resource: finish.arn,
        TimeoutSeconds: timeoutOf(finish),
        Parameters: { 'job.$': '$.job' },
        ResultPath: '$.finish',
        Retry: retryThroughOutage,
        Catch: toClose,
        Next: 'Finished?',
      },
      'Finished?': {
        Type: 'Choice',
        Choices: [
          { Variable: '$.finish.done', BooleanEquals: false, Next: 'Finish' },
          { Variable: '$.finish.outcome', StringEquals: secondPass, Next: 'Plan' },
          { Variable: '$.finish.outcome', StringEquals: 'Successful', Next: 'Successful' },
          { Variable: '$.finish.outcome', StringEquals: treesDiffer, Next: 'TreesDiffer' },
        ],
        Default: 'FilesFailed',
      },
      Cleaned: { Type: 'Succeed', OutputPath: null },
      PlanKept: { Type: 'Succeed', OutputPath: null },
      Successful: { Type: 'Succeed', OutputPath: '$.finish.status' },
      FilesFailed: { Type: 'Fail', Error: executionErrors.filesFailed, CausePath: '$.finish.cause' },
      TreesDiffer: { Type: 'Fail', Error: executionErrors.treesDiffer, CausePath: '$.finish.cause' },
      Close: {
        Type: 'Task',
        Resource: close.arn,
        TimeoutSeconds: timeoutOf(close),
        Parameters: { 'execution.$': '$$.Execution.Id', 'error.$': '$.error' },
        ResultPath: '$.close',
        Retry: retry,
        Next: 'Closed?',
      },
      'Closed?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.close.closed', BooleanEquals: false, Next: 'WaitToClose' }],
        Default: 'JobFailed',
      },
      WaitToClose: { Type: 'Wait', Seconds: CLOSE_AGAIN_SECONDS, Next: 'Close' },
      JobFailed: { Type: 'Fail', Error: executionErrors.jobFailed, CausePath: '$.close.cause' },
    },
  };
}

function timeoutOf({ timeout }: Callee): number {
  return timeout.toSeconds() + TASK_MARGIN_SECONDS;
}

function serviceArn(action: string): string {
  return `arn:${Aws.PARTITION}:states:::${action}`;
}
