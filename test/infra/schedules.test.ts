import { expect, it } from 'vitest';
import type { ScheduleProps } from '../../infra/schedules.ts';
import { Deployed, flat } from '../support/deployed.ts';

const schedule: ScheduleProps = {
  name: 'hourly',
  expression: 'rate(1 hour)',
  job: { source: 'staging:/a', destination: 'prod:/b', options: { mapping: 'exact', threads: 8 } },
};

it('start the state machine with their job as its input, at their time', () => {
  const deployed = new Deployed({
    schedules: [schedule, { ...schedule, name: 'off', enabled: false, timezone: 'Asia/Tokyo' }],
  });
  const [hourly, off] = Object.values(deployed.resources('AWS::Scheduler::Schedule'));
  expect(hourly).toMatchObject({
    ScheduleExpression: 'rate(1 hour)',
    ScheduleExpressionTimezone: 'Etc/UTC',
    State: 'ENABLED',
    Target: { Input: JSON.stringify(schedule.job) },
  });
  expect(flat((hourly?.['Target'] as { Arn: unknown }).Arn)).toBe('<StateMachine>');
  expect(off).toMatchObject({ State: 'DISABLED', ScheduleExpressionTimezone: 'Asia/Tokyo' });
});

const { job } = schedule;

it.each([{ verify: { level: 'size' } }, { dryRun: true }] as const)('start jobs that only look: %j', (looking) => {
  const asked = { ...job, ...looking };
  const deployed = new Deployed({ schedules: [{ ...schedule, job: asked }] });
  const [started] = Object.values(deployed.resources('AWS::Scheduler::Schedule'));
  expect(started).toMatchObject({ Target: { Input: JSON.stringify(asked) } });
});

const mapping =
  'job.options.mapping: a schedule says "exact" (the destination is the copied root) or "cp" (a second run lands one level deeper)';

it.each<[string, unknown, string]>([
  ['no mapping', { ...schedule, job: { ...job, options: { force: true } } }, `schedules.0.${mapping}`],
  ['no options', { ...schedule, job: { source: 'staging:/a', destination: 'prod:/b' } }, 'schedules.0.job.options: '],
  [
    'a mapping that is not known',
    { ...schedule, job: { ...job, options: { mapping: 'rsync' } } },
    `schedules.0.${mapping}`,
  ],
  [
    'a field that is not known',
    { ...schedule, job: { ...job, sources: 'x' } },
    'schedules.0.job: Unrecognized key: "sources"',
  ],
  ['a path without its cluster', { ...schedule, job: { ...job, source: '/a' } }, 'schedules.0.job.source: '],
  [
    'a cluster that is not known',
    { ...schedule, job: { ...job, destination: 'other:/b' } },
    'schedules.0.job: "other" is none of the clusters staging, prod',
  ],
  [
    'an expression that is none',
    { ...schedule, expression: 'hourly' },
    'schedules.0.expression: expected rate(…), cron(…) or at(…)',
  ],
])('with %s are refused before anything is deployed', (_what, wrong, says) => {
  expect(() => new Deployed({ schedules: [wrong as ScheduleProps] })).toThrow(says);
});
