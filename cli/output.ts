import type { JobStatus } from '../shared/copy/job-status.ts';

/** With `--json` every line of stdout is one object with a `type`; otherwise stdout holds what pydistcp printed there. */
export function printEvent(type: string, event: object): void {
  process.stdout.write(`${JSON.stringify({ type, ...event })}\n`);
}

export function printStatus(status: JobStatus, json: boolean): void {
  if (json) printEvent('status', status);
  else process.stdout.write(`Job Status:\n${JSON.stringify(status, undefined, 2)}\n`);
}

export function printError(message: string, json: boolean): void {
  if (json) printEvent('error', { message });
  process.stderr.write(`hdfs-fanout: ${message}\n`);
}
