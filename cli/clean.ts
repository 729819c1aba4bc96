import { sweep, sweepStart } from '../shared/finish/sweep.ts';
import { deletesOf } from '../shared/job/deletion.ts';
import { sweepChunks } from '../shared/finish/sweep-chunks.ts';
import { DestinationLock } from '../shared/machine/destination-lock.ts';
import { openState } from '../shared/machine/state.ts';
import { silentLog } from '../shared/log.ts';
import { endpointsOf } from './clusters.ts';
import { interruptSignal } from './interrupt.ts';
import { knownJob, openRecords } from './job-records.ts';
import { exitCodes } from './exit-codes.ts';
import { printError } from './output.ts';

/** `hdfs-fanout clean JOB`: deletes by name what a job that will not be resumed may have left, and closes it. */
export async function clean(id: string, flags: { conf?: string }): Promise<number> {
  const interrupt = interruptSignal();
  const state = openState();
  const known = await knownJob(await openRecords(undefined), id);
  await using endpoints = await endpointsOf(known.spec, flags.conf, silentLog);
  const { destination } = endpoints;
  const lock = DestinationLock.acquire(state.locks, id, []);
  try {
    // As it is now that no resume can change it any more.
    const job = (await state.store.get(id)) ?? known;
    if (state.manifests.has(id)) {
      const { store, manifests } = state;
      const isOver = () => false;
      await sweep({ job, store, manifests, destination, signal: interrupt, isOver }, () => true, sweepStart);
      await sweepChunks({ job, manifests, destination, signal: interrupt });
    }
    await state.manifests.remove(id);
    await state.manifests.remove(deletesOf(id));
    await state.store.keepFinishCursor(id, undefined);
    if (job.phase !== 'done') {
      const cleaned = { phase: 'done', outcome: 'Failed', error: 'cleaned: it cannot be resumed' } as const;
      await state.store.update(id, { ...cleaned, endedAtMs: job.endedAtMs ?? job.seenAtMs ?? job.startedAtMs });
    }
  } catch (error) {
    if (!interrupt.aborted) throw error;
    printError(`interrupted; go on with: hdfs-fanout clean ${id}`, false);
    return exitCodes.interrupted;
  } finally {
    lock.release();
  }
  process.stdout.write(`${id} is clean: no temporary file of it is left\n`);
  return exitCodes.success;
}
