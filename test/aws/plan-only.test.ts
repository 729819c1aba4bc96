import { beforeAll, expect, inject, test } from 'vitest';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

/** A plan that is kept on AWS and run later, through the real state machine; what a job was expected to cost and what it used. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'plan-only-aws');
  for (let i = 0; i < 30; i++) await pair.a.put(`${pair.root}/tree/d${i % 3}/f${i}`, content(`f${i}`, 2000));
});

test(
  'start --plan-only ends its execution with the plan and holds nothing; retry runs that plan',
  async () => {
    const { a, b, root } = pair;
    const ends = [`A:${root}/tree`, `B:${root}/tree`];
    const started = await cloud.run('start', '--wait', '--plan-only', '--exact', ...ends);
    expect(started.code, started.stderr).toBe(0);
    const job = started.stdout.split('\n')[0] ?? '';
    expect(started.status).toMatchObject({
      Outcome: 'Planned',
      Phase: 'planned',
      'Files Expected': 30,
      'Files Copied': 0,
      Estimated: { seconds: expect.any(Number) as number, dollars: expect.any(Number) as number },
    });
    expect(await cloud.ended(cloud.executionOf(job))).toMatchObject({ status: 'SUCCEEDED' });
    await cloud.atRest(job);
    expect(await b.tree(`${root}/tree`)).toEqual({ '/d0/': '', '/d1/': '', '/d2/': '' });
    // The destination is free: another job may write there.
    const other = await cloud.run('start', '--wait', '--exact', `A:${root}/tree/d0`, `B:${root}/tree/d0`);
    expect(other.code, other.stderr).toBe(0);
    await a.put(`${root}/tree/later`, 'in no plan');
    // What has appeared since is not in the plan: it stays, and is looked at by the next retry.
    const run = await cloud.run('retry', job, '--wait');
    expect(run.code, run.stderr).toBe(1);
    expect(run.status).toMatchObject({ 'Files Expected': 30, 'Files Copied': 20, 'Files Failed': 10 });
    const again = await cloud.run('retry', job, '--wait');
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Expected': 30, 'Files Failed': 0 });
    // What all its invocations have used, those that failed files and the first plan included, in the end's own words.
    const cost = again.status.Cost;
    expect(cost?.Prices).toBe('us-east-1, November 2026');
    for (const service of ['Lambda', 'Step Functions', 'DynamoDB', 'S3'] as const)
      expect(cost?.[service], service).toBeGreaterThan(0);
    expect(cost?.Dollars).toBeGreaterThan(run.status.Cost?.Dollars ?? Infinity);
    const shown = await cloud.run('status', job);
    expect(shown.status.Cost).toEqual(cost);
    const { '/later': later, ...source } = await a.tree(`${root}/tree`);
    expect(later).toBeDefined();
    expect(await b.tree(`${root}/tree`)).toEqual(source);
  },
  5 * MINUTES,
);
