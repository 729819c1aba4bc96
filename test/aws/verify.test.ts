import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content, makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { reportIn } from '../support/verification.ts';
import { Cloud } from './cloud.ts';

/** Verifications that are fanned out: the real state machine, IAM enforced, real clusters. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
/** Operations that change nothing. */
const READING: ReadonlySet<string> = new Set([
  'GETFILESTATUS',
  'LISTSTATUS_BATCH',
  'GETFILECHECKSUM',
  'GETFILEBLOCKLOCATIONS',
  'GET_BLOCK_LOCATIONS',
  'OPEN',
  'GETSERVERDEFAULTS',
]);
const [EQUAL, DIFFERENT, UNKNOWN] = [0, 1, 3];
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'verify-aws');
});

const places = (name: string, [from, to] = ['A', 'B']) => [
  `${from}:${pair.root}/${name}`,
  `${to}:${pair.root}/${name}`,
];

/** The same content on both sides. */
const putBoth = (path: string, text: Buffer | string) =>
  Promise.all([pair.a.put(`${pair.root}/${path}`, text), pair.b.put(`${pair.root}/${path}`, text)]);

async function verified(name: string, flags: readonly string[] = [], aliases?: [string, string]) {
  const { code, stdout, stderr } = await cloud.run('verify', '--json', ...flags, ...places(name, aliases));
  const [first = '', ...rest] = stdout.split('\n');
  const { job } = JSON.parse(first) as { job: string };
  return { code, stderr, job, ...reportIn(rest.join('\n')) };
}

async function verifiedHere(name: string, flags: readonly string[] = []) {
  const { code, stdout } = await pair.run(['verify', '--json', ...flags, ...places(name)]);
  return { code, ...reportIn(stdout) };
}

/** A summary without what is of one run alone. */
const told = (summary: object) => ({ ...summary, startedAt: '', endedAt: '' });

test(
  'a copy is equal at every level, attributes included, as it is to a verification on one machine; all who are asked say so',
  async () => {
    await makeOddTree(pair.a, `${pair.root}/odd`);
    await cloud.run('start', '--wait', '--exact', '--preserve', ...places('odd'));
    const before = await pair.trees();
    for (const level of ['size', 'checksum', 'read-back']) {
      const flags = ['--level', level, '--preserve'];
      const here = await verifiedHere('odd', flags);
      const { code, stderr, findings, summary, job } = await verified('odd', flags);
      expect({ level, code, stderr, findings }).toEqual({ level, code: EQUAL, stderr: '', findings: [] });
      expect(told(summary)).toEqual(told(here.summary));
      const shown = await cloud.run('status', job);
      expect(shown.code, shown.stderr).toBe(0);
      expect(shown.status).toMatchObject({
        Outcome: 'Successful',
        Verification: { outcome: 'equal', equal: here.summary.equal },
        'Files Copied': 0,
      });
      expect((await cloud.run('jobs')).stdout).toMatch(new RegExp(`${job} Successful.* 100%`));
    }
    expect(await pair.trees()).toEqual(before);
  },
  5 * MINUTES,
);

test(
  'each kind of difference is told as on one machine; the execution fails with what it found, and the report can be had later',
  async () => {
    const { a, b } = pair;
    const top = `${pair.root}/kinds`;
    await putBoth('kinds/d/equal', 'equal');
    await a.put(`${top}/d/length`, 'short');
    await b.put(`${top}/d/length`, 'longer');
    await a.put(`${top}/d/content\u2028line`, 'content');
    await b.put(`${top}/d/content\u2028line`, 'CONTENT');
    await a.put(`${top}/missing/file`, 'missing');
    await b.put(`${top}/extra/file`, 'extra one');
    await a.put(`${top}/file or directory`, 'file');
    await b.put(`${top}/file or directory/x`, 'x');
    await b.put(`${top}/_hdfs-fanout.left.0.0.1.0`, 'left behind');
    await putBoth('kinds/d/mode', 'mode');
    await b.call('PUT', 'SETPERMISSION', `${top}/d/mode`, { permission: '600' });
    const flags = ['--attributes', 'permission'];
    const here = await verifiedHere('kinds', flags);
    const there = await verified('kinds', flags);
    expect(there.code).toBe(DIFFERENT);
    expect(there.findings).toEqual(here.findings);
    expect(there.findings).toHaveLength(8);
    expect(told(there.summary)).toEqual(told(here.summary));
    const ended = await cloud.ended(cloud.executionOf(there.job));
    expect(ended).toMatchObject({ status: 'FAILED', error: 'TreesDiffer' });
    expect(JSON.parse(ended.cause ?? '')).toMatchObject({
      message: 'the trees differ',
      status: { Verification: { outcome: 'different' } },
    });
    const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-')), 'report.jsonl');
    const status = await cloud.run('status', there.job, '--report', file);
    expect(status.code, status.stderr).toBe(0);
    expect(reportIn(readFileSync(file, 'utf8')).findings).toEqual(here.findings);
    expect(await cloud.run('status', there.job)).toMatchObject({ code: DIFFERENT });
    const retried = await cloud.run('retry', there.job);
    expect(retried).toMatchObject({ code: 2, stderr: expect.stringContaining('start it anew') as string });
  },
  3 * MINUTES,
);

test('for a person: the first findings, all counts, the report where it was asked for', async () => {
  await pair.a.put(`${pair.root}/person/missing`, 'missing');
  await putBoth('person/equal', content('equal', 3000));
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-')), 'report.jsonl');
  const { code, stdout } = await cloud.run('verify', '--report', file, '--one-way', ...places('person'));
  expect(code).toBe(DIFFERENT);
  expect(stdout).toMatch(
    /^missing +\/verify-aws\/person\/missing\n\nequal +1 file of 2.9 KiB, 1 directory; content 1 by stored checksum\n/,
  );
  expect(stdout).toMatch(/\nThe trees differ \(\d+\.\d s\)\.\n/);
  expect(reportIn(readFileSync(file, 'utf8'))).toMatchObject({ findings: [{ type: 'missing' }] });
});

test('who may not write, nor read all, changes nothing, and what could not be told is told', async () => {
  await putBoth('denied/open', 'open');
  await putBoth('denied/closed', 'closed');
  await pair.b.call('PUT', 'SETPERMISSION', `${pair.root}/denied/closed`, { permission: '600' });
  await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/denied`, { permission: '555' });
  await pair.b.call('PUT', 'SETPERMISSION', `${pair.root}/denied`, { permission: '555' });
  await using faultProxy = await FaultProxy.start(bed.b, { datanodes: true });
  await cloud.push({ deniedProxy: { url: faultProxy.url, user: 'nobody' } });
  const { code, findings, summary } = await verified('denied', [], ['A', 'deniedProxy']);
  expect(code).toBe(UNKNOWN);
  expect(findings).toMatchObject([{ type: 'unknown', source: `${pair.root}/denied/closed` }]);
  expect(summary).toMatchObject({ outcome: 'unknown', unknown: 1, equal: { files: 1 } });
  const operations = new Set(faultProxy.requests.map(({ operation }) => operation));
  expect([...operations].filter((operation) => !READING.has(operation))).toEqual([]);
  expect(operations).toContain('GETFILECHECKSUM');
});

describe('what is typed at the console', () => {
  const ended = async (input: object) => {
    const { executionArn = '' } = await cloud.clients.stepFunctions.send(
      new StartExecutionCommand({ stateMachineArn: cloud.output('StateMachineArn'), input: JSON.stringify(input) }),
    );
    return cloud.ended(executionArn);
  };

  test('verifies, and the output is the Job Status', async () => {
    await putBoth('console/f', 'f');
    const [source, destination] = places('console');
    const { status, output = '' } = await ended({ source, destination, verify: { level: 'read-back' } });
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output) as JobStatus).toMatchObject({
      Verification: { outcome: 'equal', level: 'read-back', proved: { 'read-back': 1 } },
    });
  });

  test.each([
    ['copies as well', { options: { force: true } }, /options.existing says how to copy, and verify copies nothing/],
    ['is a dry run too', { dryRun: true }, /verify and dryRun both say what to do/],
    ['has a level that is none', { verify: { level: 'sure' } }, /verify.level/],
    ['names a source that is not there', {}, /no source matches A:.*console-none/],
  ])('and %s fails the execution in its first state', async (_what, more, says) => {
    const [source, destination] = places('console-none');
    const { status, cause = '' } = await ended({ source, destination, verify: {}, ...more });
    expect(status).toBe('FAILED');
    expect((JSON.parse(cause) as { errorMessage: string }).errorMessage).toMatch(says);
  });
});
