import { jobStatus } from '../shared/copy/job-status.ts';
import { printable } from '../shared/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { type JobRecords, knownJob, openRecords } from './job-records.ts';
import { printEvent, printStatus } from './output.ts';

interface StatusFlags {
  failures: boolean;
  limit: number;
  after?: string;
  json: boolean;
  stack?: string;
}

/** `hdfs-fanout status JOB [--failures]`. @returns the exit code that the job itself would give */
export async function status(id: string, flags: StatusFlags): Promise<number> {
  const records = await openRecords(flags.stack);
  const job = await knownJob(records, id);
  if (flags.failures) return failures(records, id, flags);
  const current = jobStatus(job, await records.store.counters(id));
  printStatus(current, flags.json);
  if (current.Outcome === 'Successful') return exitCodes.success;
  return job.phase === 'done' ? exitCodes.someFailed : exitCodes.stopped;
}

async function failures(
  { store, suffix }: JobRecords,
  id: string,
  { limit, after, json }: StatusFlags,
): Promise<number> {
  const page = await store.failures(id, limit, after);
  for (const { sequence, path, operation, host, reason } of page) {
    if (json) printEvent('failure', { sequence, path, operation, host, reason });
    else process.stdout.write(`${printable(path)}\n    ${operation}${host ? ` on ${host}` : ''}: ${reason}\n`);
  }
  const last = page.at(-1);
  if (last && page.length === limit && !json) {
    // A mark of DynamoDB's store holds a # which begins a comment in a shell when it comes first.
    const after = /^\d+$/.test(last.sequence) ? last.sequence : `'${last.sequence}'`;
    process.stdout.write(`more: hdfs-fanout status ${id} --failures --after ${after}${suffix}\n`);
  }
  return exitCodes.success;
}
