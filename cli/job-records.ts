import { type JobStatus, jobStatus } from '../shared/job/job-status.ts';
import { printable, SpecError } from '../shared/errors.ts';
import { isHeld } from '../shared/machine/destination-lock.ts';
import { openState } from '../shared/machine/state.ts';
import type { FileLines } from '../shared/job/file-line.ts';
import type { Job } from '../shared/job/job.ts';
import type { JobStore } from '../shared/job/job-store.ts';

/** Where `jobs` and `status` look: this machine's store, or that of a deployment. */
export interface JobRecords {
  readonly store: Pick<JobStore, 'get' | 'list' | 'counters' | 'failures'>;
  /** What a report is made of beside them. @throws SpecError when the deployment is of a version that tells no bucket */
  readonly lines: () => FileLines;
  /** Whether a process of this machine, or an execution, is at work on a job. */
  readonly isRunning: (id: string) => boolean;
  /** What errors call them: `the stack HdfsFanout`, or a directory. */
  readonly name: string;
  /** Added to a command that the reader is told to run: ` --stack NAME`, or nothing. */
  readonly suffix: string;
}

/** Whose records they are, where they are those of a deployment. */
export function ofStack(stack: string): Pick<JobRecords, 'name' | 'suffix'> {
  return { name: `the stack ${stack}`, suffix: ` --stack ${stack}` };
}

export async function openRecords(stack: string | undefined): Promise<JobRecords> {
  if (stack !== undefined) {
    const { findDeployment } = await import('../shared/aws/deployment.ts');
    const { store, active, lines } = await findDeployment(stack);
    const running = new Set((await active.list()).map(({ job }) => job));
    return { store, lines, isRunning: (id) => running.has(id), ...ofStack(stack) };
  }
  const { store, directory, locks } = openState();
  return { store, lines: () => store, isRunning: (id) => isHeld(locks, id), name: directory, suffix: '' };
}

/** @throws SpecError when there is no such job */
export async function knownJob(
  { store, name, suffix }: Pick<JobRecords, 'name' | 'suffix'> & { readonly store: Pick<JobStore, 'get'> },
  id: string,
): Promise<Job> {
  const job = await store.get(id);
  if (!job) throw new SpecError(`no job ${printable(id)} in ${name}`, `hdfs-fanout jobs${suffix} lists them`);
  return job;
}

/** A job's status as it is now. Whether it runs is asked before its record is read again: it may have ended in between. */
export async function statusOf({ store, isRunning }: JobRecords, job: Job): Promise<JobStatus> {
  const running = job.outcome === undefined && isRunning(job.id);
  const now = running || job.outcome !== undefined ? job : ((await store.get(job.id)) ?? job);
  return jobStatus(now, await store.counters(job.id), running);
}
