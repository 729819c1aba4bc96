import type { JobStatus } from '../shared/job/job-status.ts';
import { messageOf } from '../shared/errors.ts';
import { exitCodes } from './exit-codes.ts';

const gone = new AbortController();
/** Aborted when nobody reads stdout any more (`| head`): a command that only shows something may stop. */
export const readerGone: AbortSignal = gone.signal;

/**
 * Keeps an output that cannot be written from ending the process. A reader that went away is no error, and a copy goes on without it;
 * on a full disk the command says so once, and does not end with 0. Nobody can be told that stderr is gone.
 */
export function guardOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (gone.signal.aborted) return;
    gone.abort();
    if (error.code === 'EPIPE') return;
    process.stderr.write(`hdfs-fanout: cannot write to stdout: ${messageOf(error)}\n`);
    process.on('exit', (code) => (process.exitCode = code === 0 ? exitCodes.stopped : code));
  });
}

/** With `--json` every line of stdout is one object with a `type`; otherwise stdout holds what pydistcp printed there. */
export function printEvent(type: string, event: object): void {
  process.stdout.write(`${JSON.stringify({ type, ...event })}\n`);
}

export function printStatus(status: JobStatus, json: boolean): void {
  if (json) printEvent('status', status);
  else process.stdout.write(`Job Status:\n${JSON.stringify(status, undefined, 2)}\n`);
}

/** What a command is doing, where it might seem to do nothing. */
export function printNote(message: string): void {
  process.stderr.write(`hdfs-fanout: ${message}\n`);
}

/** Of a job that has ended or waits. @param failed  whether that is an error */
export function printAdvice(message: string | undefined, failed: boolean, json: boolean): void {
  if (message === undefined) return;
  if (failed) printError(message, json);
  else printNote(message);
}

export function printError(message: string, json: boolean): void {
  if (json) printEvent('error', { message });
  process.stderr.write(`hdfs-fanout: ${message}\n`);
}
