import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { errorNames } from '../../shared/names.ts';
import { Deployed, flat, withKerberos } from '../support/deployed.ts';

const deployed = new Deployed({ oldestJob: Duration.hours(2) });
const { template } = deployed;
const alarms = deployed.resources('AWS::CloudWatch::Alarm');

it.each([
  [
    'MonitoringJobFailed',
    { Namespace: 'HdfsFanout', MetricName: 'JobsFailed', Threshold: 0, TreatMissingData: 'notBreaching' },
  ],
  [
    'MonitoringFilesFailed',
    { Namespace: 'HdfsFanout', MetricName: 'FilesFailed', Threshold: 0, TreatMissingData: 'notBreaching' },
  ],
  ['MonitoringCopyThrottled', { Namespace: 'AWS/Lambda', MetricName: 'Throttles', EvaluationPeriods: 3 }],
  ['MonitoringJobTooOld', { MetricName: 'OldestActiveJobSeconds', Threshold: 7200, TreatMissingData: 'breaching' }],
])('%s watches its metric and tells the topic', (name, wanted) => {
  expect(alarms[name]).toMatchObject(wanted);
  expect((alarms[name]?.['AlarmActions'] as unknown[]).map((action) => flat(action))).toEqual(['<NotificationsTopic>']);
});

it('watches the metrics that the Lambdas send, under their dimension', () => {
  for (const { Namespace, Dimensions } of Object.values(alarms)) {
    if (Namespace === 'HdfsFanout') expect(Dimensions).toEqual([{ Name: 'service', Value: 'hdfs-fanout' }]);
  }
  expect(flat((alarms['MonitoringCopyThrottled']?.['Dimensions'] as { Value: unknown }[])[0]?.Value)).toBe(
    '<FunctionsCopyFunction>',
  );
});

it.each([
  ['MonitoringFinishFailing', 'Errors', '<FunctionsFinishFunction>'],
  ['MonitoringCloseFailing', 'Errors', '<FunctionsCloseFunction>'],
  ['MonitoringReapFailing', 'Errors', '<FunctionsReapFunction>'],
  ['MonitoringTableReadThrottleEvents', 'ReadThrottleEvents', '<StorageTable>'],
  ['MonitoringTableWriteThrottleEvents', 'WriteThrottleEvents', '<StorageTable>'],
])('%s comes of what lasts a quarter of an hour', (name, MetricName, of) => {
  const wanted = { MetricName, Period: 300, EvaluationPeriods: 3, Threshold: 0, TreatMissingData: 'notBreaching' };
  expect(alarms[name]).toMatchObject(wanted);
  expect(flat((alarms[name]?.['Dimensions'] as { Value: unknown }[])[0]?.Value)).toBe(of);
});

it('has a heading in docs/operations.md for every alarm', () => {
  const operations = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  expect(Object.keys(alarms)).toHaveLength(9);
  const all = withKerberos().resources('AWS::CloudWatch::Alarm');
  expect(Object.keys(all)).toHaveLength(10);
  for (const { AlarmDescription } of Object.values(all)) {
    const heading = /docs\/operations\.md, "(.+)"$/.exec(String(AlarmDescription))?.[1];
    expect(operations).toMatch(new RegExp(`^#+ ${heading ?? 'no heading'}$`, 'm'));
  }
});

it('raises no alarm and tells nobody when a destination is busy', () => {
  // An execution that ends so fails; only the Lambdas know that no job did.
  expect(JSON.stringify(alarms)).not.toContain('ExecutionsFailed');
  const rule = deployed.resources('AWS::Events::Rule')['NotificationsRule'];
  expect(rule?.['EventPattern']).toMatchObject({
    detail: {
      $or: [
        { status: ['TIMED_OUT', 'ABORTED'] },
        { status: ['FAILED'], error: [{ 'anything-but': [errorNames.busy] }] },
      ],
    },
  });
});

it('subscribes the address that is given, and none otherwise', () => {
  template.hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'email',
    Endpoint: 'hadoop-operators@example.com',
  });
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        Match.objectLike({ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } }),
      ]),
    },
  });
});

it('closes what ended badly, and looks every five minutes for what was missed', () => {
  const rules = deployed.resources('AWS::Events::Rule');
  const targetsOf = (name: string) => (rules[name]?.['Targets'] as { Arn: unknown }[]).map(({ Arn }) => flat(Arn));
  const { detail } = rules['ClosingEnded']?.['EventPattern'] as { detail: Record<string, unknown[]> };
  expect(detail['status']).toEqual(['FAILED', 'TIMED_OUT', 'ABORTED']);
  // Children of the map have the machine's ARN with their label behind it, which this does not match.
  expect(detail['stateMachineArn']?.map((arn) => flat(arn))).toEqual(['<StateMachine>']);
  expect(targetsOf('ClosingEnded')).toEqual(['<FunctionsCloseFunction.Arn>']);
  expect(rules['ClosingReaper']?.['ScheduleExpression']).toBe('rate(5 minutes)');
  expect(targetsOf('ClosingReaper')).toEqual(['<FunctionsReapFunction.Arn>']);
});
