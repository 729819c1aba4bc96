import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../../shared/job/unit.ts';
import { BatchQueue } from '../../../../shared/machine/batch-queue.ts';

const batch = (number: number): Batch => ({ batch: number, units: [] });

function queueOf(count: number, failure?: Error) {
  let read = 0;
  async function* batches() {
    for (; read < count;) yield await Promise.resolve(batch(read++));
    if (failure) throw failure;
  }
  const queue = new BatchQueue();
  queue.open(batches());
  return { queue, read: () => read };
}

describe('BatchQueue', () => {
  it('hands each batch out once, however many ask at a time, and reads no further than it is asked', async () => {
    const { queue, read } = queueOf(10);
    const handed = await Promise.all([queue.next(), queue.next(), queue.next()]);
    expect(handed.map((each) => each?.batch)).toEqual([0, 1, 2]);
    expect(read()).toBe(3);
  });

  it('has no more when all are copied, for all who wait', async () => {
    const { queue } = queueOf(1);
    await queue.next();
    const waiting = Promise.all([queue.next(), queue.next()]);
    queue.copied();
    expect(await waiting).toEqual([undefined, undefined]);
    expect(await queue.next()).toBeUndefined();
  });

  it('hands a batch that was given back to one who waits, and the others wait on', async () => {
    const { queue } = queueOf(2);
    const [first] = [await queue.next(), await queue.next()];
    const [one, other] = [queue.next(), queue.next()];
    if (first) queue.giveBack(first);
    expect(await one).toEqual(first);
    queue.copied();
    expect(await Promise.race([other, Promise.resolve('waits')])).toBe('waits');
    queue.copied();
    expect(await other).toBeUndefined();
  });

  it('tells each who asks that the manifest cannot be read', async () => {
    const { queue } = queueOf(0, new Error('cut short'));
    await expect(queue.next()).rejects.toThrow('cut short');
    await expect(queue.next()).rejects.toThrow('cut short');
  });
});
