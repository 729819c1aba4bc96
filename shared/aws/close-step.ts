import { setTimeout as sleep } from 'node:timers/promises';
import { Checkpoint } from '../checkpoint.ts';
import type { Deadline } from '../deadline.ts';
import { sweep, type SweepPosition, sweepStart } from '../finish/sweep.ts';
import type { Job } from '../job/job.ts';
import { changesNothing } from '../job/spec.ts';
import { withSmallHeap } from '../memory.ts';
import { endJob } from './end-job.ts';
import { endpointsOfJob } from './endpoints.ts';
import type { FinalStatus } from './final-status.ts';
import { manifestsOf } from './second-manifest.ts';
import type { Services } from './services.ts';

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

/** How far the closing of a job has come. Plain JSON. */
type CloseCursor =
  /** Batches are taken from their copiers, from `next` on; before it some may still be at work. */
  | { readonly phase: 'revoke'; readonly next: number; readonly atWork: readonly number[] }
  | { readonly phase: 'wait'; readonly atWork: readonly number[] }
  | { readonly phase: 'sweep'; readonly at: SweepPosition }
  | { readonly phase: 'status' };

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
  const { store, active } = services;
  const driven = await active.drivenBy(execution);
  if (!driven || !(await store.get(driven.job))) return { closed: true, cause: reason };
  await store.closing.begin(driven.job);
  // As no finish can change it any more.
  const job = await store.get(driven.job);
  if (!job) return { closed: true, cause: reason };
  const begin: CloseCursor = { phase: 'revoke', next: 0, atWork: [] };
  let cursor = ((await store.closeCursor(job.id)) as CloseCursor | undefined) ?? begin;
  const keep = (at: CloseCursor) => store.keepCloseCursor(job.id, at);
  const isOver = () => deadline.isNear();
  while (cursor.phase === 'revoke' || cursor.phase === 'wait') {
    cursor = await revoke(cursor, job, services, isOver, new Checkpoint(keep), signal);
    await keep(cursor);
    if (deadline.isNear()) return { closed: false };
  }
  await using endpoints = await endpointsOfJob(services, job.id, job.spec);
  const { destination } = endpoints;
  while (cursor.phase === 'sweep') {
    const sweeping = { job, destination, store, manifests: manifestsOf(job, services.manifests), signal, isOver };
    const checkpoint = new Checkpoint<SweepPosition>((at) => keep({ phase: 'sweep', at }));
    const from: SweepPosition = cursor.at;
    const at: SweepPosition | undefined = await withSmallHeap(() => sweep(sweeping, () => true, from, checkpoint));
    cursor = at ? { phase: 'sweep', at } : { phase: 'status' };
    await keep(cursor);
    if (deadline.isNear()) return { closed: false };
  }
  // It had ended well before its execution did not: what is left is to let go of what the deployment holds for it.
  if (job.outcome === 'Successful') return { closed: true, ...(await endJob(job, destination, services, signal)) };
  const changes = { outcome: 'Failed', endedAtMs: Date.now(), error: job.error ?? reason } as const;
  await store.endClosing(job.id, changes);
  return { closed: true, ...(await endJob({ ...job, ...changes }, destination, services, signal)) };
}

/** Takes batches from their copiers until all are taken or the time is over, and waits for copiers. @returns where to go on */
async function revoke(
  cursor: Extract<CloseCursor, { phase: 'revoke' | 'wait' }>,
  job: Job,
  { store }: Services,
  isOver: () => boolean,
  checkpoint: Checkpoint<CloseCursor>,
  signal: AbortSignal,
): Promise<CloseCursor> {
  if (cursor.phase === 'revoke') {
    let { atWork } = cursor;
    for await (const revoked of store.closing.revoke(job.id, cursor.next, signal)) {
      atWork = [...atWork, ...revoked.atWork];
      const at = { phase: 'revoke', next: revoked.next, atWork } as const;
      if (isOver()) return at;
      if (checkpoint.isDue) await checkpoint.keep(at);
    }
    return { phase: 'wait', atWork };
  }
  const atWork = await store.closing.stillAtWork(job.id, cursor.atWork, signal);
  if (atWork.length > 0) {
    if (!isOver()) await sleep(LOOK_EVERY_MS, undefined, { signal });
    return { phase: 'wait', atWork };
  }
  // One that has ended was swept: whoever closed it was killed before the last line, and its tokens may be gone.
  const isSwept = job.phase === 'planning' || job.endedAtMs !== undefined || changesNothing(job.spec);
  return isSwept ? { phase: 'status' } : { phase: 'sweep', at: sweepStart };
}
