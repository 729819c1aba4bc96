import type { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { LambdaFunction } from './lambda-function.ts';

/** Keeps the delegation tokens of jobs alive, where a cluster uses Kerberos. */
export class Renewal extends Construct {
  constructor(scope: Construct, id: string, renew: LambdaFunction, period: Duration) {
    super(scope, id);
    new events.Rule(this, 'Rounds', {
      description: 'hdfs-fanout: delegation tokens that end soon',
      schedule: events.Schedule.rate(period),
      targets: [new LambdaTarget(renew.lambda)],
    });
  }
}
