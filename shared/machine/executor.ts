import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Log } from '../log.ts';
import { withSmallHeap } from '../memory.ts';
import { assemble } from '../copy/assemble.ts';
import { copyBatch } from '../copy/copier.ts';
import { Pool, TICK_MS } from '../copy/pool.ts';
import { finish, forgetLosses } from '../finish/finish.ts';
import { batchRecords, isFinished } from '../job/claimed-batches.ts';
import type { Progress } from '../copy/progress.ts';
import { threadsOf } from '../job/threads.ts';
import { NamesOnDisk } from './name-set.ts';
import type { State } from './state.ts';
import type { Batch } from '../job/unit.ts';
import { type Job, noLosses } from '../job/job.ts';
import type { UnitOutcome } from '../job/outcome.ts';
import { plan } from '../plan/plan.ts';

/** Transfers at once when neither the options nor a cluster say. */
const DEFAULT_THREADS = 10;
/** With `auto`, the most where no cluster says. */
const AUTO_MOST = 256;
/** An SQLite transaction costs a millisecond. */
const RECORD_EVERY_MS = 250;
const SEEN_EVERY_MS = 10_000;

export interface Execution {
  readonly state: State;
  readonly source: Storage;
  readonly destination: Storage;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onOutcome: (batch: Batch, outcome: UnitOutcome) => void;
}

/**
 * Runs a job in this process from wherever it stands to its final status. Ends with everything of it at rest.
 * @throws IncompleteError when files are not accounted for: the job is then to be copied on, not finished
 */
export async function execute(job: Job, execution: Execution): Promise<Job> {
  const { store } = execution.state;
  let current = job;
  const advance = async (changes: Partial<Job>) => {
    current = { ...current, ...changes };
    await store.update(job.id, changes);
  };
  // A record that cannot be written now is told by the next that has to be.
  const seen = setInterval(() => void advance({ seenAtMs: Date.now() }).catch(() => undefined), SEEN_EVERY_MS);
  try {
    await advance({ error: undefined, endedAtMs: undefined, outcome: undefined, ...noLosses });
    await forgetLosses(job.id, store);
    if (current.phase === 'planning') await advance(await withSmallHeap(() => planJob(current, execution)));
    if (current.phase === 'copying') await copyJob(current, execution);
    return await finishJob(current, execution);
  } catch (error) {
    const ending = execution.signal.aborted
      ? ({ outcome: 'Interrupted', error: 'interrupted' } as const)
      : ({ outcome: 'Failed', error: messageOf(error) } as const);
    await advance({ ...ending, endedAtMs: Date.now() });
    throw error;
  } finally {
    clearInterval(seen);
  }
}

async function planJob(job: Job, { state, source, destination, signal, progress }: Execution): Promise<Partial<Job>> {
  const manifest = await state.manifests.create(job.id);
  progress.planning = true;
  try {
    const { roots, spec } = job;
    const { options } = spec;
    const emit = async (batch: Batch) => {
      progress.expectedFiles += batch.units.filter(({ kind }) => kind === 'file').length;
      await manifest.append(batch);
    };
    using names = new NamesOnDisk();
    const expected = await plan({ source, destination, roots, options, signal, emit, names, makeDirectories: true });
    await manifest.close();
    const { files, bytes, split, notSplit } = expected;
    return { phase: 'copying', expectedFiles: files, expectedBytes: bytes, split, notSplit };
  } catch (error) {
    await manifest.discard();
    throw error;
  } finally {
    progress.planning = false;
  }
}

async function copyJob(job: Job, execution: Execution): Promise<void> {
  const { state, source, destination, progress, log, signal, onOutcome } = execution;
  const counters = await state.store.counters(job.id);
  progress.expectedFiles = job.expectedFiles;
  progress.expectedBytes = job.expectedBytes;
  const count = (name: string) => counters.get(name) ?? 0;
  progress.bytes = count('bytes.copied') + count('bytes.skipped') + count('bytes.failed') + count('chunks.bytes');
  progress.complete = count('files.copied') + count('files.skipped');
  progress.failed = count('files.failed');
  const threads = threadsOf(job, source, destination, DEFAULT_THREADS, AUTO_MOST);
  let wake: () => void = () => undefined;
  const loads = [source.load, destination.load];
  const pool = new Pool(threads, { loads, progress, log, onMore: () => wake() });
  const tick = setInterval(() => pool.tick(), TICK_MS);
  const stop = new AbortController();
  const copier = {
    job,
    source,
    destination,
    store: state.store,
    owner: newOwner(),
    progress,
    log,
    signal: AbortSignal.any([signal, stop.signal]),
    onOutcome,
    recordEveryMs: RECORD_EVERY_MS,
    limit: <T>(transfer: () => Promise<T>) => pool.run(transfer).finally(() => wake()),
  };
  const running = new Set<Promise<void>>();
  let isFirst = true;
  try {
    for await (const record of batchRecords(job.id, state)) {
      // Claimed again, a finished batch would be swept again, name by name.
      if (isFinished(record)) continue;
      // What is copied now changes directories whose attributes an earlier finish has set.
      if (isFirst) await state.store.keepFinishCursor(job.id, undefined);
      isFirst = false;
      // The next batch is opened when the open ones leave transfers idle, so that one slow file does not hold up others.
      while (!copier.signal.aborted && (pool.waiting >= pool.limit || running.size >= pool.limit)) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (copier.signal.aborted) break;
      const copying = copyBatch(copier, record.line).then(
        () => undefined,
        (error: unknown) => stop.abort(error),
      );
      running.add(copying);
      void copying.finally(() => {
        running.delete(copying);
        wake();
      });
      // Lets the batch claim its units and fill the pool before the next is looked at.
      await Promise.race([copying, new Promise((resolve) => setImmediate(resolve))]);
    }
  } catch (error) {
    // Nothing of the job is on its way any more when this ends, whatever ends it.
    stop.abort(error);
  }
  await Promise.all(running);
  clearInterval(tick);
  await state.store.update(job.id, { transfers: pool.told });
  copier.signal.throwIfAborted();
}

async function finishJob(
  job: Job,
  { state, source, destination, progress, log, signal, onOutcome }: Execution,
): Promise<Job> {
  const { store, manifests } = state;
  const owner = newOwner();
  const context = { job, source, destination, store, owner, progress, log };
  const ended = await finish({
    job,
    source,
    destination,
    store,
    manifests,
    deaths: undefined,
    owner,
    assemble: (batch, index, unit, claim, both) => assemble({ ...context, signal: both }, batch, index, unit, claim),
    onOutcome: (batch, outcome) => {
      progress.settle(outcome);
      onOutcome(batch, outcome);
    },
    log,
    signal,
    isOver: () => false,
  });
  if (!ended) throw new Error('finishing stopped although nothing told it to');
  // Nothing is left to resume or to sweep.
  if (ended.outcome === 'Successful') await manifests.remove(job.id);
  return ended;
}

/** Of this process and this piece of work alone. */
function newOwner(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}
