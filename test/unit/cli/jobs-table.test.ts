import { describe, expect, it } from 'vitest';
import { count, jobLines, shortBytes, tookText } from '../../../cli/jobs.ts';
import { jobStatus } from '../../../shared/job/job-status.ts';
import type { Job } from '../../../shared/job/job.ts';
import { newJob } from '../../support/outcomes.ts';

const id = '20261127-085135-1c0514';

describe('a job in the table', () => {
  it('tells state, time, files and bytes in 80 columns, and its paths below', () => {
    const endedAtMs = 1_700_000_000_000 + 3_725_000;
    const job = newJob({
      id,
      phase: 'done',
      outcome: 'Failed',
      endedAtMs,
      expectedFiles: 12_345_678,
      expectedBytes: 4e12,
    });
    const counters = new Map([
      ['files.copied', 6_000_000],
      ['bytes.copied', 1e12],
    ]);
    const now = endedAtMs + 30 * 86_400_000;
    const [first, paths] = jobLines(job, jobStatus(job, counters), 80, now);
    expect(first).toMatch(/^20261127-085135-1c0514 Failed        30d 1h02m  6\.0M\/12\.3M  25%  3\.6T  256M\/s$/);
    expect(first.length).toBeLessThan(80);
    expect(paths).toBe('  a:/in -> b:/out');
  });

  it('does not count as done what failed, and tells that it was undone', () => {
    const failed = {
      id,
      phase: 'done',
      outcome: 'Failed',
      endedAtMs: 1,
      expectedFiles: 10,
      expectedBytes: 1000,
    } as const;
    const counters = new Map([
      ['files.copied', 4],
      ['bytes.copied', 400],
      ['files.failed', 6],
      ['bytes.failed', 600],
    ]);
    const lineOf = (job: Job) => jobLines(job, jobStatus(job, counters), 80, job.startedAtMs)[0];
    expect(lineOf(newJob(failed))).toMatch(/ Failed .* 4\/10 {2}40% /);
    expect(lineOf(newJob({ ...failed, undone: { atMs: 2, isWhole: true } }))).toContain(' Undone ');
    expect(lineOf(newJob({ ...failed, undone: { atMs: 2, isWhole: false } }))).toContain(' Failed ');
  });

  it('that is being planned has no counts yet', () => {
    const job = newJob({ id });
    const now = job.startedAtMs + 7000;
    const [first] = jobLines(job, jobStatus(job, new Map(), true, now), 80, now);
    expect(first).toMatch(/ Running        7s    7s    planning$/);
  });

  it('cuts long paths to the terminal, and keeps names on their line', () => {
    const spec = { ...newJob().spec, source: [`a:/new\nline/${'x'.repeat(100)}`] };
    const job = newJob({ id, spec });
    const [, cut] = jobLines(job, jobStatus(job, new Map()), 80);
    expect(cut).toHaveLength(80);
    expect(cut).toMatch(/^ {2}a:\/new\\nline\/x+…$/);
    const [, whole] = jobLines(job, jobStatus(job, new Map()), Infinity);
    expect(whole).toMatch(/x -> b:\/out$/);
  });
});

it.each([
  [0.4, '0s'],
  [59, '59s'],
  [61, '1:01'],
  [3599, '59:59'],
  [3600, '1h00m'],
  [35_999, '9h59m'],
  [86_399, '23h'],
  [100_800, '1d04h'],
  [864_000, '10d'],
])('%d s is %s', (seconds, text) => {
  expect(tookText(seconds)).toBe(text);
});

it.each([
  [0, '0'],
  [9999, '9999'],
  [10_000, '10.0k'],
  [99_949, '99.9k'],
  [99_950, '100k'],
  [999_499, '999k'],
  [999_500, '1.0M'],
  [50_000_000, '50.0M'],
  [123_456_789, '123M'],
])('%d files are %s', (files, text) => {
  expect(count(files)).toBe(text);
});

it.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1.0K'],
  [102_399, '100K'],
  [1_023_000, '999K'],
  [1_048_575, '1.0M'],
  [208_000_000, '198M'],
  [13.5 * 1024 ** 4, '13.5T'],
  [Number.MAX_SAFE_INTEGER, '8.0P'],
])('%d bytes are %s', (bytes, text) => {
  expect(shortBytes(bytes)).toBe(text);
});
