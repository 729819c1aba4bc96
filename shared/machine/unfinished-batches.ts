import { batchRecords, hasWork, isFinished, type Records } from '../job/claimed-batches.ts';
import type { JobStore } from '../job/job-store.ts';
import { Once } from '../once.ts';
import type { Batch } from '../job/unit.ts';

/** The batches of a job that are to be copied, in their order. */
export async function* unfinishedBatches(
  id: string,
  records: Records & { readonly store: Pick<JobStore, 'keepFinishCursor' | 'isGivenUp'> },
): AsyncGenerator<Batch> {
  const { store } = records;
  const givenUp = new Once<boolean>();
  const isGivenUp = (split: number) => givenUp.of(String(split), () => store.isGivenUp(id, split));
  let isFirst = true;
  for await (const record of batchRecords(id, records)) {
    // Claimed again, a finished batch would be swept again, name by name.
    if (isFinished(record)) continue;
    // What is copied or put together now changes directories whose attributes an earlier finish has set.
    if (isFirst) await store.keepFinishCursor(id, undefined);
    isFirst = false;
    if (await hasWork(record, isGivenUp)) yield record.line;
  }
}

/** Reads ahead. @returns the first items, at most so many, and all of them from the first on */
export async function withFirst<T>(
  items: AsyncGenerator<T>,
  count: number,
): Promise<{ readonly first: readonly T[]; readonly all: AsyncGenerator<T> }> {
  const first: T[] = [];
  while (first.length < count) {
    const next = await items.next();
    if (next.done) break;
    first.push(next.value);
  }
  async function* all(): AsyncGenerator<T> {
    yield* first;
    yield* items;
  }
  return { first, all: all() };
}
