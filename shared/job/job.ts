import type { LockedPath, Storage } from '../storage/storage.ts';
import { backupDirectory } from './backup.ts';
import type { Root } from './root.ts';
import { existingOf } from './existing.ts';
import type { Estimated } from './estimated.ts';
import { momentOf } from './moment.ts';
import type { JobSnapshot } from './snapshot.ts';
import type { JobOptions, JobSpec } from './spec.ts';

/** `planned`: nobody works on it, and nothing of it is locked, until somebody runs the plan. */
export type Phase = 'planning' | 'planned' | 'copying' | 'finishing' | 'done';
/** `Interrupted` by a person or the machine; `Failed` with failed files, or because it could not go on. */
export type Outcome = 'Successful' | 'Failed' | 'Interrupted';

/** A job until its final status and after it. */
export interface Job {
  readonly id: string;
  readonly spec: JobSpec;
  /** Resolved once; empty until then. */
  readonly roots: readonly Root[];
  readonly phase: Phase;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** Who asked for it: `user@host`, or the execution, of which CloudTrail tells who started it. Not kept by earlier versions. */
  readonly startedBy?: string;
  /** When its process last said that it lives: about when it died, if it was killed. */
  readonly seenAtMs?: number;
  readonly outcome: Outcome | undefined;
  /** Of a job that was to end with its plan: when it did, and the execution that made it, if one did. */
  readonly plannedAtMs?: number;
  readonly plannedBy?: string;
  /** For how long such a job has waited since, until it was run, ms. */
  readonly waitedMs?: number;
  /** What its plan let one expect: of every job on AWS, and of one that was to end with its plan. */
  readonly estimated?: Estimated;
  /** Why it ended before its end; undefined when it went through. */
  readonly error: string | undefined;
  readonly expectedFiles: number;
  readonly expectedBytes: number;
  /** Files that chunks copy, by how they are cut; none where left out. */
  readonly split?: Readonly<Record<string, number>>;
  /** Files that are long enough and go as one stream, by the reason. */
  readonly notSplit?: Readonly<Record<string, number>>;
  /** Attributes of directories that could not be preserved, by attribute. */
  readonly directoryWarnings: Readonly<Record<string, number>>;
  /** The first of the directories that did not get all their attributes, each as a line with the reason; all of them are in the log. */
  readonly directoryLosses?: readonly string[] | undefined;
  /**
   * What was found to delete, once that is settled: the list is made once. Earlier versions kept less of it. `leftOut`: what `notDeleted` says of
   * the list, empty for nothing, where that says meanwhile why its deletions wait.
   */
  readonly deletes?: ((Found | Pick<Found, 'files' | 'bytes'>) & { readonly leftOut?: string }) | undefined;
  /** Why nothing was deleted that should have been; undefined where that is not so. */
  readonly notDeleted?: string | undefined;
  /** What a second pass plans, once what stands in its way is deleted; none where left out. */
  readonly typeChanges?: TypeChanges | undefined;
  /** Left out: the first one, or the only one. */
  readonly pass?: 2;
  /** What planning has settled by itself, as counters: files that it skipped, and what the user's choice left out. Missing until it has ended. */
  readonly planned?: Readonly<Record<string, number>>;
  /** Undefined where their number was fixed and stayed, and in AWS, where copiers come and go. */
  readonly transfers?: Transfers | undefined;
  /** When it was undone last, wholly or in part: what it has left is no longer what it made. `atMs`: when that began. */
  readonly undone?: { readonly atMs: number; readonly isWhole: boolean };
  /** What the job copies from, once that is there, where it was asked for. */
  readonly snapshot?: JobSnapshot;
  /** Of a job that only looks at both sides: in how many pieces what it found is kept so far. */
  readonly report?: { readonly parts: number };
  /** Of a verification: what it did not look at. Of a dry run: why the job as asked for would not go on. */
  readonly notes?: readonly string[];
}

/** Names that are a file on one side and a directory on the other: they are in a list of their own. */
export interface TypeChanges {
  readonly names: number;
  /** Batches of the first pass: those of the second come behind them. */
  readonly batches: number;
  /** Whether the manifest has them. */
  readonly isPlanned?: true;
}

/** What the destination has and the source has not, beside all that both have. */
export interface Found {
  readonly files: number;
  readonly bytes: number;
  /** Extras that are directories with nothing in them. */
  readonly directories: number;
  /** Files that the destination has in all. */
  readonly destinationFiles: number;
  /** Entries of the source below its root, and the files among them. */
  readonly sourceEntries: number;
  readonly sourceFiles: number;
}

/** How many transfers ran at once, where that number changed. */
export interface Transfers {
  readonly first: number;
  readonly last: number;
  /** How often there were made fewer, since a cluster said that it is busy, by cluster. */
  readonly busy: Readonly<Record<string, number>>;
}

/** What is said of directories before a finish of the job has looked at them. */
export const noLosses = { directoryWarnings: {}, directoryLosses: undefined } as const satisfies Partial<Job>;

/** Why nothing was deleted, of a job that is taken up again: what was said of a list that is made anew is said no more. */
export function keptNote({ deletes, notDeleted }: Job): string | undefined {
  return (deletes && (deletes.leftOut ?? notDeleted)) || undefined;
}

/** A job that was just asked for. Times such as `7d` are counted back from its start, also when it is resumed later; its roots stand for pairs. */
export function newJob(id: string, spec: JobSpec, roots: readonly Root[], startedAtMs: number): Job {
  const { modifiedAfter, modifiedBefore } = spec.options;
  const fixed = (text: string) => (text === 'off' ? text : new Date(momentOf(text, startedAtMs)).toISOString());
  const times = {
    modifiedAfter: fixed(modifiedAfter),
    modifiedBefore: fixed(modifiedBefore),
  };
  return {
    id,
    spec: { ...spec, options: { ...spec.options, ...times, pairs: [] } },
    roots,
    phase: 'planning',
    startedAtMs,
    endedAtMs: undefined,
    outcome: undefined,
    error: undefined,
    expectedFiles: 0,
    expectedBytes: 0,
    ...noLosses,
  };
}

/** Whether a job that is being planned is to wait then. A second pass is part of running a plan. */
export function endsPlanned({ spec, pass }: Pick<Job, 'spec' | 'pass'>): boolean {
  return spec.options.planOnly && pass !== 2;
}

/** What changes in a job that is taken up again: its next phase, and how long it has waited as planned. */
export function takenUp({ phase, plannedAtMs, waitedMs = 0 }: Job, nowMs: number): Pick<Job, 'phase' | 'waitedMs'> {
  if (phase === 'planning') return { phase };
  const waited = phase === 'planned' ? Math.max(0, nowMs - (plannedAtMs ?? nowMs)) : 0;
  return { phase: 'copying', ...(waitedMs + waited > 0 ? { waitedMs: waitedMs + waited } : {}) };
}

/** What a job's lock is on. */
export async function lockedPathsOf(
  job: Pick<Job, 'id' | 'roots' | 'spec'>,
  destination: Storage,
  signal: AbortSignal,
): Promise<readonly LockedPath[]> {
  const { roots } = job;
  const backups = backupDirectory(job);
  const paths = [...roots.map((root) => root.destination), ...(backups === undefined ? [] : [backups])];
  return (await Promise.all(paths.map((path) => destination.lockedPaths(path, signal)))).flat();
}

/** Options as jobs kept them before `existing` said all that two switches say. */
type FirstOptions = Omit<JobOptions, 'existing' | 'chunkSize'> & {
  readonly force: boolean;
  readonly checksum: boolean;
};

/** Options as jobs kept them that knew no chunks. */
type UnsplitOptions = Omit<JobOptions, 'splitAbove' | 'chunkSize'>;

/** What jobs were that were stored before there was a choice. */
const unchosen = {
  live: false,
  delete: false,
  deleteExcluded: false,
  skipTrash: false,
  backupDir: '',
  maxDelete: 'auto',
  trackMissing: '',
  bandwidth: 'off',
  namenodeOps: 'off',
  stallTimeout: 'auto',
  minRate: 'off',
  compare: 'checksum',
  include: [],
  exclude: [],
  filters: [],
  pairs: [],
  filesFrom: 'off',
  maxSize: 'off',
  modifiedAfter: 'off',
  modifiedBefore: 'off',
  snapshot: false,
  repair: false,
  planOnly: false,
} as const satisfies Partial<JobOptions>;

/** A job as a store kept it, also one that an earlier version stored. */
export function storedJob(job: Job): Job {
  const kept = { ...unchosen, ...job.spec.options } as JobOptions | UnsplitOptions | FirstOptions;
  if ('chunkSize' in kept && !('force' in kept)) return { ...job, spec: { ...job.spec, options: kept } };
  const { force, checksum, ...others } = 'force' in kept ? kept : { ...kept, force: undefined, checksum: true };
  const existing = force === undefined ? {} : { existing: existingOf(force, checksum) };
  const options = { splitAbove: 0, chunkSize: 2 ** 30, ...others, ...existing } as JobOptions;
  return { ...job, spec: { ...job.spec, options } };
}
