import { setTimeout as sleep } from 'node:timers/promises';
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, inject, test } from 'vitest';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

/** The limits of a job that several copiers work on. */

const cloud = new Cloud(inject('aws'));
const USAGE = 2;

/** How often a budget was leased. */
async function leasesOf(budget: string): Promise<number> {
  const { Item } = await cloud.clients.documents.send(
    new GetCommand({ TableName: cloud.output('TableName'), Key: { pk: `LIMIT#${budget}`, sk: 'LEASES' } }),
  );
  return Number(Item?.['leases'] ?? 0);
}

async function copiersOf(job: string): Promise<number> {
  const { Items = [] } = await cloud.clients.documents.send(
    new QueryCommand({
      TableName: cloud.output('TableName'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': `JOB#${job}`, ':sk': 'BATCH#' },
    }),
  );
  return new Set(Items.map(({ owner }) => String(owner))).size;
}

/** `HH:00` in UTC. */
function hourFromNow(hours: number): string {
  return `${String((new Date().getUTCHours() + 24 + hours) % 24).padStart(2, '0')}:00`;
}

test('copiers share a job’s limits by leases, and set changes them while it runs', async () => {
  const pair = await TwoClusters.make(inject('bed'), 'aws-limits');
  for (let file = 0; file < 60; file++) await pair.a.put(`${pair.root}/in/f${file}`, content(`${file}`, 20_000));
  // At this rate it would take twenty minutes. How many copiers there are is decided by the highest rate.
  const bandwidth = `${hourFromNow(-1)},1K ${hourFromNow(12)},1G UTC`;
  const limits = ['--bandwidth', bandwidth, '--namenode-ops', '1000', '--threads', '40'];
  const job = await cloud.start(...limits, `A:${pair.root}/in`, `B:${pair.root}/out`);
  while ((await copiersOf(job)) < 2 || (await leasesOf(`job/${job}/bytes`)) < 4) await sleep(500);
  expect(await leasesOf(`job/${job}/ops/A`)).toBeGreaterThan(1);
  const shown = await cloud.run('status', job);
  expect(shown.status).toMatchObject({ Outcome: 'Running', Limits: { bandwidth, namenodeOps: 1000 } });
  const set = await cloud.run('set', job, '--bandwidth', 'off');
  expect(set.code, set.stderr).toBe(0);
  expect(set.stdout).toContain(`${job}: limits: 1000 namenode requests/s`);
  expect((await cloud.ended(cloud.executionOf(job))).status).toBe('SUCCEEDED');
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  const late = await cloud.run('set', job, '--bandwidth', '1M');
  expect([late.code, late.stderr]).toEqual([USAGE, expect.stringContaining('has ended: Successful')]);
});

test('a timetable without a zone is refused before anything is started', async () => {
  const { code, stderr } = await cloud.run('start', '--bandwidth', '08:00,50M 19:00,off', 'A:/x', 'B:/y');
  expect([code, stderr]).toEqual([USAGE, expect.stringContaining('names no time zone')]);
});
