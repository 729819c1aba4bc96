import { describe, expect, it } from 'vitest';
import { reportSchema } from '../../../../shared/report/report.ts';
import { BEGAN, fileLine, reportOf } from '../../../support/reported-job.ts';

describe('the sums of a report', () => {
  it('have a row for each way in which files ended, and one for those that were not reached', async () => {
    const { sums } = await reportOf({
      job: { outcome: 'Interrupted', expectedFiles: 20, expectedBytes: 2000 },
      counters: { 'files.copied': 5, 'bytes.copied': 500, 'files.failed': 2, 'bytes.failed': 200, 'files.vanished': 1 },
    });
    expect(sums).toEqual([
      { what: 'copied', files: 5, bytes: 500 },
      { what: 'skipped', files: 0, bytes: 0 },
      { what: 'failed', files: 2, bytes: 200 },
      { what: 'vanished', files: 1, bytes: 0 },
      { what: 'not reached', files: 12, bytes: 1300 },
    ]);
  });

  it('tell of bytes that are other ones by now, so that sizes add up too', async () => {
    const { sums } = await reportOf({
      job: { expectedFiles: 1, expectedBytes: 100 },
      counters: { 'files.copied': 1, 'bytes.copied': 130 },
    });
    expect(sums.at(-1)).toEqual({ what: 'other length by now', files: 0, bytes: -30 });
    expect(sums.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(100);
  });
});

describe('the lines of a job', () => {
  it('are spread over the time that each file took', async () => {
    const lines = [
      fileLine({ bytes: 1000, endedAtMs: BEGAN + 6000, tookMs: 4000 }),
      fileLine({ bytes: 50, endedAtMs: BEGAN + 6100, tookMs: 10, outcome: 'chunk' }),
      fileLine({ bytes: 9999, endedAtMs: BEGAN + 7000, tookMs: 500, isJoined: true }),
      fileLine({ bytes: 7, endedAtMs: BEGAN + 99_000, tookMs: 0 }),
    ];
    const { timeline } = await reportOf({ lines });
    expect(timeline.stepMs).toBe(100);
    const bytes = timeline.steps.map((step) => step.bytes);
    expect(bytes.slice(0, 20)).toEqual(Array<number>(20).fill(0));
    expect(bytes.slice(20, 60)).toEqual(Array<number>(40).fill(25));
    expect(bytes[60]).toBe(50);
    // Those of a file that was put together are its chunks'.
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBe(1057);
    // A clock that is ahead: at the end.
    expect(bytes.at(-1)).toBe(7);
    expect(timeline.steps.reduce((sum, { files }) => sum + files, 0)).toBe(3);
  });

  it('tell how long files took, within a tenth', async () => {
    const lines = Array.from({ length: 1000 }, (_, index) => fileLine({ tookMs: index + 1 }));
    const { latency } = await reportOf({ lines });
    expect(latency?.most).toBe(1000);
    for (const [told, real] of [
      [latency?.p50, 500],
      [latency?.p95, 950],
      [latency?.p99, 990],
    ] as const) {
      expect(told).toBeGreaterThanOrEqual(real);
      expect(told).toBeLessThanOrEqual(real * 1.1);
    }
  });

  it('are told by size, and the slowest and largest by name', async () => {
    const lines = Array.from({ length: 30 }, (_, index) =>
      fileLine({ path: `/in/${index}`, bytes: index === 0 ? 0 : 4 ** index, tookMs: 1000 - index }),
    );
    const { sizes, slowest, largest } = await reportOf({ lines });
    expect(sizes.reduce((sum, { files }) => sum + files, 0)).toBe(30);
    expect(sizes[0]).toEqual({ below: 1, files: 1, bytes: 0 });
    expect(sizes.at(-1)).toMatchObject({ below: null, files: 13 });
    expect(slowest.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, index) => `/in/${index}`));
    expect(largest.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, index) => `/in/${29 - index}`));
  });

  it('that are missing are told of, and those that planning has settled are not among them', async () => {
    const job = { expectedFiles: 30, planned: { 'files.skipped': 20 } };
    const counters = { 'files.copied': 7, 'files.skipped': 3 };
    const lines = [fileLine(), fileLine({ outcome: 'skipped' }), fileLine({ outcome: 'failed' })];
    expect((await reportOf({ job, counters, lines })).known).toEqual({ files: 2, missing: 8 });
  });
});

it('the hosts of a report are those of failed tries and of lost connections', async () => {
  const { hosts } = await reportOf({
    counters: { 'warnings.connections to the datanode dn1:9864 of prod that died or stalled': 4, 'warnings.owner': 2 },
    lines: [fileLine({ hosts: ['dn1:9864', 'nn:9870'] }), fileLine({ outcome: 'failed', hosts: ['dn1:9864'] })],
  });
  expect(hosts).toEqual([
    { host: 'dn1:9864', failedTries: 2, lostConnections: 4 },
    { host: 'nn:9870', failedTries: 1, lostConnections: 0 },
  ]);
});

it('the failures of a report are grouped, over many pages, and no command is told of a job that has nothing to go on with', async () => {
  const failures = Array.from({ length: 2500 }, (_, index) =>
    index % 5 === 0 ? { reason: 'it’s gone', path: `/in/${index}` } : { reason: 'denied', path: `/in/${index}` },
  );
  const failed = await reportOf({ job: { outcome: 'Failed' }, failures });
  expect(failed.failures.map(({ cause, files, examples }) => [cause, files, examples.length])).toEqual([
    ['OPEN: denied', 2000, 5],
    ['OPEN: it’s gone', 500, 5],
  ]);
  expect(failed.failures[1]?.again).toBe("hdfs-fanout copy --resume a-job --only 'OPEN: it’s gone'");
  const live = await reportOf({ failures });
  expect(live.failures[0]).not.toHaveProperty('again');
  const letters = (index: number) =>
    `${'abcdefghij'.charAt(index % 10)}${'abcdefghijklm'.charAt(Math.floor(index / 10))}`;
  const many = await reportOf({ failures: Array.from({ length: 130 }, (_, index) => ({ reason: letters(index) })) });
  expect(many.failures).toHaveLength(100);
  expect(many.otherFailures).toBe(30);
});

it('deletions are told with the trash that holds them, a hundred by name', async () => {
  const lines = Array.from({ length: 120 }, (_, index) =>
    fileLine({
      outcome: 'deleted',
      path: `/out/${index}`,
      ...(index < 60 ? { trash: `/user/ann/.Trash/Current/out/${index}` } : {}),
    }),
  );
  const { deletions } = await reportOf({ lines });
  expect(deletions.listed).toHaveLength(100);
  expect(deletions.more).toBe(20);
  expect(deletions.trashes).toEqual([{ directory: '/user/ann/.Trash/Current', entries: 60 }]);
});

it('a report is what its schema says', async () => {
  const report = await reportOf({
    job: { outcome: 'Failed', startedBy: 'ann@edge' },
    lines: [fileLine()],
    failures: [{}],
  });
  expect(reportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
});
