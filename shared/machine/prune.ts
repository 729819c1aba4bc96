import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EarlierJob } from '../job/base.ts';
import { isCleaned } from '../job/cleaned.ts';
import type { Job } from '../job/job.ts';
import { jobsOfMirrors } from '../job/needed-jobs.ts';
import { DestinationLock, isHeld } from './destination-lock.ts';
import type { State } from './state.ts';
import { forgetRecords } from './undo-records.ts';
import { typeChangesOf } from './type-changes.ts';

/** All jobs of a machine, each with why its records have to stay; undefined where they need not. */
export interface PrunableJob {
  readonly job: Job;
  readonly kept: string | undefined;
}

/** @param forced  jobs that need not have ended */
export async function prunableJobs(state: State, forced: ReadonlySet<string>): Promise<readonly PrunableJob[]> {
  const { store } = state;
  const jobs: EarlierJob[] = [];
  for (const job of await store.list(Number.MAX_SAFE_INTEGER))
    jobs.push({ job, counters: job.snapshot ? await store.counters(job.id) : new Map() });
  const needed = jobsOfMirrors(jobs);
  return jobs.map(({ job }) => ({ job, kept: whyKept(job, state, needed, forced.has(job.id)) }));
}

function whyKept(
  job: Job,
  { store, manifests, locks }: State,
  needed: ReadonlySet<string>,
  isForced: boolean,
): string | undefined {
  const { id, phase, outcome, spec } = job;
  if (isHeld(locks, id)) return 'it is running';
  const hasEnded = outcome === 'Successful' || outcome === 'Failed';
  const isBegun = phase === 'copying' || phase === 'finishing';
  const hasSnapshot = spec.options.snapshot && outcome !== 'Successful' && !isCleaned(job);
  if (isBegun || store.hasPieces(id) || hasSnapshot)
    return `it may have left temporary files or a snapshot: hdfs-fanout clean ${id} deletes them`;
  const { backupDir } = spec.options;
  if (backupDir !== '' && manifests.has(id) && job.undone?.isWhole !== true)
    return `an undo would put back what it keeps in ${backupDir}/${id}: hdfs-fanout clean ${id} gives that up`;
  if (needed.has(id)) return 'the next job of a mirror has to know of it';
  return hasEnded || isForced ? undefined : `it has not ended: hdfs-fanout jobs prune --force ${id} removes it`;
}

/** Removes all that this machine keeps of a job. @throws DestinationBusyError where it was resumed meanwhile */
export async function forgetJob(state: State, { id }: Job): Promise<void> {
  const { store, lists, locks } = state;
  const lock = DestinationLock.acquire(locks, id, []);
  try {
    // What is cut off here is seen by the record, which goes last, and is removed the next time.
    await forgetRecords(id, state);
    await lists.remove(id);
    await lists.remove(typeChangesOf(id));
    await store.forget(id);
  } finally {
    lock.release();
  }
}

/** Gives the space of jobs that were removed back to the disk, unless a job runs, which would have to wait. @returns whether it did */
export async function giveSpaceBack({ store, locks }: State): Promise<boolean> {
  const all = await store.list(Number.MAX_SAFE_INTEGER);
  if (all.some(({ id }) => isHeld(locks, id))) return false;
  store.shrink();
  return true;
}

/** What this machine's jobs take of the disk, bytes. */
export function spaceOf({ directory }: Pick<State, 'directory'>): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}
