import { expect, it } from 'vitest';
import { adviceOn } from '../../../cli/advice.ts';
import { jobStatus } from '../../../shared/job/job-status.ts';
import { newJob } from '../../support/outcomes.ts';
import type { Job } from '../../../shared/job/job.ts';

const ended = { phase: 'done', endedAtMs: 1_700_000_000_000 } as const;
const goOn = 'go on with: hdfs-fanout copy --resume JOB';

it.each<[string, Partial<Job>, boolean, string | undefined, number]>([
  ['running', { phase: 'copying' }, true, undefined, 4],
  ['successful', { ...ended, outcome: 'Successful' }, false, undefined, 0],
  ['killed', { phase: 'copying' }, false, `interrupted; ${goOn}`, 130],
  [
    'interrupted',
    { phase: 'planning', outcome: 'Interrupted', error: 'interrupted' },
    false,
    `interrupted; ${goOn}`,
    130,
  ],
  ['stopped', { phase: 'copying', outcome: 'Failed', error: 'it broke' }, false, `it broke; ${goOn}`, 3],
  [
    'cleaned',
    { ...ended, outcome: 'Failed', error: 'it cannot be resumed' },
    false,
    '2 files failed: hdfs-fanout status JOB --failures; it cannot be resumed',
    1,
  ],
  [
    'with failed files',
    { ...ended, outcome: 'Failed' },
    false,
    `2 files failed: hdfs-fanout status JOB --failures; ${goOn}`,
    1,
  ],
  [
    'undone',
    { ...ended, outcome: 'Failed', undone: { atMs: 1, isWhole: true } },
    false,
    '2 files failed: hdfs-fanout status JOB --failures; it was undone: start a new copy',
    1,
  ],
  [
    'undone in part',
    { ...ended, outcome: 'Failed', undone: { atMs: 1, isWhole: false } },
    false,
    '2 files failed: hdfs-fanout status JOB --failures; it was undone in part: hdfs-fanout undo JOB takes back what it can of the rest',
    1,
  ],
])('of a job that is %s', (_, changes, isRunning, message, code) => {
  const status = jobStatus(newJob({ id: 'JOB', ...changes }), new Map([['files.failed', 2]]), isRunning);
  expect(adviceOn(status)).toEqual({ message, code });
});

it('names --live where files failed because their source is in use', () => {
  const counters = new Map([
    ['files.failed', 4],
    ['failed.changed', 2],
    ['failed.vanished', 1],
  ]);
  const { message } = adviceOn(jobStatus(newJob({ id: 'JOB', ...ended, outcome: 'Failed' }), counters));
  expect(message).toBe(
    `4 files failed: hdfs-fanout status JOB --failures; 2 changed and 1 vanished while the job ran, which is no failure with --live; ${goOn}`,
  );
});

it('names the commands for the stack where the job runs', () => {
  const status = jobStatus(newJob({ id: 'JOB', ...ended, outcome: 'Failed' }), new Map([['files.failed', 1]]));
  const { message } = adviceOn(status, 'Prod');
  expect(message).toBe(
    '1 files failed: hdfs-fanout status JOB --failures --stack Prod; go on with: hdfs-fanout retry JOB --stack Prod',
  );
});
