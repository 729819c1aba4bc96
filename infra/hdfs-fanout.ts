import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { outputs } from '../shared/names.ts';
import { Closing } from './closing.ts';
import { type ClusterProps, Clusters } from './clusters.ts';
import { type FunctionName, type FunctionSize, Functions } from './functions.ts';
import { Monitoring } from './monitoring.ts';
import { Network, type NetworkProps } from './network.ts';
import { Notifications } from './notifications.ts';
import { Renewal } from './renewal.ts';
import { type ScheduleProps, Schedules } from './schedules.ts';
import { StateMachine } from './state-machine.ts';
import { Storage } from './storage.ts';

export interface HdfsFanoutProps {
  readonly network: NetworkProps;
  /** Aliases that jobs may name, each with its secrets; `{}` makes them. */
  readonly clusters: Readonly<Record<string, ClusterProps>>;
  /** Copiers at once over all jobs. Default: 20, which fill a link of 10 Gbit/s. */
  readonly copiers?: number;
  /** Transfers at once in one copier. Default: 10. */
  readonly transfersPerCopier?: number;
  /** Keeps `copiers` of the account's concurrency for the copy Lambda, and keeps it from having more. Default: false. */
  readonly reserveConcurrency?: boolean;
  /** Default: arm64. */
  readonly architecture?: Architecture;
  /** Memory and time of single Lambdas. Default: 1,769 MiB (one processor) for planning and copying, 15 minutes. */
  readonly functions?: Readonly<Partial<Record<FunctionName, FunctionSize>>>;
  /** How long records and manifest of a job are kept, and so for how long it can be retried. Whole days. Default: 30. */
  readonly retention?: Duration;
  /** Default: a month. */
  readonly logRetention?: RetentionDays;
  /** Mail address that is told of failed executions and alarms. More subscribers: `topic`. */
  readonly alarmEmail?: string;
  /** How long a job may be at work before it raises an alarm. Default: a day. */
  readonly oldestJob?: Duration;
  readonly schedules?: readonly ScheduleProps[];
  /**
   * Time between two rounds of the renewer, where a cluster uses Kerberos: it renews the tokens that would end before the round after
   * the next. Whole minutes. Default: 15.
   */
  readonly tokenRenewal?: Duration;
  /** Version of a layer with the addon `kerberos` and libkrb5, where a cluster uses Kerberos. Default: made when the app is synthesised. */
  readonly kerberosLayerArn?: string;
  /** What becomes of bucket, table and key with the stack; `DESTROY` takes the table's deletion protection away. Default: `RETAIN`. */
  readonly removalPolicy?: RemovalPolicy;
  /** Folder with a bundled `<name>/index.mjs` of each Lambda. Default: those of this package. */
  readonly functionsDirectory?: string;
}

/**
 * Copies between HDFS clusters, fanned out on Step Functions and Lambda. At most one in a stack, by whose outputs the command line
 * finds it. Needs no NAT gateway, and at synthesis no account, no network and, but for
 * Kerberos on another system than Lambda's (kerberos-layer.ts), no Docker.
 */
export class HdfsFanout extends Construct {
  /** Copies the job that an execution gets as its input: docs/job.schema.json. */
  readonly stateMachine: sfn.IStateMachine;
  /** Is told of failed executions and alarms. */
  readonly topic: sns.ITopic;

  constructor(scope: Construct, id: string, props: HdfsFanoutProps) {
    super(scope, id);
    const { removalPolicy = RemovalPolicy.RETAIN, retention = Duration.days(30) } = props;
    const logRetention = props.logRetention ?? RetentionDays.ONE_MONTH;
    const storage = new Storage(this, 'Storage', { retention, removalPolicy });
    const clusters = new Clusters(this, 'Clusters', storage.key, props.clusters);
    const tokenRenewal = props.tokenRenewal ?? Duration.minutes(15);
    const functions = new Functions(this, 'Functions', {
      storage,
      clusters,
      network: new Network(this, 'Network', { ...props.network, kerberos: clusters.useKerberos }),
      architecture: props.architecture ?? Architecture.ARM_64,
      sizes: props.functions ?? {},
      copiers: props.copiers ?? 20,
      transfersPerCopier: props.transfersPerCopier ?? 10,
      reserveConcurrency: props.reserveConcurrency ?? false,
      retention,
      logRetention,
      tokenRenewal,
      kerberosLayerArn: props.kerberosLayerArn,
      directory: props.functionsDirectory,
    });
    const { machine } = new StateMachine(this, 'StateMachine', { functions, storage, logRetention });
    const { topic } = new Notifications(this, 'Notifications', { key: storage.key, machine, email: props.alarmEmail });
    new Closing(this, 'Closing', machine, functions);
    if (functions.renew) new Renewal(this, 'Renewal', functions.renew, tokenRenewal);
    new Schedules(this, 'Schedules', machine, clusters.aliases, props.schedules ?? []);
    const oldestJob = props.oldestJob ?? Duration.days(1);
    new Monitoring(this, 'Monitoring', { table: storage.table, functions, machine, topic, oldestJob, tokenRenewal });
    this.stateMachine = machine;
    this.topic = topic;
    this.#output(outputs.stateMachine, machine.stateMachineArn);
    this.#output(outputs.table, storage.table.tableName);
    this.#output(outputs.bucket, storage.bucket.bucketName);
    this.#output(outputs.doctor, functions.doctor.lambda.functionName);
    this.#output(outputs.clusters, clusters.json);
  }

  /** Makes an output under its plain name, wherever in the stack the construct is. */
  #output(name: string, value: string): void {
    new CfnOutput(this, `Output${name}`, { value }).overrideLogicalId(name);
  }
}
