import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../deadline.ts';
import { sweepJob } from '../finish/sweep.ts';
import { endAccess } from './access.ts';
import { endpointsOfJob } from './endpoints.ts';
import { type FinalStatus, finalStatus } from './final-status.ts';
import { lockedPaths, type Services } from './services.ts';

export interface CloseRequest {
  /** ARN of the execution that failed, was stopped or timed out. */
  readonly execution: string;
  /** Why, in one line. */
  readonly reason: string;
}

export interface CloseAnswer extends Partial<FinalStatus> {
  /** False: copiers may still be at work; call again. */
  readonly closed: boolean;
}

const LOOK_EVERY_MS = 2000;

/**
 * Closes a job that will not come to its own end: no batch can be taken any more, copiers have stopped or passed their deadline, no
 * temporary file is left, the status says why, the lock is free. Safe to run again, by anyone at once; does nothing for an execution
 * that drives no job any more.
 */
export async function closeStep(
  { execution, reason }: CloseRequest,
  services: Services,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<CloseAnswer> {
  const { store, active, lock, manifests } = services;
  const driven = await active.drivenBy(execution);
  const job = driven && (await store.get(driven.job));
  if (!job) return { closed: true, cause: reason };
  await store.beginClosing(job.id);
  while ((await store.copiersUntilMs(job.id)) > 0) {
    if (deadline.isNear()) return { closed: false };
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  await using endpoints = await endpointsOfJob(services, job.id, job.spec);
  // One that has ended is swept: whoever closed it was killed before the last line, and its tokens may be gone.
  if (job.phase !== 'planning' && job.endedAtMs === undefined) {
    await sweepJob({ job, store, manifests, destination: endpoints.destination }, () => true, signal);
  }
  const changes = { outcome: 'Failed', endedAtMs: Date.now(), error: job.error ?? reason } as const;
  await store.update(job.id, changes);
  await lock.release(job.id, await lockedPaths(job.roots, endpoints.destination, signal));
  await endAccess(job.id, services);
  await active.remove(job.id);
  // A token that came between the two.
  await endAccess(job.id, services);
  return { closed: true, ...(await finalStatus({ ...job, ...changes }, services)) };
}
