import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Network } from './network.ts';
import { allow } from './rights.ts';

export interface LambdaFunctionProps {
  readonly description: string;
  /** Folder with `index.mjs`. */
  readonly directory: string;
  readonly architecture: lambda.Architecture;
  /** MiB. 1,769 are one processor. */
  readonly memoryMiB: number;
  readonly timeout: Duration;
  readonly environment: Record<string, string>;
  readonly logRetention: logs.RetentionDays;
  /** Where the Lambda runs if it talks to a cluster. */
  readonly network?: Network;
  readonly reservedConcurrency?: number;
  readonly layer?: lambda.ILayerVersion;
}

/** A Lambda with a role and a log group of its own. The role may log and, in a VPC, have network interfaces: no managed policy. */
export class LambdaFunction extends Construct {
  readonly lambda: lambda.Function;
  readonly role: iam.Role;
  readonly timeout: Duration;

  constructor(scope: Construct, id: string, props: LambdaFunctionProps) {
    super(scope, id);
    const { network, reservedConcurrency, timeout, layer } = props;
    this.timeout = timeout;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    allow(this.role, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
      because: 'Streams of its own log group',
    });
    if (network) allowInterfaces(this.role);
    this.lambda = new lambda.Function(this, 'Function', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture,
      code: lambda.Code.fromAsset(props.directory),
      handler: 'index.handler',
      memorySize: props.memoryMiB,
      timeout,
      environment: props.environment,
      role: this.role,
      logGroup,
      ...(network
        ? { vpc: network.vpc, vpcSubnets: { subnets: network.subnets }, securityGroups: network.securityGroups }
        : {}),
      ...(layer ? { layers: [layer] } : {}),
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
    });
    Validations.of(this.lambda).acknowledge({
      id: 'AwsSolutions-L1',
      reason: 'Node 24 is the newest runtime; cdk-nag may know an older list',
    });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
function allowInterfaces(role: iam.Role): void {
  const actions = [
    'CreateNetworkInterface',
    'DescribeNetworkInterfaces',
    'DescribeSubnets',
    'DeleteNetworkInterface',
    'AssignPrivateIpAddresses',
    'UnassignPrivateIpAddresses',
  ];
  allow(role, {
    actions: actions.map((action) => `ec2:${action}`),
    resources: ['*'],
    because: 'Lambda makes the interfaces under this role and knows their names only then',
  });
}
