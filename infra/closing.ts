import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Functions } from './functions.ts';

const REAP_EVERY = Duration.minutes(5);

/**
 * Closes jobs whose execution was stopped, failed or timed out. The event that tells of one may be lost, and a close that waits for
 * copiers may run out of time: the reaper finds such jobs.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
export class Closing extends Construct {
  constructor(scope: Construct, id: string, machine: sfn.IStateMachine, { close, reap }: Functions) {
    super(scope, id);
    new events.Rule(this, 'Ended', {
      description: 'hdfs-fanout: executions that ended badly',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [machine.stateMachineArn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [new LambdaTarget(close.lambda)],
    });
    new events.Rule(this, 'Reaper', {
      description: 'hdfs-fanout: jobs that are open although their execution has ended',
      schedule: events.Schedule.rate(REAP_EVERY),
      targets: [new LambdaTarget(reap.lambda)],
    });
  }
}
