import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { outputs } from '../../shared/names.ts';
import type { CliResult } from '../support/cli.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

/** What a job in AWS is told to copy, and how little it does where nothing is left to do. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const Bucket = cloud.output(outputs.bucket);
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'chosen-in-aws');
  for (const path of ['a/1.csv', 'a/2.tmp', 'b/3.csv', '_temporary/4', 'c/😀 5']) {
    await pair.a.put(`${pair.root}/tree/${path}`, path);
  }
});

const paths = (name: string) => [`A:${pair.root}/tree`, `B:${pair.root}/${name}`];
const copied = async (name: string) =>
  Object.keys(await pair.b.tree(`${pair.root}/${name}`)).filter((path) => !path.endsWith('/'));

async function execute(input: object): Promise<{ status?: JobStatus; error: string | undefined; cause: string }> {
  const { executionArn = '' } = await cloud.clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: cloud.output(outputs.stateMachine), input: JSON.stringify(input) }),
  );
  const { output, error, cause = '' } = await cloud.ended(executionArn);
  return { ...(output === undefined ? {} : { status: JSON.parse(output) as JobStatus }), error, cause };
}

/** How many batches of a job copiers have taken. */
async function claimed({ stdout }: CliResult): Promise<number> {
  const { Count = 0 } = await cloud.clients.documents.send(
    new QueryCommand({
      TableName: cloud.output(outputs.table),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': `JOB#${stdout.split('\n')[0] ?? ''}`, ':sk': 'BATCH#' },
      ConsistentRead: true,
    }),
  );
  return Count;
}

test('globs and expressions choose, and what they leave out is counted', async () => {
  const { code, stderr, status } = await cloud.run(
    'start',
    '--wait',
    '--exact',
    '--include',
    '**/*',
    '--exclude',
    '_temporary',
    '--exclude',
    '*.tmp',
    ...paths('globs'),
  );
  expect(code, stderr).toBe(0);
  expect(status['Filtered Out']).toEqual({ exclude: 1, 'exclude, directories': 1 });
  expect(await copied('globs')).toEqual(['/a/1.csv', '/b/3.csv', '/c/😀 5']);
});

test('a tree of which nothing has changed is planned and ended, and starts no copier', async () => {
  const args = ['--wait', '--exact', '--force', '--compare', 'time', '--attributes', 'times', ...paths('unchanged')];
  const first = await cloud.run('start', ...args);
  expect(await claimed(first)).toBeGreaterThan(0);
  const again = await cloud.run('start', ...args);
  expect({ code: again.code, ...again.status }).toMatchObject({
    code: 0,
    'Files Expected': 5,
    'Files Copied': 0,
    Skipped: { 'same length and modification time': 5 },
  });
  expect(await claimed(again)).toBe(0);
});

describe('a list', () => {
  test('of the command line is put where the planner finds it, and names what is copied', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-list-')), 'list');
    writeFileSync(file, 'c/😀 5\r\na/1.csv\na/1.csv\nmissing\n');
    const flags = ['--wait', '--exact', '--preserve', '--files-from', file, ...paths('listed')];
    const { code, stdout, status } = await cloud.run('start', ...flags);
    expect({ code, ...status }).toMatchObject({ code: 1, 'Files Copied': 2, 'Files Failed': 1, Warnings: {} });
    expect(await copied('listed')).toEqual(['/a/1.csv', '/c/😀 5']);
    await pair.a.put(`${pair.root}/tree/missing`, 'here now');
    const job = stdout.split('\n')[0] ?? '';
    const retried = await cloud.run('retry', '--wait', job);
    expect({ code: retried.code, ...retried.status }).toMatchObject({ code: 1, 'Files Copied': 2, 'Files Failed': 1 });
    const again = await cloud.run('start', ...flags);
    expect({ code: again.code, ...again.status }).toMatchObject({ code: 0, 'Files Copied': 1, 'Files Skipped': 2 });
    await pair.a.remove(`${pair.root}/tree/missing`);
  });

  test('in the bucket is named by any execution', async () => {
    await cloud.clients.s3.send(new PutObjectCommand({ Bucket, Key: 'lists/nightly é.txt', Body: 'b\n' }));
    const [source, destination] = paths('nightly');
    const options = { mapping: 'exact', filesFrom: `s3://${Bucket}/lists/nightly é.txt` };
    const { status, cause } = await execute({ source, destination, options });
    expect(status, cause).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1 });
    expect(await copied('nightly')).toEqual(['/b/3.csv']);
  });

  test.each([
    ['s3://elsewhere/lists/x', 'is no list of this deployment'],
    ['/a/file', 'is no list of this deployment'],
    ['manifests/any.jsonl', 'is no list of this deployment'],
    ['lists/none', 'there is no s3://'],
  ])('that is none of the deployment is refused: %s', async (name, message) => {
    const [source, destination] = paths('refused');
    const isKey = !name.includes(':') && !name.startsWith('/');
    const options = { mapping: 'exact', filesFrom: isKey ? `s3://${Bucket}/${name}` : name };
    const { error, cause } = await execute({ source, destination, options });
    expect(error).toBe('SpecError');
    expect(cause).toContain(message);
    expect(await pair.b.exists(`${pair.root}/refused`)).toBe(false);
  });
});

test('pairs stand in the job', async () => {
  const pairs = [
    { source: `${pair.root}/tree/a`, destination: `${pair.root}/pairs/x` },
    { source: `hdfs://nn${pair.root}/tree/b/3.csv`, destination: `${pair.root}/pairs/deep/3` },
  ];
  const { status, cause } = await execute({ source: 'A:/', destination: 'B:/', options: { pairs } });
  expect(status, cause).toMatchObject({ Outcome: 'Successful', 'Files Copied': 3 });
  expect(await copied('pairs')).toEqual(['/deep/3', '/x/1.csv', '/x/2.tmp']);
});
