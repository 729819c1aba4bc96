import { sweepJob } from '../shared/copy/sweep.ts';
import { join } from '../shared/hdfs/path.ts';
import { DestinationLock } from '../shared/local/destination-lock.ts';
import { openState } from '../shared/local/state.ts';
import { silentLog } from '../shared/log.ts';
import { openEnds } from './clusters.ts';
import { knownJob, openRecords } from './job-records.ts';
import { exitCodes } from './exit-codes.ts';

/** `hdfs-fanout clean JOB`: deletes by name what a job that will not be resumed may have left, and closes it. */
export async function clean(id: string, flags: { conf?: string }): Promise<number> {
  const state = openState();
  const job = await knownJob(await openRecords(undefined), id);
  const { source, destination } = openEnds(job.spec, flags.conf, silentLog);
  const lock = DestinationLock.acquire(join(state.directory, 'locks'), id, []);
  try {
    if (state.manifests.has(id)) {
      const { store, manifests } = state;
      await sweepJob({ job, store, manifests, destination }, () => true, new AbortController().signal);
    }
    await state.manifests.remove(id);
    if (job.phase !== 'done') {
      await state.store.update(id, { phase: 'done', outcome: 'Failed', error: 'cleaned: it cannot be resumed' });
    }
  } finally {
    lock.release();
    await source.close();
    await destination.close();
  }
  process.stdout.write(`${id} is clean: no temporary file of it is left\n`);
  return exitCodes.success;
}
