import { Aws, Duration, TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { z } from 'zod';
import type { jobSpecSchema } from '../shared/job/spec.ts';

type JobInput = z.input<typeof jobSpecSchema>;

/** A job as it is typed, which says its mapping. */
export type ScheduledJob = JobInput & { readonly options: { readonly mapping: 'cp' | 'exact' | 'into' } };

export interface ScheduleProps {
  /** Name within the deployment; a schedule of another name is another schedule. */
  readonly name: string;
  /** `rate(1 day)`, `cron(0 3 * * ? *)` or `at(2027-01-01T03:00:00)`: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
  readonly expression: string;
  /** For example `Europe/Berlin`. Default: UTC. */
  readonly timezone?: string;
  /** Default: true. */
  readonly enabled?: boolean;
  readonly job: ScheduledJob;
}

const location = z.string().regex(/^[A-Za-z0-9][\w.-]*:[^]+$/, 'expected cluster:/path');

/** What is checked of a scheduled job before it is deployed; the planner checks the whole job when it runs. */
const jobSchema = z.strictObject({
  source: z.union([location, z.array(location).min(1)]),
  destination: location,
  options: z.looseObject({
    mapping: z.enum(['cp', 'exact', 'into'], {
      error:
        'a schedule says "exact" (the destination is the copied root) or "cp" (a second run lands one level deeper)',
    }),
  }),
  verify: z.looseObject({}).optional(),
  dryRun: z.boolean().optional(),
});

export const scheduleSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,40}$/, 'expected at most 40 letters, digits, "_", "." and "-"'),
  expression: z.string().regex(/^(?:rate|cron|at)\(.+\)$/, 'expected rate(…), cron(…) or at(…)'),
  timezone: z.string().min(1).optional(),
  enabled: z.boolean().optional(),
  job: jobSchema,
});

/** For how long EventBridge tries to start a scheduled execution. */
const MAX_AGE = Duration.hours(1);

/** Jobs that start by themselves, each an execution with the job as its input. */
export class Schedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    machine: sfn.IStateMachine,
    aliases: readonly string[],
    schedules: readonly ScheduleProps[],
  ) {
    super(scope, id);
    if (schedules.length === 0) return;
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    });
    for (const [i, { name, expression, timezone = 'Etc/UTC', enabled = true, job }] of schedules.entries()) {
      refuse(`schedules.${i}`, { name, expression, job }, aliases);
      new scheduler.Schedule(this, name, {
        description: `hdfs-fanout: ${name}`,
        schedule: scheduler.ScheduleExpression.expression(expression, TimeZone.of(timezone)),
        enabled,
        target: new StepFunctionsStartExecution(machine, {
          role,
          input: scheduler.ScheduleTargetInput.fromObject(job),
          maxEventAge: MAX_AGE,
        }),
      });
    }
  }
}

/** @throws Error that names each wrong field by its path */
function refuse(path: string, schedule: ScheduleProps, aliases: readonly string[]): void {
  const { error } = scheduleSchema.safeParse(schedule);
  if (error) {
    const issues = error.issues.map((issue) => `${[path, ...issue.path].join('.')}: ${issue.message}`);
    throw new Error(issues.join('; '));
  }
  const { source, destination } = schedule.job;
  const named = [source, destination].flat().map((location) => location.slice(0, location.indexOf(':')));
  const unknown = named.find((alias) => !aliases.includes(alias));
  if (unknown !== undefined) throw new Error(`${path}.job: "${unknown}" is none of the clusters ${aliases.join(', ')}`);
}
