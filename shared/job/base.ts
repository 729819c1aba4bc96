import { isWithin } from '../storage/path.ts';
import { EXISTS } from './decide.ts';
import { NEWER_DIRECTORY, REFUSED_DIRECTORY, VANISHED_DIRECTORY } from './ending.ts';
import type { Job } from './job.ts';
import { type Counters, withPlanned } from './outcome.ts';
import { livePath } from './root.ts';
import { isElsewhere, jobOfSnapshot, snapshotName } from './snapshot.ts';
import { changesNothing, type JobOptions } from './spec.ts';

/** What is looked at: changes since some snapshots, of which the base is not always the oldest; or everything, and why. */
export type Look = { readonly since: readonly string[]; readonly base: string } | { readonly whole: string };

/** An earlier job, with what it has counted where that is of interest. */
export interface EarlierJob {
  readonly job: Job;
  readonly counters: Counters;
}

/**
 * How a job that was successful may have left something that another whole walk would do. Owners, groups and the like are mostly refused for want of
 * rights, and would be again; a directory without its permission may be closed to its readers.
 */
const UNDONE_DIRECTORIES = [
  NEWER_DIRECTORY,
  VANISHED_DIRECTORY,
  REFUSED_DIRECTORY,
  'directory not listed',
  'directory gone',
  'permission',
  'acl',
];

/** Reasons for which a skipped file is what its source is, or what no walk would make it. */
const SETTLED = [
  'both empty',
  'identical content',
  'same length and modification time',
  'same length, not compared',
  'temporary file of a copy',
  'not a regular file',
];

/** What was found to delete, and is no more there. */
const GONE = 'gone already';

/** Options that say nothing of what a mirror holds once its job has succeeded. `existing` is looked at by itself. */
const free: ReadonlySet<string> = new Set<keyof JobOptions>([
  'existing',
  'threads',
  'bandwidth',
  'namenodeOps',
  'stallTimeout',
  'minRate',
  'partSize',
  'bufferSize',
  'maxFailures',
  'maxDelete',
  'skipTrash',
  'backupDir',
  'openFiles',
  'live',
  'splitAbove',
  'chunkSize',
  'direct',
  'repair',
  'planOnly',
]);

/**
 * Which snapshots a job can go on from. What it need not look at must be at the destination as it is in all of these snapshots: so each job
 * that has written there since the base began is one of them, and looked at no more than what changed.
 *
 * @param others  jobs that are known, this one not among them
 * @param names  the snapshots that are there, oldest first
 * @param destination  what the destination's root is known by now
 */
export function lookOf(
  job: Job,
  others: readonly EarlierJob[],
  names: ReadonlySet<string>,
  destination: string | undefined,
): Look {
  const newestFirst = others.toSorted((a, b) => b.job.startedAtMs - a.job.startedAtMs);
  const mirrors = newestFirst.filter((other) => isSameMirror(job, other.job) && other.job.snapshot);
  const base = mirrors.find((other) => whyNoBase(job, other, names, destination) === undefined)?.job;
  if (!base) {
    const [last] = mirrors;
    const why = last && whyNoBase(job, last, names, destination);
    return { whole: `no base: ${why ? `the job ${last.job.id} ${why}` : 'no earlier job with --snapshot is known'}` };
  }
  const chain = [base];
  for (const { job: other } of newestFirst) {
    if (other.id === base.id || !hasWritten(job, other, base, destination)) continue;
    const why = whyNotInChain(job, other, names);
    if (why !== undefined) return { whole: `the job ${other.id} has written to the destination since: ${why}` };
    chain.push(other);
  }
  const known = new Set([job, ...others.map((other) => other.job)].map(({ id }) => id));
  for (const name of [...names].reverse()) {
    if (name === snapshotName(base.id)) break;
    const id = jobOfSnapshot(name);
    if (id !== undefined && !known.has(id))
      return { whole: `the snapshot ${name} is newer than the base, and its job is not known here` };
  }
  chain.sort((a, b) => a.startedAtMs - b.startedAtMs);
  return { since: chain.map(({ id }) => snapshotName(id)), base: snapshotName(base.id) };
}

/** Whether two jobs copy one tree to one place. */
export function isSameMirror(one: Job, other: Job): boolean {
  const [root, another] = [one.roots[0], other.roots[0]];
  if (!root || !another || one.roots.length > 1 || other.roots.length > 1) return false;
  return (
    aliasOf(one.spec.source[0]) === aliasOf(other.spec.source[0]) &&
    aliasOf(one.spec.destination) === aliasOf(other.spec.destination) &&
    livePath(root) === livePath(another) &&
    root.destination === another.destination
  );
}

/** Why what a job of the same mirror has left is not all that a whole walk would do; undefined where it is. */
export function whyNoBase(
  job: Job,
  { job: other, counters: recorded }: EarlierJob,
  names: ReadonlySet<string>,
  destination: string | undefined,
): string | undefined {
  const { snapshot, spec, outcome } = other;
  if (outcome !== 'Successful') return 'was not successful';
  if (other.undone) return 'was undone';
  if (!snapshot || snapshot.root !== job.snapshot?.root || !names.has(snapshotName(other.id))) {
    return 'has no snapshot any more';
  }
  if (destination === undefined)
    return 'wrote to a directory that is gone, or that its server does not tell from another one of its name';
  if (snapshot.destination !== destination) return 'wrote to another directory of this name';
  const differing = differingOption(job.spec.options, spec.options);
  if (differing !== undefined) return `had another ${differing}`;
  const { modifiedAfter, modifiedBefore, existing } = spec.options;
  if (modifiedAfter !== 'off' || modifiedBefore !== 'off') return 'chose files by their time';
  const leavesExisting = existing === 'skip';
  if (leavesExisting && job.spec.options.existing !== 'skip') return 'left files alone that existed';
  const counters = withPlanned(recorded, other);
  const settled = leavesExisting ? [...SETTLED, EXISTS] : SETTLED;
  if (counters.has('files.vanished') || counters.has('files.changed')) return 'had files that vanished or changed';
  const skipped = firstOf(counters, 'skipped.', settled);
  if (skipped !== undefined) return `skipped files: ${skipped}`;
  const kept = firstOf(counters, 'kept.', [GONE]);
  if (kept !== undefined || other.notDeleted !== undefined) return `did not delete all: ${kept ?? other.notDeleted}`;
  const undone = UNDONE_DIRECTORIES.find((name) => name in other.directoryWarnings);
  return undone === undefined ? undefined : `left out directories: ${undone}`;
}

/** Whether a job may have changed the job's destination after the base had begun. @param destination  which directory that is */
export function hasWritten(job: Job, other: Job, base: Job, destination: string | undefined): boolean {
  if (changesNothing(other.spec)) return false;
  const lastMs = other.undone?.atMs ?? other.endedAtMs ?? other.seenAtMs ?? Infinity;
  if (lastMs <= base.startedAtMs) return false;
  // It was refused before anything was made.
  if (other.spec.options.snapshot && !other.snapshot?.since && other.snapshot?.whole === undefined) return false;
  if (isElsewhere(other.snapshot?.destination, destination)) return false;
  // Another alias may be the same cluster.
  const at = job.roots[0]?.destination ?? '/';
  return other.roots.some(({ destination }) => isWithin(destination, at) || isWithin(at, destination));
}

/** Why it cannot be told what a job has changed that was not successful, or came after the base. */
function whyNotInChain(job: Job, other: Job, names: ReadonlySet<string>): string | undefined {
  if (other.undone) return 'it was undone';
  if (!isSameMirror(job, other)) return 'from another source, or by another name of a cluster';
  if (!other.snapshot) return 'without --snapshot';
  // A job that had begun with what changed may have gone on with everything.
  if (!other.snapshot.since || other.snapshot.whole !== undefined) return 'it looked at everything';
  const isThere = other.snapshot.root === job.snapshot?.root && names.has(snapshotName(other.id));
  return isThere ? undefined : 'its snapshot is gone';
}

function differingOption(these: JobOptions, those: JobOptions): string | undefined {
  const names = new Set([...Object.keys(these), ...Object.keys(those)]) as Set<keyof JobOptions>;
  return [...names].find((name) => !free.has(name) && JSON.stringify(these[name]) !== JSON.stringify(those[name]));
}

/** The first reason of a counter that is none of those. */
function firstOf(counters: Counters, prefix: string, but: readonly string[]): string | undefined {
  for (const [name, value] of counters) {
    if (value > 0 && name.startsWith(prefix) && !but.includes(name.slice(prefix.length)))
      return name.slice(prefix.length);
  }
  return undefined;
}

function aliasOf(location = ''): string {
  return location.slice(0, location.indexOf(':'));
}
