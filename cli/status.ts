import { jobStatus } from '../shared/copy/job-status.ts';
import { printable } from '../shared/errors.ts';
import { openState } from '../shared/local/state.ts';
import { knownJob } from './copy.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent, printStatus } from './output.ts';

interface StatusFlags {
  failures: boolean;
  limit: number;
  after: number;
  json: boolean;
}

/** `hdfs-fanout status JOB [--failures]`. @returns the exit code that the job itself would give */
export async function status(id: string, flags: StatusFlags): Promise<number> {
  const state = openState();
  const job = await knownJob(state, id);
  if (flags.failures) return failures(id, flags);
  const current = jobStatus(job, await state.store.counters(id));
  printStatus(current, flags.json);
  if (current.Outcome === 'Successful') return exitCodes.success;
  return job.phase === 'done' ? exitCodes.someFailed : exitCodes.stopped;
}

async function failures(id: string, { limit, after, json }: StatusFlags): Promise<number> {
  const { store } = openState();
  const page = await store.failures(id, limit, after);
  for (const { sequence, path, operation, host, reason } of page) {
    if (json) printEvent('failure', { sequence, path, operation, host, reason });
    else process.stdout.write(`${printable(path)}\n    ${operation}${host ? ` on ${host}` : ''}: ${reason}\n`);
  }
  const last = page.at(-1);
  if (last && page.length === limit && !json) {
    process.stdout.write(`more: hdfs-fanout status ${id} --failures --after ${last.sequence}\n`);
  }
  return exitCodes.success;
}
