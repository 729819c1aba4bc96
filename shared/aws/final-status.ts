import { type JobStatus, jobStatus } from '../job/job-status.ts';
import type { Services } from './services.ts';
import type { Job } from '../job/job.ts';
import { changesNothing } from '../job/spec.ts';

/** A failed execution's cause holds 32,768 characters: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
const CAUSE_LENGTH = 30_000;
const EXAMPLES = 5;

export interface FinalStatus {
  readonly status: JobStatus;
  /** For the state machine's Fail state: JSON of the counts, what to do, and the first failures. */
  readonly cause: string;
}

export async function finalStatus(job: Job, { store }: Pick<Services, 'store'>): Promise<FinalStatus> {
  const status = jobStatus(job, await store.counters(job.id));
  const { 'Directories Not Preserved': directories, ...counts } = status;
  const firstFailures = await store.failures(job.id, EXAMPLES);
  const summary = {
    message: job.error ?? failedOf(status),
    next: nextOf(job),
    status: counts,
    firstFailures: firstFailures.map(({ path, operation, host, reason }) => ({ path, operation, host, reason })),
  };
  const cause = JSON.stringify(summary);
  if (cause.length <= CAUSE_LENGTH) return { status, cause };
  const { 'Warning Reasons': reasons, ...short } = counts;
  return { status, cause: JSON.stringify({ ...summary, status: short, firstFailures: [] }) };
}

/** What only looked is started anew: there is nothing to retry. */
function nextOf({ id, spec, phase }: Job): string {
  if (!changesNothing(spec)) return `hdfs-fanout status ${id} --failures, then hdfs-fanout retry ${id}`;
  return phase === 'done' ? `hdfs-fanout status ${id} --report FILE` : 'start it anew';
}

function failedOf(status: JobStatus): string {
  const files = `${status['Files Failed']} of ${status['Files Expected']} files failed`;
  const deletions = status['Deletes Failed'] ?? 0;
  if (deletions === 0) return files;
  return `${status['Files Failed'] > 0 ? `${files}, ` : ''}${deletions} deletions failed`;
}
