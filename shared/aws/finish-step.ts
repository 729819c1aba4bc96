import type { Deadline } from '../deadline.ts';
import { endingOf } from '../job/ending.ts';
import { finishDirectories } from '../finish/directories.ts';
import { isTriedAgain, sweepJob } from '../finish/sweep.ts';
import { withSmallHeap } from '../memory.ts';
import { endAccess } from './access.ts';
import { endpointsOfJob } from './endpoints.ts';
import { type FinalStatus, finalStatus } from './final-status.ts';
import { lockedPaths, type Services } from './services.ts';
import type { Job } from '../job/job.ts';
import { failedOutcome } from '../job/outcome.ts';

export interface FinishAnswer extends Partial<FinalStatus> {
  /** False: call again. */
  readonly done: boolean;
  readonly outcome?: Job['outcome'];
}

/**
 * Ends a job whose batches were all handed out. Safe to run again, and goes on where it stopped.
 * @throws IncompleteError when files are not accounted for: the job is then closed, and a retry copies on
 */
export async function finishStep(
  id: string,
  services: Services,
  owner: string,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<FinishAnswer> {
  const { store, active, lock, manifests } = services;
  const job = await store.get(id);
  if (!job) throw new Error(`no job ${id}`);
  await using endpoints = await endpointsOfJob(services, id, job.spec);
  const { source, destination } = endpoints;
  let ended = job;
  if (job.phase !== 'done') {
    const cursor = await store.finishCursor(id);
    if (!cursor) {
      await store.update(id, { phase: 'finishing' });
      await recordDeaths(job, services, owner);
      await sweepJob({ job, store, manifests, destination }, isTriedAgain, signal);
    }
    const finished = await withSmallHeap(() =>
      finishDirectories(job, source, destination, signal, () => deadline.isNear(), cursor),
    );
    if ('cursor' in finished) {
      await store.keepFinishCursor(id, finished.cursor);
      return { done: false };
    }
    const changes = endingOf(job, await store.counters(id), finished.warnings);
    await store.update(id, changes);
    await store.keepFinishCursor(id, undefined);
    ended = { ...job, ...changes };
  }
  await lock.release(id, await lockedPaths(job.roots, destination, signal));
  await endAccess(id, services);
  await active.remove(id);
  // A token that came between the two.
  await endAccess(id, services);
  return { done: true, outcome: ended.outcome, ...(await finalStatus(ended, services)) };
}

/** Units of batches whose copier died each time: failed, with what the state machine was told. */
async function recordDeaths(job: Job, { store, manifests }: Services, owner: string): Promise<void> {
  const deaths = new Map<number, string>();
  for await (const { batch, error } of store.deaths(job.id)) deaths.set(batch, error);
  if (deaths.size === 0) return;
  for await (const { batch, units } of manifests.read(job.id)) {
    const error = deaths.get(batch);
    if (error === undefined) continue;
    const reason = `its copier died each time it was tried: ${error} (look into the copy Lambda's log, then retry the job)`;
    const { done } = await store.claim(job.id, batch, owner);
    const outcomes = [...units.entries()]
      .filter(([index]) => !done.has(index))
      .map(([index, unit]) => failedOutcome(job.roots, index, unit, reason));
    await store.record(job.id, batch, owner, outcomes);
    await store.release(job.id, batch, owner);
    await store.forgetDeath(job.id, batch);
  }
}
