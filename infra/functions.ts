import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environment, type lambdaNames } from '../shared/names.ts';
import type { Clusters } from './clusters.ts';
import { kerberosLayer } from './kerberos-layer.ts';
import { LambdaFunction, type LambdaFunctionProps } from './lambda-function.ts';
import type { Network } from './network.ts';
import { allow } from './rights.ts';
import type { Storage } from './storage.ts';

/** The bundled Lambdas: beside the bundled construct in the package, and where scripts/build.ts puts them for the sources. */
const bundled = join(import.meta.dirname, '../dist/functions');

export type FunctionName = (typeof lambdaNames)[number];

export interface FunctionSize {
  /** MiB. */
  readonly memoryMiB?: number;
  /** At most 15 minutes. A batch, a plan and a finish go on over several invocations; a single file must fit into one. */
  readonly timeout?: Duration;
}

const sizes: Record<FunctionName, Required<FunctionSize>> = {
  plan: { memoryMiB: 1769, timeout: Duration.minutes(15) },
  copy: { memoryMiB: 1769, timeout: Duration.minutes(15) },
  finish: { memoryMiB: 1024, timeout: Duration.minutes(15) },
  // It waits for copiers, and so may live as long as one.
  close: { memoryMiB: 512, timeout: Duration.minutes(15) },
  reap: { memoryMiB: 512, timeout: Duration.minutes(4) },
  renew: { memoryMiB: 512, timeout: Duration.minutes(5) },
  doctor: { memoryMiB: 512, timeout: Duration.minutes(1) },
};

export interface FunctionsProps {
  readonly storage: Storage;
  readonly clusters: Clusters;
  readonly network: Network;
  readonly architecture: lambda.Architecture;
  readonly sizes: Readonly<Partial<Record<FunctionName, FunctionSize>>>;
  /** Copiers at once over all jobs. */
  readonly copiers: number;
  /** Transfers at once in one copier. */
  readonly transfersPerCopier: number;
  readonly reserveConcurrency: boolean;
  readonly retention: Duration;
  readonly logRetention: logs.RetentionDays;
  /** Time between two rounds of the renewer. */
  readonly tokenRenewal: Duration;
  /** Layer with the addon `kerberos`, where a cluster uses it. Default: one is made. */
  readonly kerberosLayerArn: string | undefined;
  /** Folder with a folder for each function. Default: those of this package. */
  readonly directory: string | undefined;
}

/** The six Lambdas, a seventh where a cluster uses Kerberos, and what each may do. Why: docs/permissions.md, "Permissions on AWS". */
export class Functions extends Construct {
  readonly plan: LambdaFunction;
  readonly copy: LambdaFunction;
  readonly finish: LambdaFunction;
  readonly close: LambdaFunction;
  readonly reap: LambdaFunction;
  /** Undefined where no cluster uses Kerberos. */
  readonly renew: LambdaFunction | undefined;
  readonly doctor: LambdaFunction;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    const { storage, clusters, network } = props;
    const variables = {
      [environment.table]: storage.table.tableName,
      [environment.bucket]: storage.bucket.bucketName,
      [environment.key]: storage.key.keyArn,
      [environment.clusters]: clusters.json,
      [environment.transfers]: String(props.transfersPerCopier),
      [environment.copiers]: String(props.copiers),
      [environment.retentionDays]: String(props.retention.toDays()),
    };
    const make = (
      name: FunctionName,
      description: string,
      more: Pick<LambdaFunctionProps, 'network' | 'reservedConcurrency' | 'layer'>,
    ) =>
      new LambdaFunction(
        this,
        name.replace(/^./, (first) => first.toUpperCase()),
        {
          description: `hdfs-fanout: ${description}`,
          directory: join(props.directory ?? bundled, name),
          architecture: props.architecture,
          ...sizes[name],
          ...props.sizes[name],
          environment: { ...variables },
          logRetention: props.logRetention,
          ...more,
        },
      );
    // The copy Lambda has no layer: copiers get tokens from the job store.
    const layer = clusters.useKerberos ? { layer: this.#layer(props) } : {};
    this.plan = make('plan', 'begins jobs and writes their manifests', { network, ...layer });
    this.copy = make('copy', 'copies a batch of files', {
      network,
      ...(props.reserveConcurrency ? { reservedConcurrency: props.copiers } : {}),
    });
    this.finish = make('finish', 'ends jobs whose batches were copied', { network, ...layer });
    this.close = make('close', 'closes jobs that will not come to their own end', { network, ...layer });
    this.reap = make('reap', 'finds jobs that are open although their execution has ended', {});
    this.doctor = make('doctor', 'looks at a cluster from inside the VPC', { network, ...layer });
    this.reap.lambda.addEnvironment(environment.closer, this.close.lambda.functionName);
    this.renew = clusters.useKerberos
      ? make('renew', 'keeps the delegation tokens of jobs alive', { network, ...layer })
      : undefined;
    this.renew?.lambda.addEnvironment(environment.renewMinutes, String(props.tokenRenewal.toMinutes()));

    const renewers = this.renew ? [this.renew] : [];
    for (const { role } of [this.plan, this.copy, this.finish, this.close, this.reap, ...renewers])
      storage.allowTable(role);
    for (const { role } of [this.plan, this.copy, this.finish, this.close, this.doctor, ...renewers])
      clusters.allowDefinitions(role);
    for (const { role } of [this.finish, this.close, ...renewers]) clusters.allowKerberosCredentials(role);
    for (const { role } of [this.copy, this.finish, this.close]) storage.allowTokens(role, 'Decrypt');
    for (const { role } of [this.plan, this.finish, this.close]) storage.allowReadingManifests(role);
    for (const { role } of [this.plan, this.doctor]) clusters.allowCredentials(role);
    for (const { role } of [this.plan, ...renewers]) storage.allowTokens(role, 'Encrypt', 'Decrypt');
    // The list of what is to be deleted is a manifest too.
    for (const { role } of [this.plan, this.finish]) storage.allowWritingManifests(role);
    for (const { role } of [this.copy, this.finish]) storage.allowWritingLines(role);
    storage.allowReadingLists(this.plan.role);
    allow(this.reap.role, { actions: ['lambda:InvokeFunction'], resources: [this.close.lambda.functionArn] });
  }

  #layer({ kerberosLayerArn, architecture }: FunctionsProps): lambda.ILayerVersion {
    const id = 'Kerberos';
    return kerberosLayerArn === undefined
      ? kerberosLayer(this, id, architecture)
      : lambda.LayerVersion.fromLayerVersionArn(this, id, kerberosLayerArn);
  }
}
