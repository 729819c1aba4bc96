// What hdfs-fanout tells with --silent.
import type { JobStatus } from '../shared/job/job-status.ts';

const head = 'Job Status:\n';

/** With `--json` each file would be a line as well, and printing a hundred thousand lines be measured. */
export const jobStatusIn = (stdout: string): JobStatus => {
  const at = stdout.indexOf(head);
  if (at < 0) throw new Error(`no Job Status in: ${stdout}`);
  return JSON.parse(stdout.slice(at + head.length)) as JobStatus;
};
