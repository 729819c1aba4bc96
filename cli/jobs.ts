import { jobStatus } from '../shared/copy/job-status.ts';
import { exitCodes } from './exit-codes.ts';
import { openRecords } from './job-records.ts';
import { printEvent } from './output.ts';

/** `hdfs-fanout jobs`: newest first. */
export async function jobs(flags: { limit: number; json: boolean; stack?: string }): Promise<number> {
  const { store } = await openRecords(flags.stack);
  for (const job of await store.list(flags.limit)) {
    const status = jobStatus(job, await store.counters(job.id));
    if (flags.json) printEvent('status', status);
    else {
      const state = job.phase === 'done' ? status.Outcome : (job.error ?? job.phase);
      const { source, destination } = job.spec;
      process.stdout.write(`${job.id}  ${state.padEnd(11)}  ${source.join(' ')} -> ${destination}\n`);
    }
  }
  return exitCodes.success;
}
