import type { Batch } from '../job/unit.ts';

/**
 * Batches that somebody else gives, one at a time, until there are no more or the signal aborts: what was asked for is then not waited for.
 * Holds on to no batch that was given.
 */
export async function* askedBatches(
  next: () => Promise<Batch | undefined>,
  signal: AbortSignal,
): AsyncGenerator<Batch, undefined> {
  while (!signal.aborted) {
    const batch = await unlessAborted(next(), signal);
    if (!batch) return;
    yield batch;
  }
}

/** Not a race against one promise of the abort: that would keep every answer for as long as the job lasts. */
function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort);
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
