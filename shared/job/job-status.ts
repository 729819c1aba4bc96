import { type Counters, type FileEnding, withPlanned } from './outcome.ts';
import type { Job, Outcome } from './job.ts';
import { type UsedCost, usedCost } from './used.ts';
import { type Summary, summaryOf } from './verification.ts';
import { type WouldDo, wouldDo } from './would-do.ts';

/**
 * pydistcp's Job Status: its sixteen keys with their meaning, then ours. Sizes in bytes, `Duration` in seconds, times local.
 */
export interface JobStatus {
  readonly 'Source Path': string;
  readonly 'Destination Path': string;
  readonly 'Start Time': string;
  readonly 'End Time': string;
  readonly Duration: number;
  /** pydistcp knows Successful and Failed. A Planned job waits until somebody runs it. An Interrupted job was stopped or killed: a resume goes on with it. */
  readonly Outcome: Outcome | 'Running' | 'Planned';
  readonly 'Files Expected': number;
  readonly 'Files Copied': number;
  readonly 'Files Failed': number;
  readonly 'Files Skipped': number;
  readonly 'Files Deleted': number;
  readonly 'Size Expected': number;
  readonly 'Size Copied': number;
  readonly 'Size Failed': number;
  readonly 'Size Skipped': number;
  readonly 'Size Deleted': number;
  readonly Job: string;
  readonly Phase: Job['phase'];
  /** How many copied files reached which verification level. */
  readonly Verified: Readonly<Record<string, number>>;
  /** Files that were not copied because their source vanished, or changed or was written, while the job ran. Only of a job that is `live`. */
  readonly 'Files Vanished'?: number;
  readonly 'Files Changed'?: number;
  readonly 'Size Vanished'?: number;
  readonly 'Size Changed'?: number;
  /** Of the failed files, those that failed for this reason: a job that is not `live` takes it for a failure. */
  readonly 'Failed Meanwhile'?: Readonly<Record<string, number>>;
  /** Why files were skipped. */
  readonly Skipped: Readonly<Record<string, number>>;
  /** What the user's choice left out, by the option that did: none of it is expected. What lies in a directory that was left out is not known. */
  readonly 'Filtered Out'?: Readonly<Record<string, number>>;
  /** Attributes that could not be preserved, on files and directories, and connections to datanodes that were lost. */
  readonly Warnings: Readonly<Record<string, number>>;
  /** Why attributes could not be preserved, and how often. */
  readonly 'Warning Reasons': Readonly<Record<string, number>>;
  /** The first directories that did not get all their attributes, with the reasons. */
  readonly 'Directories Not Preserved'?: readonly string[];
  /** Files that were copied in chunks, by how they were cut. */
  readonly 'Files Split'?: Readonly<Record<string, number>>;
  /** Files that are long enough for chunks and went as one stream, by the reason. */
  readonly 'Files Not Split'?: Readonly<Record<string, number>>;
  /** What was found to delete and stayed, by the reason. */
  readonly 'Deletes Kept'?: Readonly<Record<string, number>>;
  readonly 'Deletes Failed'?: number;
  /** Why nothing was deleted that should have been. */
  readonly 'Not Deleted'?: string;
  /** Skipped files whose attributes were brought up to date. */
  readonly 'Attributes Updated': number;
  readonly Retries: number;
  /** Bytes copied per second of `Duration`, which leaves out how long a planned job has waited. */
  readonly Throughput: number;
  /** What the job is kept within, as it was asked for. */
  readonly Limits?: Readonly<Record<string, string | number>>;
  /** Where the number of transfers at once changed, on one machine: at first, at last, and how often a cluster was busy and got fewer. */
  readonly 'Transfers At Once'?: Job['transfers'];
  /** What was copied from: the source as it was when the job began. */
  readonly Snapshot?: string;
  /** The snapshot since which changes were looked at. */
  readonly 'Snapshot Base'?: string;
  /** Why everything was looked at, and not only what had changed. */
  readonly 'Whole Walk'?: string;
  /** Files and directories of the source that were looked at, of a job that may leave out others. */
  readonly 'Entries Looked At'?: number;
  /** Files and directories that were renamed at the destination as they were at the source: what is in them is not copied. */
  readonly 'Entries Renamed'?: number;
  /** Why others were copied and deleted. */
  readonly 'Renames Not Made'?: Readonly<Record<string, number>>;
  /** Why older snapshots of the mirror are still there. */
  readonly 'Snapshots Not Dropped'?: string;
  /** When the job was undone. */
  readonly Undone?: string;
  /** Seconds of copying that the plan let one expect, and dollars on AWS: at assumed rates, the network aside. */
  readonly Estimated?: Job['estimated'];
  /** What was used of AWS, in dollars, the network aside. */
  readonly Cost?: UsedCost;
  /** Of a job that verifies: files that both sides have, of the expected ones. */
  readonly 'Files Compared'?: number;
  readonly 'Size Compared'?: number;
  /** Of a job that verifies, as far as it has come. */
  readonly Verification?: Summary;
  /** Of a dry run, as far as it has come: files and bytes by what would be done to them. */
  readonly 'Would Do'?: WouldDo;
  /** Why the job ended before its end. */
  readonly Error?: string;
}

/** @param isRunning  whether a process or an execution works on the job: a job that has neither an end nor one of these was killed */
export function jobStatus(job: Job, recorded: Counters, isRunning = false, nowMs = Date.now()): JobStatus {
  const counters = withPlanned(recorded, job);
  const filtered = group(counters, 'filtered');
  const cost = usedCost(counters);
  const count = (name: string) => counters.get(name) ?? 0;
  const files = byEnding(counters, 'files');
  const bytes = byEnding(counters, 'bytes');
  const isWaiting = job.phase === 'planned' && !isRunning && job.outcome === undefined;
  const lastMs = (isWaiting ? job.plannedAtMs : job.seenAtMs) ?? job.startedAtMs;
  const endMs = job.endedAtMs ?? (isRunning ? nowMs : lastMs);
  const seconds = Math.max(0, endMs - job.startedAtMs - (job.waitedMs ?? 0)) / 1000;
  const warnings = { ...group(counters, 'warnings') };
  const reasons = { ...group(counters, 'reasons') };
  for (const [name, number] of Object.entries(job.directoryWarnings)) {
    const into = name.startsWith('reasons.') ? reasons : warnings;
    const key = name.replace(/^reasons\./, '');
    into[key] = (into[key] ?? 0) + number;
  }
  return {
    'Source Path': job.spec.source.map(pathOf).join(' '),
    'Destination Path': pathOf(job.spec.destination),
    'Start Time': localTime(job.startedAtMs),
    'End Time': localTime(endMs),
    Duration: seconds,
    Outcome: job.outcome ?? (isRunning ? 'Running' : isWaiting ? 'Planned' : 'Interrupted'),
    'Files Expected': job.expectedFiles,
    'Files Copied': files.copied,
    'Files Failed': files.failed,
    'Files Skipped': files.skipped,
    'Files Deleted': count('deletes.files'),
    'Size Expected': job.expectedBytes,
    'Size Copied': bytes.copied,
    'Size Failed': bytes.failed,
    'Size Skipped': bytes.skipped,
    'Size Deleted': count('deletes.bytes'),
    Job: job.id,
    Phase: job.phase,
    ...overtakenOf(job, counters),
    Verified: group(counters, 'verified'),
    Skipped: group(counters, 'skipped'),
    ...(isAny(filtered) ? { 'Filtered Out': filtered } : {}),
    Warnings: warnings,
    'Warning Reasons': reasons,
    ...(job.directoryLosses ? { 'Directories Not Preserved': job.directoryLosses } : {}),
    ...(isAny(job.split) ? { 'Files Split': job.split } : {}),
    ...(isAny(job.notSplit) ? { 'Files Not Split': job.notSplit } : {}),
    ...deletesOf(job, counters),
    'Attributes Updated': count('attributes.updated'),
    Retries: count('retries'),
    Throughput: seconds > 0 ? Math.round(bytes.copied / seconds) : 0,
    ...limitsOf(job),
    ...(job.transfers ? { 'Transfers At Once': job.transfers } : {}),
    ...snapshotOf(job, counters),
    ...(job.undone ? { Undone: `${localTime(job.undone.atMs)}${job.undone.isWhole ? '' : ', in part'}` } : {}),
    ...(job.estimated ? { Estimated: job.estimated } : {}),
    ...(cost ? { Cost: cost } : {}),
    ...lookedAt(job, counters),
    ...(job.error === undefined ? {} : { Error: job.error }),
  };
}

function overtakenOf({ spec }: Job, counters: Counters): Partial<JobStatus> {
  const failed = group(counters, 'failed');
  const [files, bytes] = [byEnding(counters, 'files'), byEnding(counters, 'bytes')];
  const counted = {
    'Files Vanished': files.vanished,
    'Files Changed': files.changed,
    'Size Vanished': bytes.vanished,
    'Size Changed': bytes.changed,
  };
  return {
    ...(spec.options.live || files.vanished + files.changed > 0 ? counted : {}),
    ...(isAny(failed) ? { 'Failed Meanwhile': failed } : {}),
  };
}

function deletesOf(
  { notDeleted }: Job,
  counters: Counters,
): Pick<JobStatus, 'Deletes Kept' | 'Deletes Failed' | 'Not Deleted'> {
  const kept = group(counters, 'kept');
  const failed = counters.get('deletes.failed') ?? 0;
  return {
    ...(isAny(kept) ? { 'Deletes Kept': kept } : {}),
    ...(failed > 0 ? { 'Deletes Failed': failed } : {}),
    ...(notDeleted === undefined ? {} : { 'Not Deleted': notDeleted }),
  };
}

type ToldOfSnapshot =
  | 'Snapshot'
  | 'Snapshot Base'
  | 'Whole Walk'
  | 'Entries Looked At'
  | 'Entries Renamed'
  | 'Renames Not Made'
  | 'Snapshots Not Dropped';

function snapshotOf({ roots, snapshot, planned }: Job, counters: Counters): Pick<JobStatus, ToldOfSnapshot> {
  if (!snapshot) return {};
  const { since = [], whole, renamed = 0, notRenamed, undropped } = snapshot;
  const [base] = since;
  return {
    Snapshot: roots[0]?.source ?? '',
    ...(whole === undefined && base !== undefined ? { 'Snapshot Base': base } : {}),
    ...(whole === undefined ? {} : { 'Whole Walk': whole }),
    ...(planned ? { 'Entries Looked At': counters.get('entries.looked') ?? 0 } : {}),
    ...(renamed > 0 ? { 'Entries Renamed': renamed } : {}),
    ...(isAny(notRenamed) ? { 'Renames Not Made': notRenamed } : {}),
    ...(undropped === undefined ? {} : { 'Snapshots Not Dropped': undropped }),
  };
}

function lookedAt(
  { spec, notes = [] }: Job,
  counters: Counters,
): Pick<JobStatus, 'Files Compared' | 'Size Compared' | 'Verification' | 'Would Do'> {
  if (spec.verify) {
    const [files = 0, bytes = 0] = [counters.get('files.compared'), counters.get('bytes.compared')];
    const Verification = summaryOf(counters, spec.verify.level, notes);
    return { 'Files Compared': files, 'Size Compared': bytes, Verification };
  }
  return spec.dryRun ? { 'Would Do': wouldDo(counters) } : {};
}

function limitsOf({ spec }: Job): Pick<JobStatus, 'Limits'> {
  const { bandwidth, namenodeOps } = spec.options;
  const limits = {
    ...(bandwidth === 'off' ? {} : { bandwidth }),
    ...(namenodeOps === 'off' ? {} : { namenodeOps }),
  };
  return Object.keys(limits).length > 0 ? { Limits: limits } : {};
}

/** Files or bytes by how their files ended: the Job Status has a key for each ending. */
function byEnding(counters: Counters, what: 'files' | 'bytes'): Readonly<Record<FileEnding, number>> {
  const count = (ending: FileEnding) => counters.get(`${what}.${ending}`) ?? 0;
  return {
    copied: count('copied'),
    failed: count('failed'),
    skipped: count('skipped'),
    vanished: count('vanished'),
    changed: count('changed'),
  };
}

function isAny(counts: Readonly<Record<string, number>> | undefined): counts is Readonly<Record<string, number>> {
  return counts !== undefined && Object.keys(counts).length > 0;
}

function pathOf(location: string): string {
  return location.slice(location.indexOf(':') + 1);
}

function group(counters: Counters, prefix: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of counters) {
    if (name.startsWith(`${prefix}.`)) found[name.slice(prefix.length + 1)] = value;
  }
  return found;
}

/** `YYYY-MM-DD HH:MM:SS` in this machine's time zone, as pydistcp prints it. */
function localTime(atMs: number): string {
  const date = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
