import { FanoutError, messageOf } from '../errors.ts';
import { type EarlierJob, isSameMirror, type Look, lookOf } from '../job/base.ts';
import type { Job } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import { jobOfSnapshot, snapshotName } from '../job/snapshot.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';

/** Snapshots of one mirror that are kept while no run of it is complete: HDFS has room for 65,536, and each holds blocks. */
const MOST_KEPT = 64;
/** Of which a person is told. */
const MANY_KEPT = 10;

/** A job, and what is asked about its snapshots. */
interface Dropping {
  readonly job: Job;
  readonly source: Storage;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Drops the snapshots of earlier jobs of a mirror once a job has succeeded, but for those that the next one goes on from: where this one is no base,
 * as it skipped a file that was open, that is an older one, with all since. Where these have become too many they are dropped too, and the next job looks
 * at everything. That of a plan that waits stays. One that cannot be dropped is a warning, kept with the job: the next job tries again.
 */
export async function dropOlderSnapshots(
  { job, source, log, signal }: Dropping,
  store: Pick<JobStore, 'get' | 'update' | 'counters'>,
  most = MOST_KEPT,
): Promise<void> {
  const { snapshot } = job;
  const { snapshots } = source;
  if (!snapshot || !snapshots || job.outcome !== 'Successful') return;
  let undropped: string | undefined;
  const warn = (error: unknown) => {
    if (signal.aborted || !(error instanceof FanoutError)) throw error;
    undropped = messageOf(error);
    log.warn({ error: undropped }, 'an older snapshot of the mirror is still there');
  };
  try {
    const names = await snapshots.names(snapshot.root, signal);
    const jobs: EarlierJob[] = [];
    for (const name of names) {
      const id = jobOfSnapshot(name);
      const other = id === undefined ? undefined : await store.get(id);
      if (other && isSameMirror(job, other)) jobs.push({ job: other, counters: await store.counters(other.id) });
    }
    const known = new Set(jobs.map((other) => snapshotName(other.job.id)));
    const look = lookOf(job, jobs, known, snapshot.destination);
    const needed = new Set('since' in look ? look.since : []);
    if (needed.size > MANY_KEPT || needed.size > most) {
      undropped = keptText(needed.size, look, most);
      log.warn({ kept: needed.size }, undropped);
    }
    if (needed.size > most) needed.clear();
    for (const { job: other } of jobs) {
      const name = snapshotName(other.id);
      // A plan that waits is of its snapshot.
      const isWaiting = other.phase === 'planned' && other.outcome === undefined;
      if (other.startedAtMs >= job.startedAtMs || needed.has(name) || isWaiting) continue;
      await snapshots.drop(snapshot.root, name, signal).catch(warn);
    }
  } catch (error) {
    warn(error);
  }
  if (undropped !== snapshot.undropped) await store.update(job.id, { snapshot: { ...snapshot, undropped } });
}

function keptText(kept: number, look: Look, most: number): string {
  const since = `${kept} are needed since ${'base' in look ? look.base : ''}, the last run that copied every file`;
  const remedy =
    'a file that was open was skipped in each since: have its writer close it, or leave it out (--exclude)';
  const then = kept > most ? 'they are dropped, and the next run looks at everything' : `over ${most} are dropped`;
  return `${since}: ${remedy}; ${then}`;
}

/**
 * Drops the snapshot of a job that will not be resumed, unless it is the base of the next one. One that cannot be dropped is a warning.
 * @returns why it is still there
 */
export async function dropOwnSnapshot({ job, source, log, signal }: Dropping): Promise<string | undefined> {
  const { snapshots } = source;
  const [root] = job.roots;
  if (!snapshots || !root || !job.spec.options.snapshot || job.outcome === 'Successful') return undefined;
  try {
    // A job that died as it made its snapshot has no record of it.
    const top = job.snapshot?.root ?? (await snapshots.rootOf(root.source, signal));
    if (top !== undefined) await snapshots.drop(top, snapshotName(job.id), signal);
    return undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof FanoutError)) throw error;
    log.warn({ error: error.message }, "the job's snapshot is still there");
    return error.message;
  }
}
