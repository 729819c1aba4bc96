import { Aws } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { errorNames } from '../shared/names.ts';

export interface NotificationsProps {
  readonly key: kms.Key;
  readonly machine: sfn.IStateMachine;
  readonly email: string | undefined;
}

/**
 * A topic that is told of every execution that ended badly and of every alarm. EventBridge writes to it, so that no Lambda needs a
 * right or a way out of the VPC for it. A job that found its destination busy is no failure: nobody is told.
 */
export class Notifications extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { key, machine, email }: NotificationsProps) {
    super(scope, id);
    this.topic = new sns.Topic(this, 'Topic', { displayName: 'hdfs-fanout', masterKey: key, enforceSSL: true });
    const alarms = { principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')] };
    // The policy for TLS takes the place of the default one, by which alarms may write.
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        ...alarms,
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html; for EventBridge, CDK says the same with its target
    key.addToResourcePolicy(
      new iam.PolicyStatement({ ...alarms, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] }),
    );
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
    const name = events.EventField.fromPath('$.detail.name');
    const status = events.EventField.fromPath('$.detail.status');
    const error = events.EventField.fromPath('$.detail.error');
    new events.Rule(this, 'Rule', {
      description: 'hdfs-fanout: tells of executions that ended badly',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [machine.stateMachineArn],
          // Only a failed execution has an error for sure.
          $or: [
            { status: ['TIMED_OUT', 'ABORTED'] },
            { status: ['FAILED'], error: [{ 'anything-but': [errorNames.busy] }] },
          ],
        },
      },
      targets: [
        new SnsTopic(this.topic, {
          message: events.RuleTargetInput.fromText(
            `hdfs-fanout: execution ${name} ended as ${status} (${error}). Its cause is in the Step Functions console; then: hdfs-fanout status ${name}`,
          ),
        }),
      ],
    });
  }
}
