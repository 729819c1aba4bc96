import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { definition, mapLabel } from './definition.ts';
import type { Functions } from './functions.ts';
import type { LambdaFunction } from './lambda-function.ts';
import { allow } from './rights.ts';
import { mapRunPrefix, type Storage } from './storage.ts';

export interface StateMachineProps {
  readonly functions: Functions;
  readonly storage: Storage;
  readonly logRetention: logs.RetentionDays;
}

/** The state machine, what it may do, and the rights of Lambdas on its executions. */
export class StateMachine extends Construct {
  readonly machine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { functions, storage, logRetention }: StateMachineProps) {
    super(scope, id);
    const { plan, copy, finish, close, reap } = functions;
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('states.amazonaws.com') });
    const lambdas = [plan, copy, finish, close].map(({ lambda }) => lambda.functionArn);
    allow(role, { actions: ['lambda:InvokeFunction'], resources: lambdas });
    allow(role, { actions: ['dynamodb:PutItem'], resources: [storage.table.tableArn] });
    storage.allowReadingManifests(role);
    allow(role, {
      actions: ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      resources: [storage.bucket.arnForObjects(`${mapRunPrefix}/*`)],
      because: 'Step Functions names what it writes of a Map Run',
    });
    const states = definition({
      plan: calleeOf(plan),
      copy: calleeOf(copy),
      finish: calleeOf(finish),
      close: calleeOf(close),
      tableName: storage.table.tableName,
      bucketName: storage.bucket.bucketName,
    });
    this.machine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromString(Stack.of(this).toJsonString(states)),
      role,
      logs: {
        destination: new logs.LogGroup(this, 'Logs', {
          // Log delivery adds to the policy of such groups without running into its limit: the name says which.
          logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}-hdfs-fanout`,
          retention: logRetention,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ERROR,
        // Manifest lines would be logged with each state of each batch.
        includeExecutionData: false,
      },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log delivery knows no resources: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html',
    });
    Validations.of(this.machine).acknowledge(
      { id: 'AwsSolutions-SF1', reason: 'Errors are logged; every event of every batch is in the history for 90 days' },
      { id: 'AwsSolutions-SF2', reason: 'The history of an execution times each state; traces would be paid a batch' },
    );
    this.#allowExecutions(role, plan, reap);
  }

  /**
   * Rights on executions, in policies of their own: the machine is made after its Lambdas, and these after their roles, so that a role
   * which named the machine would close a circle.
   */
  #allowExecutions(role: iam.Role, plan: LambdaFunction, reap: LambdaFunction): void {
    const because = 'Executions are named when they start';
    const mapRuns = new iam.Policy(this, 'MapRunPolicy', { roles: [role] });
    // https://docs.aws.amazon.com/step-functions/latest/dg/use-dist-map-orchestrate-large-scale-parallel-workloads.html#dist-map-permissions
    allow(mapRuns, { actions: ['states:StartExecution'], resources: [this.machine.stateMachineArn] });
    allow(mapRuns, {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: [this.#executions(':*'), this.#executions(`/${mapLabel}:*`)],
      because,
    });
    allow(mapRuns, { actions: ['states:RedriveExecution'], resources: [this.#executions(`/${mapLabel}:*`)], because });
    const describe = new iam.Policy(this, 'DescribePolicy', { roles: [plan.role, reap.role] });
    allow(describe, { actions: ['states:DescribeExecution'], resources: [this.#executions(':*')], because });
  }

  #executions(suffix: string): string {
    const resourceName = `${this.machine.stateMachineName}${suffix}`;
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'states', resource: 'execution', resourceName, arnFormat });
  }
}

function calleeOf({ lambda, timeout }: LambdaFunction) {
  return { arn: lambda.functionArn, timeout };
}
