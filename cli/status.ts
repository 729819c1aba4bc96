import { printable } from '../shared/errors.ts';
import { adviceOn } from './advice.ts';
import { exitCodes } from './exit-codes.ts';
import { type JobRecords, knownJob, openRecords, statusOf } from './job-records.ts';
import { printEvent, printStatus } from './output.ts';

interface StatusFlags {
  failures: boolean;
  limit: number;
  after?: string;
  json: boolean;
  stack?: string;
}

/** `hdfs-fanout status JOB [--failures]`. @returns the exit code that the job itself would give, or that it is still running */
export async function status(id: string, flags: StatusFlags): Promise<number> {
  const records = await openRecords(flags.stack);
  const job = await knownJob(records, id);
  if (flags.failures) return failures(records, id, flags);
  const current = await statusOf(records, job);
  printStatus(current, flags.json);
  const { message, code } = adviceOn(current, flags.stack);
  if (message !== undefined) process.stderr.write(`hdfs-fanout: ${message}\n`);
  // What comes behind `status JOB &&` is not meant for a job that nobody has run.
  return current.Outcome === 'Planned' ? exitCodes.running : code;
}

async function failures(
  { store, suffix }: JobRecords,
  id: string,
  { limit, after, json }: StatusFlags,
): Promise<number> {
  const page = await store.failures(id, limit, after);
  for (const { sequence, path, operation, host, reason, overtaken } of page) {
    if (json) printEvent('failure', { sequence, path, operation, host, reason, overtaken });
    else {
      const where = `${operation}${host ? ` on ${host}` : ''}`;
      process.stdout.write(`${printable(path)}\n    ${where}: ${printable(reason)}\n`);
    }
  }
  const last = page.at(-1);
  if (last && page.length === limit && !json) {
    // A sequence of DynamoDB's store holds a #, which can begin a comment in a shell.
    const after = /^\d+$/.test(last.sequence) ? last.sequence : `'${last.sequence}'`;
    process.stdout.write(`more: hdfs-fanout status ${id} --failures --after ${after}${suffix}\n`);
  }
  return exitCodes.success;
}
