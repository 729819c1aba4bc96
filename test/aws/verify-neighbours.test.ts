import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { reportIn } from '../support/verification.ts';
import { Cloud } from './cloud.ts';

/** What people do with verifications in AWS besides: lists, stopping one, killing what compares, flags that are of no use there. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'verify-beside');
});

const putBoth = (path: string, text: string) =>
  Promise.all([pair.a.put(`${pair.root}/${path}`, text), pair.b.put(`${pair.root}/${path}`, text)]);

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-list-')), 'list');
  writeFileSync(file, text);
  return file;
}

async function verified(flags: readonly string[], paths: readonly string[]) {
  const { code, stdout, stderr } = await cloud.run('verify', '--json', ...flags, ...paths);
  expect(stderr).toBe('');
  return { code, ...reportIn(stdout.slice(stdout.indexOf('\n') + 1)) };
}

test('only what a list names is compared, and only what pairs name', async () => {
  await putBoth('list/d/equal', 'equal');
  await pair.a.put(`${pair.root}/list/d/other`, 'other');
  await pair.a.put(`${pair.root}/list/missing`, 'missing');
  const paths = [`A:${pair.root}/list`, `B:${pair.root}/list`];
  const listed = await verified(['--files-from', fileOf('d/equal\nmissing\nnowhere\n')], paths);
  expect(listed).toMatchObject({ code: 3, summary: { equal: { files: 1 }, missing: { files: 1 }, unknown: 1 } });
  expect(listed.findings.map(({ type, source }) => [type, source])).toEqual([
    ['missing', `${pair.root}/list/missing`],
    ['unknown', `${pair.root}/list/nowhere`],
  ]);
  await pair.b.put(`${pair.root}/list/renamed`, 'other');
  const { root } = pair;
  const pairs = `${root}/list/d/other,${root}/list/renamed\n${root}/list/missing,${root}/list/d/equal\n`;
  const paired = await verified(['--pairs', fileOf(pairs)], ['A:/', 'B:/']);
  expect(paired).toMatchObject({
    code: 1,
    findings: [{ type: 'different', by: 'length' }],
    summary: { equal: { files: 1 } },
  });
});

test('stopped in the middle: who watches is told, its status says so, and it frees what it holds', async () => {
  for (let i = 0; i < 8; i++) await putBoth(`stopped/${i}`, `content of ${i}`);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await using proxy = await FaultProxy.start(bed.b, {
    react: async ({ operation }) => {
      if (operation === 'GETFILECHECKSUM') await held;
      return undefined;
    },
  });
  await cloud.push({ verifyProxy: { url: proxy.url } });
  const verifying = cloud.begin('verify', `A:${pair.root}/stopped`, `verifyProxy:${pair.root}/stopped`);
  let told = '';
  verifying.child.stderr?.on('data', (text: string) => (told += text));
  while (proxy.count('GETFILECHECKSUM') === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  const job = /job (\S+)/.exec(told)?.[1] ?? '';
  expect((await cloud.run('stop', job)).code).toBe(0);
  release();
  const { code, stderr } = await verifying.ended;
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringMatching(/stopped/i) as string });
  await cloud.atRest(job);
  const status = await cloud.run('status', job);
  expect(status).toMatchObject({ code: 3, status: { Outcome: 'Failed', 'Files Copied': 0 } });
  const report = await cloud.run('status', job, '--report', '-');
  expect(report).toMatchObject({ code: 2, stderr: expect.stringContaining('has not come to its end') as string });
});

test.each([
  [['verify', '--conf', '/x', 'A:/x', 'B:/x'], '--conf is of no use beside --stack'],
  [['verify', '--report', '/no/where/x', 'A:/x', 'B:/x'], '--report'],
  [['verify', 'local:/x', 'B:/x'], 'AWS does not see the disk of this machine'],
  [['verify', 'A:/x', 'nowhere:/x'], 'has no cluster "nowhere"'],
  [['status', 'no-such-job', '--report', '-'], 'no job no-such-job'],
])('%j is refused in one line, and starts nothing', async (args, says) => {
  const { code, stdout, stderr } = await cloud.run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(says);
});
