import type { Job } from '../job/job.ts';
import type { JobStatus } from '../job/job-status.ts';
import type { JobStore } from '../job/job-store.ts';
import type { FileLines } from '../job/file-line.ts';
import { liveRoots } from '../job/root.ts';
import { lostByDatanode } from '../storage/lost-connections.ts';
import { parseJobSpec } from '../job/spec.ts';
import { FailureGroups } from './failure-groups.ts';
import { LineFigures } from './line-figures.ts';
import type { Report } from './report.ts';

const FAILURES_A_PAGE = 1000;
const ROOTS = 100;
/** A process that was killed lived for at most so long after it was seen last, or little longer. */
const SEEN_MS = 10_000;

/** What a report is made of. */
export interface Reported {
  readonly job: Job;
  readonly status: JobStatus;
  readonly store: Pick<JobStore, 'failures'>;
  readonly lines: FileLines;
  /** `hdfs-fanout` and its version. */
  readonly madeBy: string;
  readonly nowMs: number;
  /** The command that tries the files of a cause again. */
  readonly again: (cause: string) => string;
}

/** Makes the report of a job, as it is now: one pass over its lines and its failures, none of which is held. */
export async function makeReport({ job, status, store, lines, madeBy, nowMs, again }: Reported): Promise<Report> {
  const endedAtMs = Math.max(
    job.startedAtMs,
    job.endedAtMs ?? (status.Outcome === 'Running' ? nowMs : (job.seenAtMs ?? 0)),
  );
  const isKilled = job.endedAtMs === undefined && status.Outcome !== 'Running';
  const figures = new LineFigures(job.startedAtMs, isKilled ? Math.min(nowMs, endedAtMs + SEEN_MS) : endedAtMs);
  for await (const line of lines.fileLines(job.id)) figures.add(line);
  const groups = new FailureGroups();
  let after: string | undefined;
  do {
    const page = await store.failures(job.id, FAILURES_A_PAGE, after);
    for (const failure of page) groups.add(failure);
    after = page.at(-1)?.sequence;
  } while (after !== undefined);
  const mayGoOn = (status.Outcome === 'Failed' || status.Outcome === 'Interrupted') && !job.undone;
  const cost = Object.entries(status).filter(([name]) => name.startsWith('Cost'));
  return {
    report: 1,
    madeAtMs: nowMs,
    madeBy,
    job: job.id,
    source: [...job.spec.source],
    destination: job.spec.destination,
    ...(job.startedBy === undefined ? {} : { startedBy: job.startedBy }),
    startedAtMs: job.startedAtMs,
    endedAtMs,
    mapping: liveRoots(job.roots.slice(0, ROOTS)).map(({ source, destination }) => ({ source, destination })),
    options: chosenOptions(job),
    status: { ...status },
    sums: sumsOf(status),
    known: knownOf(job, status, figures.files),
    ...figures.figures,
    hosts: hostsOf(figures.failedTries, status),
    ...groups.told((cause) => (mayGoOn ? again(cause) : undefined)),
    deletions: job.spec.options.backupDir === '' ? figures.deletions : inBackup(figures.deletions),
    ...(cost.length > 0 ? { cost: Object.fromEntries(cost) } : {}),
  };
}

/** What a job that keeps backups deleted lies there, and nothing in the trash. */
function inBackup({ listed, more }: Report['deletions']): Report['deletions'] {
  const moved = listed.map(({ trash, ...entry }) => (trash === undefined ? entry : { ...entry, backup: trash }));
  return { listed: moved, more, trashes: [] };
}

/** Options that are another than the default. */
function chosenOptions({ spec }: Job): Record<string, unknown> {
  const { options: usual } = parseJobSpec({ source: 'a:/', destination: 'b:/b' });
  const chosen = Object.entries(spec.options).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name as keyof typeof usual]),
  );
  return Object.fromEntries(chosen);
}

/** Each expected file has ended in one way, or was not reached. */
function sumsOf(status: JobStatus): Report['sums'] {
  const ended = (
    [
      ['copied', status['Files Copied'], status['Size Copied']],
      ['skipped', status['Files Skipped'], status['Size Skipped']],
      ['failed', status['Files Failed'], status['Size Failed']],
      ['vanished', status['Files Vanished'] ?? 0, status['Size Vanished'] ?? 0],
      ['changed', status['Files Changed'] ?? 0, status['Size Changed'] ?? 0],
    ] as const
  ).map(([what, files, bytes]) => ({ what, files, bytes }));
  const total = (of: 'files' | 'bytes') => ended.reduce((sum, each) => sum + each[of], 0);
  const files = Math.max(0, status['Files Expected'] - total('files'));
  // Of a file whose length has changed since it was planned both lengths are known.
  const bytes = status['Size Expected'] - total('bytes');
  const rest = { what: files > 0 ? ('not reached' as const) : ('other length by now' as const), files, bytes };
  const always: readonly string[] = ['copied', 'skipped', 'failed'];
  return [...ended, rest].filter(({ what, files: some, bytes: of }) => some > 0 || of !== 0 || always.includes(what));
}

/** What planning has settled by itself has no lines. */
function knownOf({ planned }: Job, status: JobStatus, files: number): Report['known'] {
  const recorded = status['Files Copied'] + status['Files Skipped'] - (planned?.['files.skipped'] ?? 0);
  return { files, missing: Math.max(0, recorded - files) };
}

function hostsOf(failedTries: ReadonlyMap<string, number>, { Warnings: warnings }: JobStatus): Report['hosts'] {
  const lost = lostByDatanode(warnings);
  const hosts = [...new Set([...failedTries.keys(), ...lost.keys()])].map((host) => ({
    host,
    failedTries: failedTries.get(host) ?? 0,
    lostConnections: lost.get(host) ?? 0,
  }));
  return hosts.sort((a, b) => b.failedTries + b.lostConnections - a.failedTries - a.lostConnections);
}
