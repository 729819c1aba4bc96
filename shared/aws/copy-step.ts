import { copyBatch, type Left } from '../copy/copier.ts';
import { Pool, TICK_MS } from '../copy/pool.ts';
import type { Deadline } from '../deadline.ts';
import { Progress } from '../copy/progress.ts';
import { threadsOf } from '../job/threads.ts';
import { FanoutError, JobClosedError, SupersededError } from '../errors.ts';
import { endpointsOfJob } from './endpoints.ts';
import type { Services } from './services.ts';
import type { Job } from '../job/job.ts';
import type { UnitOutcome } from '../job/outcome.ts';
import type { AnyBatch, Batch } from '../job/unit.ts';
import type { CompareUnit } from '../verify/compare-unit.ts';
import { verifyBatch } from '../verify/verify-batch.ts';

/** How soon a change of the transfers at once is seen, ms. */
const LOOK_EVERY_MS = 5000;

export interface CopyRequest {
  readonly job: string;
  readonly batch: Batch;
  /** The answer before this one, when the batch takes several invocations. */
  readonly progress?: Left;
}

/** A transaction is four to six milliseconds and as many write units as it has items. */
const RECORD_EVERY_MS = 2000;
/** How soon a copier stops that has lost its batch, ms. */
const WATCH_EVERY_MS = 2000;

/**
 * Copies a batch, or compares one of a job that verifies: as much of it as there is time for.
 * @param owner  of this invocation alone
 * @throws SupersededError, JobClosedError, TooManyFailuresError and other errors of the job as a whole
 */
export async function copyStep(
  { job: id, batch, progress: before }: CopyRequest,
  services: Services,
  transfers: number,
  owner: string,
  deadline: Deadline,
): Promise<Left> {
  const { store, log } = services;
  const job = await store.get(id);
  if (!job) throw new JobClosedError(id);
  await using endpoints = await endpointsOfJob(services, id, job.spec);
  const { source, destination } = endpoints;
  const progress = new Progress();
  progress.failed = (await store.counters(id)).get('files.failed') ?? 0;
  const atOnceOf = (of: Job) => Math.min(transfers, threadsOf(of, source, destination, transfers).most);
  const first = atOnceOf(job);
  // Many copiers share the clusters, and none sees what the others yield: each only makes do with less when a cluster is busy.
  const threads = (atOnce: number) => ({ first: atOnce, most: atOnce, isAuto: false });
  const pool = new Pool(threads(first), { loads: [source.load, destination.load], progress, log });
  const tick = setInterval(() => pool.tick(), TICK_MS);
  let asked = first;
  const look = async () => {
    const now = await store.get(id);
    const atOnce = now ? atOnceOf(now) : asked;
    if (atOnce === asked) return;
    asked = atOnce;
    pool.turnTo(threads(atOnce));
  };
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  const lines = services.lines.writer(id, `${batch.batch}.${owner}`, log);
  const lost = new AbortController();
  const watch = setInterval(() => {
    store.requireOwner(id, batch.batch, owner).catch((error: unknown) => lost.abort(error));
  }, WATCH_EVERY_MS);
  try {
    const copier = {
      job,
      source,
      destination,
      store,
      owner,
      progress,
      log,
      signal: lost.signal,
      heldUp: (withinMs: number) => endpoints.limits.heldUp(withinMs),
      onOutcome: (_: Batch, outcome: UnitOutcome) => lines.add(outcome),
      recordEveryMs: RECORD_EVERY_MS,
      limit: <T>(transfer: () => Promise<T>) => pool.run(transfer),
    };
    if (!job.spec.verify) return await copyBatch(copier, batch, deadline, before?.cut);
    // A manifest is all of one kind.
    return await verifyBatch(copier, batch as unknown as AnyBatch<CompareUnit>, deadline, before?.cut);
  } catch (error) {
    // The state machine passes on that a child failed, not why.
    if (error instanceof FanoutError && !(error instanceof SupersededError)) {
      await store.update(id, { error: error.message });
    }
    throw error;
  } finally {
    clearInterval(tick);
    clearInterval(looking);
    clearInterval(watch);
    await lines.flush();
    await store.release(id, batch.batch, owner);
  }
}
