import { GetScheduleCommand, ListSchedulesCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { TestHdfs } from '../support/hdfs.ts';
import { Cloud } from './cloud.ts';
import { schedule } from './shared-aws.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const WAIT_MS = 130_000;

test('a schedule starts its job, again and again into the same place', async () => {
  const [a, b] = [new TestHdfs(bed.a), new TestHdfs(bed.b)];
  await a.put('/scheduled/dir/file', 'scheduled');
  const { scheduler } = cloud.clients;
  const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}));
  const Name = Schedules.find((one) => one.Name?.includes(schedule.name.replace('-', '')))?.Name;
  const { State, ScheduleExpression, FlexibleTimeWindow, Target, GroupName } = await scheduler.send(
    new GetScheduleCommand({ Name }),
  );
  expect(State).toBe('DISABLED');
  const same = { Name, GroupName, ScheduleExpression, FlexibleTimeWindow, Target };
  await scheduler.send(new UpdateScheduleCommand({ ...same, State: 'ENABLED' }));
  try {
    const untilMs = Date.now() + WAIT_MS;
    // A job's first line tells its state, the second what it copies.
    const isDone = (text: string) => text.includes(' Successful ') && text.includes(`\n  ${schedule.job.source} -> `);
    const finished = async () => (await cloud.run('jobs')).stdout.split(/^(?=\d)/m).some(isDone);
    while (!(await finished())) {
      if (Date.now() > untilMs) throw new Error('it did not start a job that succeeded');
      await sleep(2000);
    }
  } finally {
    await scheduler.send(new UpdateScheduleCommand({ ...same, State: 'DISABLED' }));
  }
  expect(await b.tree('/scheduled')).toEqual(await a.tree('/scheduled'));
}, 180_000);
