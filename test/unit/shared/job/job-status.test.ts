import { describe, expect, it } from 'vitest';
import { jobStatus } from '../../../../shared/job/job-status.ts';
import { newJob } from '../../../support/outcomes.ts';

/** What pydistcp printed: programs read these. */
const pydistcpKeys = [
  'Source Path',
  'Destination Path',
  'Start Time',
  'End Time',
  'Duration',
  'Outcome',
  ...['Files', 'Size'].flatMap((what) =>
    ['Expected', 'Copied', 'Failed', 'Skipped', 'Deleted'].map((how) => `${what} ${how}`),
  ),
];

const counters = new Map([
  ['files.copied', 3],
  ['files.failed', 1],
  ['files.skipped', 2],
  ['bytes.copied', 3000],
  ['bytes.failed', 10],
  ['bytes.skipped', 20],
  ['verified.checksum', 2],
  ['verified.read-back', 1],
  ['skipped.identical content', 2],
  ['warnings.owner', 1],
  ['retries', 4],
]);

const job = newJob({
  expectedFiles: 6,
  expectedBytes: 3030,
  endedAtMs: 1_700_000_001_500,
  outcome: 'Failed',
  phase: 'done',
  directoryWarnings: { owner: 2, times: 1 },
});

describe('jobStatus', () => {
  it("begins with pydistcp's sixteen keys", () => {
    expect(pydistcpKeys).toHaveLength(16);
    expect(new Set(Object.keys(jobStatus(job, counters)).slice(0, 16))).toEqual(new Set(pydistcpKeys));
  });

  it('counts files and bytes by how they ended', () => {
    expect(jobStatus(job, counters)).toMatchObject({
      'Source Path': '/in',
      'Destination Path': '/out',
      Duration: 1.5,
      Outcome: 'Failed',
      'Files Expected': 6,
      'Files Copied': 3,
      'Files Failed': 1,
      'Files Skipped': 2,
      'Files Deleted': 0,
      'Size Expected': 3030,
      'Size Copied': 3000,
      'Size Failed': 10,
      'Size Skipped': 20,
      'Size Deleted': 0,
      Job: job.id,
      Phase: 'done',
      Verified: { checksum: 2, 'read-back': 1 },
      Skipped: { 'identical content': 2 },
      Warnings: { owner: 3, times: 1 },
      Retries: 4,
      Throughput: 2000,
    });
    expect(jobStatus(job, counters)).not.toHaveProperty('Error');
  });

  it('is all zeros for an empty tree, without a division by zero', () => {
    const empty = newJob({ endedAtMs: 1_700_000_000_000, outcome: 'Successful' });
    const status = jobStatus(empty, new Map());
    const { Duration, Throughput, Outcome } = status;
    expect([Duration, Throughput, Outcome]).toEqual([0, 0, 'Successful']);
    expect(status['Files Expected']).toBe(0);
  });

  it('of a job that runs counts until now', () => {
    const status = jobStatus(newJob(), new Map(), true, 1_700_000_060_000);
    expect(status).toMatchObject({ Duration: 60, Outcome: 'Running', Phase: 'planning' });
  });

  it.each([
    ['was seen alive', { seenAtMs: 1_700_000_030_000 }, 30],
    ['was never seen', {}, 0],
  ])('of a job that was killed counts until it %s', (_, seen, seconds) => {
    const status = jobStatus(newJob({ phase: 'copying', ...seen }), new Map(), false, 1_700_000_060_000);
    expect(status).toMatchObject({ Duration: seconds, Outcome: 'Interrupted', Phase: 'copying' });
  });

  it('says why a job ended before its end', () => {
    expect(jobStatus(newJob({ error: 'interrupted' }), new Map())).toMatchObject({ Error: 'interrupted' });
  });

  it('writes times as YYYY-MM-DD HH:MM:SS in local time', () => {
    const start = new Date(2026, 0, 2, 3, 4, 5);
    const end = new Date(2026, 6, 2, 23, 59, 59);
    const status = jobStatus(newJob({ startedAtMs: start.getTime(), endedAtMs: end.getTime() }), new Map());
    expect([status['Start Time'], status['End Time']]).toEqual(['2026-01-02 03:04:05', '2026-07-02 23:59:59']);
  });

  it('shows paths without their clusters, several sources side by side', () => {
    const spec = { ...job.spec, source: ['a:/x', 'a:/y:z'], destination: 'b:/out' };
    expect(jobStatus({ ...job, spec }, counters)['Source Path']).toBe('/x /y:z');
  });
});
