import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content, makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';
import { Cloud, copiersConnectedTo, kill } from './cloud.ts';

/** Jobs from their start to their end: the real state machine, Lambdas in processes of their own, IAM enforced, real clusters. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'fanout');
});

async function tree(name: string, files: number, length: number): Promise<Record<string, string>> {
  const source = `${pair.root}/${name}`;
  for (let i = 0; i < files; i += 20) {
    const puts = Array.from({ length: Math.min(20, files - i) }, (_, j) =>
      pair.a.put(`${source}/d${(i + j) % 7}/f${i + j}`, content(`${name}${i + j}`, length)),
    );
    await Promise.all(puts);
  }
  return pair.a.tree(source);
}

/** Cluster B of the deployment behind a fault proxy, under the alias `fault proxy`. */
async function faultProxyOf(
  react: (request: FaultProxyRequest) => Reaction | undefined | Promise<Reaction | undefined>,
) {
  const faultProxy = await FaultProxy.start(bed.b, { react });
  await cloud.push({ faultProxy: { url: faultProxy.url } });
  return faultProxy;
}

const [source, destination] = [
  (name: string) => `A:${pair.root}/${name}`,
  (name: string, alias = 'B') => `${alias}:${pair.root}/${name}`,
];

test(
  'a tree of 1,000 files, odd names among them, arrives byte for byte, and all who are asked agree',
  async () => {
    await tree('thousand', 960, 300);
    await makeOddTree(pair.a, `${pair.root}/thousand/odd`);
    const expected = await pair.a.tree(`${pair.root}/thousand`);
    const files = Object.keys(expected).filter((path) => !path.endsWith('/')).length;
    expect(files).toBeGreaterThanOrEqual(1000);
    const { code, stderr, stdout, status } = await cloud.run(
      'start',
      '--wait',
      source('thousand'),
      destination('thousand'),
    );
    expect(code, stderr).toBe(0);
    expect(await pair.b.tree(`${pair.root}/thousand`)).toEqual(expected);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Expected': files, 'Files Copied': files });
    const job = stdout.split('\n')[0] ?? '';
    const { output = '' } = await cloud.ended(cloud.executionOf(job));
    const shown = await cloud.run('status', job);
    for (const other of [JSON.parse(output) as JobStatus, shown.status]) {
      expect({ ...other, 'Start Time': '', 'End Time': '' }).toEqual({ ...status, 'Start Time': '', 'End Time': '' });
    }
    const listed = await cloud.run('jobs');
    expect(listed.stdout).toContain(`${job} Successful`);
  },
  5 * MINUTES,
);

test('an empty tree succeeds with zeros', async () => {
  await pair.a.mkdirs(`${pair.root}/empty/inner`);
  const { code, status } = await cloud.run('start', '--wait', '--json', source('empty'), destination('empty'));
  expect(code).toBe(0);
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Expected': 0, 'Files Copied': 0, 'Size Copied': 0 });
  expect(await pair.b.tree(`${pair.root}/empty`)).toEqual({ '/inner/': '' });
});

describe('a copy Lambda that is killed', () => {
  test.each([
    ['while it writes', 'CREATE', 'before'],
    ['before a rename', 'RENAME', 'before'],
    ['after a rename, before it could say so', 'RENAME', 'after'],
  ] as const)('%s is tried again, and counts stay exact', async (_when, operation, moment) => {
    const name = `killed-${operation}-${moment}`;
    const expected = await tree(name, 30, 2000);
    let killed = 0;
    await using faultProxy = await faultProxyOf((request) => {
      if (request.operation !== operation || killed > 0 || faultProxy.count(operation) < 5) return undefined;
      const copiers = copiersConnectedTo(faultProxy.url);
      killed = copiers.length;
      if (moment === 'before') {
        kill(copiers);
        return 'cut-before';
      }
      setTimeout(() => kill(copiers), 100);
      return 'cut-after';
    });
    const { code, stderr, status } = await cloud.run(
      'start',
      '--wait',
      '--exact',
      source(name),
      destination(name, 'faultProxy'),
    );
    expect(code, stderr).toBe(0);
    expect(killed).toBeGreaterThan(0);
    expect(status).toMatchObject({ 'Files Copied': 30, 'Files Skipped': 0, 'Files Failed': 0, 'Size Copied': 60_000 });
    expect(await pair.b.tree(`${pair.root}/${name}`)).toEqual(expected);
  });
});

describe('files that fail', () => {
  test(
    'make the execution fail with how many and where to look; retry copies just those',
    async () => {
      const expected = await tree('failing', 20, 1000);
      const denied = [3, 11].map((i) => `${pair.root}/failing/d${i % 7}/f${i}`);
      for (const path of denied) await pair.a.call('PUT', 'SETPERMISSION', path, { permission: '000' });
      await cloud.push({ nobody: { url: bed.a, user: 'nobody' } });
      await pair.b.call('PUT', 'SETPERMISSION', pair.root, { permission: '777' });
      const from = `nobody:${pair.root}/failing`;
      const { code, stderr, status } = await cloud.run('start', '--wait', '--exact', from, destination('failing'));
      expect(code, stderr).toBe(1);
      expect(status).toMatchObject({ Outcome: 'Failed', 'Files Copied': 18, 'Files Failed': 2 });
      const job = status.Job;
      const ended = await cloud.ended(cloud.executionOf(job));
      expect(ended).toMatchObject({ status: 'FAILED', error: 'FilesFailed' });
      expect(JSON.parse(ended.cause ?? '')).toMatchObject({
        message: '2 of 20 files failed',
        next: expect.stringContaining(`hdfs-fanout retry ${job}`) as string,
        status: { 'Files Failed': 2 },
        firstFailures: [{ operation: 'OPEN' }, { operation: 'OPEN' }],
      });
      const failures = await cloud.run('status', job, '--failures');
      for (const path of denied) expect(failures.stdout).toContain(path);
      for (const path of denied) await pair.a.call('PUT', 'SETPERMISSION', path, { permission: '644' });
      const again = await cloud.run('retry', job, '--wait');
      expect(again.code, again.stderr).toBe(0);
      expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 20, 'Files Failed': 0 });
      expect(await pair.b.tree(`${pair.root}/failing`)).toEqual(expected);
    },
    3 * MINUTES,
  );

  test('more than --max-failures end the job, and its status says so', async () => {
    await tree('too-many', 12, 100);
    for (let i = 0; i < 12; i++) {
      await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/too-many/d${i % 7}/f${i}`, { permission: '000' });
    }
    await cloud.push({ nobody: { url: bed.a, user: 'nobody' } });
    const from = `nobody:${pair.root}/too-many`;
    const ended = await cloud.run('start', '--wait', '--max-failures', '1', from, destination('too-many'));
    expect(ended.code, ended.stderr).toBe(3);
    expect(ended.status).toMatchObject({
      Outcome: 'Failed',
      Error: expect.stringMatching(/files failed, more than the limit of 1 .*raise --max-failures/) as string,
    });
    expect(ended.stderr).toMatch(/more than the limit of 1/);
  });

  test(
    'a batch whose copier dies each time is told as failed, and retried like the others',
    async () => {
      const expected = await tree('dying', 12, 1000);
      let deadly = true;
      await using faultProxy = await faultProxyOf(({ operation }) => {
        if (deadly && operation === 'CREATE' && faultProxy.count('CREATE') > 4) {
          kill(copiersConnectedTo(faultProxy.url));
          return 'cut-before';
        }
        return undefined;
      });
      const { code, status, stderr } = await cloud.run(
        'start',
        '--wait',
        '--exact',
        source('dying'),
        destination('dying', 'faultProxy'),
      );
      expect(code, stderr).toBe(1);
      expect(status['Files Copied'] + status['Files Failed']).toBe(12);
      const failures = await cloud.run('status', status.Job, '--failures');
      expect(failures.stdout).toMatch(/its copier died each time it was tried/);
      deadly = false;
      const again = await cloud.run('retry', status.Job, '--wait');
      expect(again.code, again.stderr).toBe(0);
      expect(again.status).toMatchObject({ 'Files Copied': 12, 'Files Failed': 0 });
      expect(await pair.b.tree(`${pair.root}/dying`)).toEqual(expected);
    },
    5 * MINUTES,
  );
});

describe('stopping', () => {
  test(
    'in the middle: the status is written, nothing temporary is left, the destination is free, and retry goes on',
    async () => {
      const expected = await tree('stopped', 40, 1000);
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await using faultProxy = await faultProxyOf(async ({ operation }) => {
        if (operation === 'RENAME' && faultProxy.count('RENAME') > 10) await held;
        return undefined;
      });
      const job = await cloud.start('--exact', source('stopped'), destination('stopped', 'faultProxy'));
      while (faultProxy.count('RENAME') <= 10) await new Promise((resolve) => setTimeout(resolve, 100));
      const busy = await cloud.run(
        'start',
        '--wait',
        '--exact',
        source('stopped'),
        destination('stopped', 'faultProxy'),
      );
      expect(busy.code).toBe(3);
      expect(busy.stderr).toMatch(/DestinationBusyError: .*job \S+ is writing to/);
      expect((await cloud.run('stop', job)).code).toBe(0);
      release();
      await cloud.atRest(job);
      const { status } = await cloud.run('status', job);
      expect(status).toMatchObject({
        Outcome: 'Failed',
        'Files Failed': 0,
        Error: expect.stringContaining('stop') as string,
      });
      expect(status['Files Copied']).toBeLessThan(40);
      expect(temporaryNames(await pair.b.tree(`${pair.root}/stopped`))).toEqual([]);
      const again = await cloud.run('retry', job, '--wait');
      expect(again.code, again.stderr).toBe(0);
      expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 40 });
      expect(await pair.b.tree(`${pair.root}/stopped`)).toEqual(expected);
    },
    5 * MINUTES,
  );
});

describe('what is typed at the console', () => {
  test.each([
    ['a missing field', { source: 'A:/x' }, /destination: Invalid input/],
    [
      'a misspelt option',
      { source: 'A:/x', destination: 'B:/y', options: { forse: true } },
      /options: Unrecognized key: "forse"/,
    ],
    [
      'a cluster that the deployment has not',
      { source: 'nowhere:/x', destination: 'B:/y' },
      /the deployment has no cluster "nowhere"/,
    ],
  ])('and has %s fails the execution in its first state, and makes nothing', async (_what, input, says) => {
    const { executionArn = '' } = await cloud.clients.stepFunctions.send(
      new StartExecutionCommand({ stateMachineArn: cloud.output('StateMachineArn'), input: JSON.stringify(input) }),
    );
    const ended = await cloud.ended(executionArn);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'SpecError' });
    const { errorMessage } = JSON.parse(ended.cause ?? '') as { errorMessage: string };
    expect(errorMessage).toMatch(says);
    // Other tests begin jobs of their own meanwhile.
    const jobs = await cloud.run('jobs', '--limit', '1000', '--json');
    expect(jobs.code, jobs.stderr).toBe(0);
    expect(jobs.stdout).not.toContain(executionArn.split(':').at(-1));
  });
});
