import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../../shared/job/unit.ts';
import { askedBatches } from '../../../../shared/machine/asked-batches.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function givenUpTo(count: number) {
  let given = 0;
  const made: WeakRef<Batch>[] = [];
  const next = async (): Promise<Batch | undefined> => {
    await turn();
    if (given === count) return undefined;
    const batch = { batch: given++, units: [] };
    made.push(new WeakRef(batch));
    return batch;
  };
  return { next, made };
}

describe('askedBatches', () => {
  it('gives all in their order', async () => {
    const given: number[] = [];
    const { next } = givenUpTo(3);
    for await (const { batch } of askedBatches(next, new AbortController().signal)) given.push(batch);
    expect(given).toEqual([0, 1, 2]);
  });

  it('keeps none of those that were given', async () => {
    const { next, made } = givenUpTo(101);
    const batches = askedBatches(next, new AbortController().signal);
    for (let count = 0; count < 100; count++) await batches.next();
    await turn();
    collectGarbage();
    const kept = made.filter((batch) => batch.deref() !== undefined);
    expect(made).toHaveLength(100);
    expect(kept.length).toBeLessThan(5);
    expect((await batches.next()).value).toMatchObject({ batch: 100 });
  });

  it('ends when its signal aborts, without waiting for the next', async () => {
    const stop = new AbortController();
    const batches = askedBatches(() => new Promise(() => undefined), stop.signal);
    const asked = batches.next();
    stop.abort();
    expect(await asked).toEqual({ done: true, value: undefined });
  });

  it('throws what asking threw', async () => {
    const batches = askedBatches(() => Promise.reject(new Error('cut short')), new AbortController().signal);
    await expect(batches.next()).rejects.toThrow('cut short');
  });
});
