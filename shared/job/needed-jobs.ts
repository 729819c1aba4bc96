import { type EarlierJob, hasWritten, isSameMirror, lookOf } from './base.ts';
import type { Job } from './job.ts';
import { snapshotName } from './snapshot.ts';

/**
 * Jobs that the next job of a mirror with snapshots has to know: the one that it goes on from, later ones of the mirror, and whatever else may have
 * written to its destination since, without whose record it would take for unchanged what they have changed.
 *
 * @param jobs  all that are known; counters may be left out of jobs without a snapshot
 */
export function jobsOfMirrors(jobs: readonly EarlierJob[]): ReadonlySet<string> {
  const newestFirst = jobs.toSorted((a, b) => b.job.startedAtMs - a.job.startedAtMs);
  const isMirror = ({ job }: EarlierJob) => job.snapshot !== undefined && job.outcome === 'Successful';
  const newest: Job[] = [];
  for (const { job } of newestFirst.filter(isMirror))
    if (!newest.some((other) => isSameMirror(job, other))) newest.push(job);
  const needed = new Set<string>();
  for (const last of newest) {
    const base = baseOf(last, newestFirst);
    for (const { job } of jobs) {
      const isLater = job.snapshot && isSameMirror(last, job) && job.startedAtMs >= base.startedAtMs;
      if (isLater || hasWritten(last, job, base, last.snapshot?.destination)) needed.add(job.id);
    }
  }
  return needed;
}

/** What a job that follows this one goes on from, by the records alone: the oldest one, where older snapshots could not be dropped. */
function baseOf(last: Job, newestFirst: readonly EarlierJob[]): Job {
  const mirror = newestFirst.filter(({ job }) => job.snapshot && isSameMirror(last, job)).map(({ job }) => job);
  if (last.snapshot?.undropped !== undefined) return mirror.at(-1) ?? last;
  const names = new Set(mirror.toReversed().map(({ id }) => snapshotName(id)));
  const look = lookOf(last, newestFirst, names, last.snapshot?.destination);
  const base = 'base' in look ? mirror.find(({ id }) => snapshotName(id) === look.base) : undefined;
  return base ?? last;
}
