import { isDeepStrictEqual } from 'node:util';
import { copyBatch, type Copier } from '../copy/copier.ts';
import { Pool, TICK_MS } from '../copy/pool.ts';
import { messageOf } from '../errors.ts';
import type { Transfers } from '../job/job.ts';
import type { Threads } from '../job/threads.ts';
import type { Batch } from '../job/unit.ts';

/** An SQLite transaction costs a millisecond. */
const RECORD_EVERY_MS = 250;

/** How soon a change of the transfers at once is seen, ms. */
const LOOK_EVERY_MS = 1000;

/** What one process copies batches with. */
export interface Copying extends Omit<Copier, 'limit' | 'recordEveryMs'> {
  /** Transfers at once. */
  readonly threads: Threads;
  /** As they are now: they may be changed while it copies. */
  readonly threadsNow: () => Promise<Threads>;
  /** Called at the end, whatever ends it, with what there is to tell of their number. */
  readonly onEnd: (transfers: Transfers | undefined) => Promise<void>;
}

/**
 * Copies batches in this process. The next one is asked for when the open ones leave transfers idle, so that one slow file does not hold up others.
 *
 * @param batches  gives them until its signal aborts
 * @param onCopied  called when every unit of a batch has its outcome
 * @throws what ended a batch or the giving of batches. Nothing of the copying is on its way any more by then
 */
export async function copyBatches(
  batches: (signal: AbortSignal) => AsyncIterable<Batch>,
  copying: Copying,
  onCopied: (batch: Batch) => void = () => undefined,
): Promise<void> {
  const { source, destination, progress, log, threads, signal, store } = copying;
  let wake: () => void = () => undefined;
  const loads = [source.load, destination.load];
  const pool = new Pool(threads, { loads, progress, log, onMore: () => wake() });
  const tick = setInterval(() => pool.tick(), TICK_MS);
  let asked = threads;
  const look = async () => {
    const now = await copying.threadsNow();
    if (isDeepStrictEqual(now, asked)) return;
    asked = now;
    pool.turnTo(now);
  };
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  let onClaimed: () => void = () => undefined;
  const stop = new AbortController();
  const copier: Copier = {
    ...copying,
    store: {
      // By the end of its turn the batch has filled the pool.
      claim: (...batch) => store.claim(...batch).finally(() => setImmediate(onClaimed)),
      requireOwner: (...batch) => store.requireOwner(...batch),
      noteAttempt: (...attempt) => store.noteAttempt(...attempt),
      noteSwept: (...claim) => store.noteSwept(...claim),
      isGivenUp: (...split) => store.isGivenUp(...split),
      parts: (...unit) => store.parts(...unit),
      keepParts: (...file) => store.keepParts(...file),
      record: (...outcomes) => store.record(...outcomes),
    },
    signal: AbortSignal.any([signal, stop.signal]),
    recordEveryMs: RECORD_EVERY_MS,
    limit: <T>(transfer: () => Promise<T>) => pool.run(transfer).finally(() => wake()),
  };
  const isOver = () => copier.signal.aborted;
  const running = new Set<Promise<void>>();
  try {
    for await (const batch of batches(copier.signal)) {
      if (isOver()) break;
      const claimed = new Promise<void>((resolve) => (onClaimed = resolve));
      const one = copyBatch(copier, batch).then(
        () => onCopied(batch),
        (error: unknown) => stop.abort(error),
      );
      running.add(one);
      void one.finally(() => {
        running.delete(one);
        wake();
      });
      await Promise.race([one, claimed]);
      while (!isOver() && (pool.waiting >= pool.limit || running.size >= pool.limit)) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } catch (error) {
    // Nothing of the job is on its way any more when this ends, whatever ends it.
    stop.abort(error);
  }
  await Promise.all(running);
  clearInterval(tick);
  clearInterval(looking);
  try {
    await copying.onEnd(pool.told);
  } catch (error) {
    // It is for the eye alone, and must not hide what ended the copying.
    log.warn({ error: messageOf(error) }, 'the number of transfers could not be recorded');
  }
  copier.signal.throwIfAborted();
}
