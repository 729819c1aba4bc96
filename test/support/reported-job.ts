import type { Job } from '../../shared/job/job.ts';
import type { FileLine } from '../../shared/job/file-line.ts';
import { jobStatus } from '../../shared/job/job-status.ts';
import type { RecordedFailure } from '../../shared/job/job-store.ts';
import { makeReport } from '../../shared/report/make-report.ts';
import type { Report } from '../../shared/report/report.ts';
import { newJob } from './outcomes.ts';
import { shellQuoted } from '../../shared/shell-quoted.ts';

/** What a report is made of that a test makes up. */
export interface Made {
  readonly job?: Partial<Job>;
  readonly counters?: Readonly<Record<string, number>>;
  readonly lines?: readonly FileLine[];
  readonly failures?: readonly Partial<RecordedFailure>[];
}

export const BEGAN = Date.UTC(2026, 10, 28, 1, 0, 0);

export function fileLine(changes: Partial<FileLine> = {}): FileLine {
  return {
    path: '/in/file',
    bytes: 1000,
    outcome: 'copied',
    endedAtMs: BEGAN + 5000,
    tookMs: 100,
    retries: 0,
    ...changes,
  };
}

export function reportOf({ job: changes, counters = {}, lines = [], failures = [] }: Made): Promise<Report> {
  const ended = { endedAtMs: BEGAN + 10_000, outcome: 'Successful', phase: 'done' } as const;
  const job = newJob({ id: 'a-job', startedAtMs: BEGAN, ...ended, ...changes });
  const all = failures.map((failure, index) => ({
    ...{ path: '/in/file', operation: 'OPEN', host: 'nn1:9870', reason: 'denied', batch: 0, unit: index },
    ...{ sequence: String(index + 1), ...failure },
  }));
  return makeReport({
    job,
    status: jobStatus(job, new Map(Object.entries(counters))),
    store: {
      failures: (_, limit, after = '0') =>
        Promise.resolve(all.filter(({ sequence }) => Number(sequence) > Number(after)).slice(0, limit)),
    },
    lines: {
      async *fileLines() {
        for (const line of lines) yield await Promise.resolve(line);
      },
    },
    madeBy: 'hdfs-fanout 0.0.0',
    nowMs: BEGAN + 60_000,
    again: (cause) => `hdfs-fanout copy --resume ${job.id} --only ${shellQuoted(cause)}`,
  });
}
