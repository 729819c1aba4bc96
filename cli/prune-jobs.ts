import { bytesText } from '../shared/bytes.ts';
import { DestinationBusyError, printable, SpecError } from '../shared/errors.ts';
import type { Job } from '../shared/job/job.ts';
import { momentOf } from '../shared/job/moment.ts';
import { forgetJob, giveSpaceBack, type PrunableJob, prunableJobs, spaceOf } from '../shared/machine/prune.ts';
import { openState } from '../shared/machine/state.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent, printNote } from './output.ts';

interface PruneFlags {
  readonly olderThan?: string;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * `hdfs-fanout jobs prune`: removes the records of jobs that ended before a moment, or of those that are named. What has to stay is told of; where it
 * was named, nothing is removed.
 * @returns the exit code
 */
export async function pruneJobs(ids: readonly string[], flags: PruneFlags): Promise<number> {
  const { olderThan, force, dryRun, json } = flags;
  if (ids.length === 0 && olderThan === undefined)
    throw new SpecError('nothing says which jobs', 'name them, or say --older-than 30d');
  if (ids.length === 0 && force) throw new SpecError('--force is for jobs that are named', 'name them');
  const beforeMs = olderThan === undefined ? Infinity : momentOf(olderThan, Date.now());
  const state = openState();
  const all = await prunableJobs(state, new Set(force ? ids : []));
  const chosen = ids.length > 0 ? named(ids, all, state.directory) : all;
  const old = chosen.filter(({ job }) => endOf(job) < beforeMs);
  if (ids.length > 0) requireNoneKept(old);
  const before = spaceOf(state);
  let removed = 0;
  for (const { job, kept } of old) {
    const why = kept ?? (dryRun ? undefined : await whyBusy(forgetJob(state, job)));
    tell(job, why, flags);
    if (why === undefined) removed += 1;
  }
  if (dryRun) return exitCodes.success;
  const isShrunk = removed === 0 || (await giveSpaceBack(state));
  const freed = Math.max(0, before - spaceOf(state));
  if (json) printEvent('pruned', { jobs: removed, bytes: freed });
  else process.stdout.write(`${removed} ${removed === 1 ? 'job' : 'jobs'} removed, ${bytesText(freed)} freed\n`);
  if (!isShrunk) printNote('a job is running: the rest of the space is used again by later jobs');
  return exitCodes.success;
}

/** About when a job came to its end, or was killed. */
function endOf({ endedAtMs, seenAtMs, startedAtMs }: Job): number {
  return endedAtMs ?? seenAtMs ?? startedAtMs;
}

/** @throws SpecError where one of them is not there */
function named(ids: readonly string[], all: readonly PrunableJob[], directory: string): PrunableJob[] {
  return [...new Set(ids)].map((id) => {
    const found = all.find(({ job }) => job.id === id);
    if (!found) throw new SpecError(`no job ${printable(id)} in ${directory}`, 'hdfs-fanout jobs lists them');
    return found;
  });
}

function requireNoneKept(jobs: readonly PrunableJob[]): void {
  for (const { job, kept } of jobs) if (kept !== undefined) throw new SpecError(`the job ${job.id} is kept: ${kept}`);
}

/** Why a job is not removed after all: it was taken up meanwhile. */
async function whyBusy(forgetting: Promise<void>): Promise<string | undefined> {
  try {
    await forgetting;
    return undefined;
  } catch (error) {
    if (error instanceof DestinationBusyError) return 'it is running';
    throw error;
  }
}

function tell({ id }: Job, kept: string | undefined, { dryRun, json }: PruneFlags): void {
  if (json) printEvent('job', { job: id, ...(kept === undefined ? { removed: !dryRun } : { kept }) });
  else
    process.stdout.write(`${id}  ${kept === undefined ? (dryRun ? 'to be removed' : 'removed') : `kept: ${kept}`}\n`);
}
