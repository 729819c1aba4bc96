import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

/** Dry runs in AWS: the real state machine, IAM enforced, real clusters. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'dry-run-aws');
});

const places = (name: string) => [`A:${pair.root}/${name}`, `B:${pair.root}/${name}`];

/** A tree of which something is to be done in every way. */
async function makeTrees(name: string): Promise<void> {
  const { a, b, root } = pair;
  const top = `${root}/${name}`;
  for (const path of ['d/new', 'd/equal', 'd/other', 'left/out.tmp', 'turned', 'c/closed']) {
    await a.put(`${top}/${path}`, content(path, 2000));
  }
  await b.put(`${top}/d/equal`, content('d/equal', 2000));
  await b.put(`${top}/d/other`, content('another', 2000));
  await b.put(`${top}/extra/in/it`, 'extra');
  await b.put(`${top}/turned/was`, 'a directory');
}

test(
  'a dry run tells what one on this machine tells, in text and as JSON, and changes nothing',
  async () => {
    await makeTrees('told');
    const before = await pair.trees();
    for (const flags of [
      ['--exact', '--force', '--exclude', '*.tmp'],
      ['--exact', '--force', '--delete', '--preserve'],
      ['--exact', '--files-only', '--json'],
    ]) {
      const here = await pair.run(['copy', '--dry-run', ...flags, ...places('told')]);
      const there = await cloud.run('start', '--dry-run', ...flags, ...places('told'));
      expect({ code: there.code, stdout: there.stdout }).toEqual({ code: here.code, stdout: here.stdout });
      expect(here.stdout).toContain('d/new');
    }
    expect(await pair.trees()).toEqual(before);
    expect(before.b).not.toHaveProperty('/told/d/new');
  },
  3 * MINUTES,
);

test('from the console: the output says what would be done, and a report can be had; nothing is retried', async () => {
  await makeTrees('console');
  const [source, destination] = places('console');
  const input = { source, destination, dryRun: true, options: { mapping: 'exact', force: true } };
  const { executionArn = '' } = await cloud.clients.stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn: cloud.output('StateMachineArn'), input: JSON.stringify(input) }),
  );
  const { status, output = '' } = await cloud.ended(executionArn);
  expect(status).toBe('SUCCEEDED');
  expect(JSON.parse(output) as JobStatus).toMatchObject({
    'Would Do': { copy: { files: 3, bytes: 6000 }, overwrite: { files: 1 }, skip: { files: 1 }, fail: { files: 1 } },
    'Files Copied': 0,
  });
  const job = executionArn.split(':').at(-1) ?? '';
  const report = await cloud.run('status', job, '--report', '-');
  expect(report.code, report.stderr).toBe(0);
  const lines = report.stdout.split('\n').filter((line) => line !== '');
  expect(lines.map((line) => (JSON.parse(line) as { action: string }).action).sort()).toEqual([
    'copy',
    'copy',
    'copy',
    'fail',
    'overwrite',
    'skip',
  ]);
  expect(await cloud.run('status', job)).toMatchObject({ code: 1 });
  expect((await cloud.run('retry', job)).stderr).toContain('start it anew');
  expect(await pair.b.tree(`${pair.root}/console`)).not.toHaveProperty('/d/new');
});

test('more deletions than the job may do are told last, as by a copy', async () => {
  for (let i = 0; i < 25; i++) await pair.b.put(`${pair.root}/many/${i}`, 'extra');
  await pair.a.put(`${pair.root}/many/new`, 'new');
  const flags = ['--exact', '--delete', '--max-delete', '3'];
  const here = await pair.run(['copy', '--dry-run', ...flags, ...places('many')]);
  const there = await cloud.run('start', '--dry-run', ...flags, ...places('many'));
  expect(here.code).toBe(3);
  expect({ code: there.code, stdout: there.stdout }).toEqual({ code: here.code, stdout: here.stdout });
  expect(there.stderr).toContain('25 of the destination');
});
