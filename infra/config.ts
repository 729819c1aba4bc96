import { readFileSync } from 'node:fs';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { lambdaNames } from '../shared/names.ts';
import type { HdfsFanoutProps } from './hdfs-fanout.ts';
import { endpointServices } from './network.ts';
import { type ScheduleProps, scheduleSchema } from './schedules.ts';

const keepDays: number[] = Object.values(RetentionDays).filter((value) => typeof value === 'number');

const sizeSchema = z.strictObject({
  memoryMiB: z.int().min(128).max(10_240).optional().describe('Memory; 1,769 MiB come with one processor'),
  timeoutSeconds: z
    .int()
    .min(30)
    .max(900)
    .optional()
    .describe('Time of one invocation: files that cannot be added to must be copied within it'),
});

const clusterSchema = z.strictObject({
  definition: z
    .string()
    .min(1)
    .optional()
    .describe('Name or ARN of the secret with the definition; one is made when left out'),
  credential: z
    .string()
    .min(1)
    .optional()
    .describe('Name or ARN of the secret with the credential; one is made when left out'),
  keyArn: z.string().min(1).optional().describe('KMS key of named secrets, when it is a key of your own'),
  kerberos: z.boolean().optional().describe('Whether its auth_mechanism is GSSAPI or TKN_GSSAPI (default false)'),
});

/** The deployment file. Every field but `network` and `clusters` has a default. */
export const deploymentSchema = z.strictObject({
  $schema: z.string().optional(),
  stackName: z.string().min(1).default('HdfsFanout'),
  network: z
    .strictObject({
      vpcId: z.string().min(1),
      subnets: z
        .array(
          z.strictObject({
            subnetId: z.string().min(1),
            availabilityZone: z.string().min(1),
            routeTableId: z
              .string()
              .min(1)
              .optional()
              .describe('Its route table, needed to create the s3 and dynamodb endpoints'),
          }),
        )
        .min(1),
      securityGroupIds: z
        .array(z.string().min(1))
        .optional()
        .describe('Security groups of the Lambdas; one is made when left out'),
      endpoints: z.partialRecord(z.enum(endpointServices), z.enum(['create', 'existing'])).optional(),
    })
    .describe('Where the Lambdas run: both clusters must be reachable from there'),
  clusters: z.record(z.string(), clusterSchema).describe('Aliases that jobs may name'),
  copiers: z.int().min(1).max(10_000).optional().describe('Copy Lambdas at once over all jobs (default 20)'),
  transfersPerCopier: z.int().min(1).max(100).optional().describe('Transfers at once in one copier (default 10)'),
  reserveConcurrency: z
    .boolean()
    .optional()
    .describe('Reserve the concurrency of the copiers in the account (default false)'),
  architecture: z.enum(['arm64', 'x86_64']).default('arm64'),
  functions: z.partialRecord(z.enum(lambdaNames), sizeSchema).default({}),
  retentionDays: z
    .int()
    .min(1)
    .default(30)
    .describe('Days for which the records of a job are kept, and it can be retried'),
  logRetentionDays: z
    .int()
    .refine((days) => keepDays.includes(days), `expected one of ${keepDays.join(', ')}`)
    .default(RetentionDays.ONE_MONTH),
  alarms: z
    .strictObject({
      email: z.email().optional(),
      oldestJobHours: z.int().min(1).default(24).describe('Hours after which a job at work raises an alarm'),
    })
    .prefault({}),
  schedules: z.array(scheduleSchema).default([]),
  tokenRenewalMinutes: z
    .int()
    .min(1)
    .max(720)
    .default(15)
    .describe(
      'With Kerberos: minutes between two rounds of the renewer; it renews tokens that would end before the round after the next',
    ),
  kerberosLayerArn: z
    .string()
    .regex(/^arn:[^:]+:lambda:[^:]+:\d+:layer:[^:]+:\d+$/, 'expected the ARN of a version of a layer')
    .optional()
    .describe('With Kerberos: ARN of a layer with the addon; one is made when left out'),
  retain: z.boolean().default(true).describe('Keep bucket, table and key when the stack is deleted; false for a trial'),
});

/** A deployment file as props. @throws Error that names each wrong field by its path */
export function readConfig(file: string): { readonly stackName: string; readonly props: HdfsFanoutProps } {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'), withoutComments);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return { stackName: parsed.data.stackName, props: propsOf(parsed.data) };
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the document'}: ${message}`);
  throw new Error(`${file}: ${issues.join('; ')}`);
}

/** JSON has no comments: a field named "//" is one. */
function withoutComments(key: string, value: unknown): unknown {
  return key === '//' ? undefined : value;
}

function propsOf(config: z.output<typeof deploymentSchema>): HdfsFanoutProps {
  const { network, clusters, copiers, transfersPerCopier, reserveConcurrency, functions, alarms, schedules } = config;
  const sizes = Object.entries(functions).map(([name, { memoryMiB, timeoutSeconds }]) => [
    name,
    withoutUndefined({
      memoryMiB,
      timeout: timeoutSeconds === undefined ? undefined : Duration.seconds(timeoutSeconds),
    }),
  ]);
  return withoutUndefined({
    network,
    clusters,
    copiers,
    transfersPerCopier,
    reserveConcurrency,
    architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    functions: Object.fromEntries(sizes) as HdfsFanoutProps['functions'],
    retention: Duration.days(config.retentionDays),
    logRetention: config.logRetentionDays,
    alarmEmail: alarms.email,
    oldestJob: Duration.hours(alarms.oldestJobHours),
    schedules: schedules as ScheduleProps[],
    tokenRenewal: Duration.minutes(config.tokenRenewalMinutes),
    kerberosLayerArn: config.kerberosLayerArn,
    removalPolicy: config.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  }) as HdfsFanoutProps;
}

/** Drops undefined fields: the construct's own defaults hold for them. */
function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
