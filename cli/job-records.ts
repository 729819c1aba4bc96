import type { Job, JobStore } from '../shared/copy/job-store.ts';
import { SpecError } from '../shared/errors.ts';
import { openState } from '../shared/local/state.ts';

/** Where `jobs` and `status` look: this machine's store, or that of a deployment. */
export interface JobRecords {
  readonly store: Pick<JobStore, 'get' | 'list' | 'counters' | 'failures'>;
  /** Named in errors. */
  readonly place: string;
  /** What to add to a command that the reader is told to run. */
  readonly suffix: string;
}

export async function openRecords(stack: string | undefined): Promise<JobRecords> {
  if (stack !== undefined) {
    const { findDeployment } = await import('../shared/aws/deployment.ts');
    const { store } = await findDeployment(stack);
    return { store, place: `the stack ${stack}`, suffix: ` --stack ${stack}` };
  }
  const { store, directory } = openState();
  return { store, place: directory, suffix: '' };
}

/** @throws SpecError */
export async function knownJob({ store, place, suffix }: JobRecords, id: string): Promise<Job> {
  const job = await store.get(id);
  if (!job) throw new SpecError(`no job ${id} in ${place}`, `hdfs-fanout jobs${suffix} lists them`);
  return job;
}
