import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allOrAbort } from '../../../shared/all-or-abort.ts';

const never = new AbortController().signal;

test('gives the results in the order of the tasks', async () => {
  const slow = () => sleep(5, 'slow');
  const fast = () => Promise.resolve(1);
  await expect(allOrAbort(never, [slow, fast])).resolves.toEqual(['slow', 1]);
});

test('aborts the others at the first failure, and waits for their end', async () => {
  const events: string[] = [];
  const long = async (signal: AbortSignal) => {
    await sleep(60_000, undefined, { signal }).catch(() => events.push('aborted'));
    await sleep(5);
    events.push('ended');
    throw new Error('a later failure');
  };
  const failing = () => Promise.reject(new Error('the first failure'));
  await expect(allOrAbort(never, [long, failing])).rejects.toThrow('the first failure');
  expect(events).toEqual(['aborted', 'ended']);
});

test('ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const long = (signal: AbortSignal) => sleep(60_000, undefined, { signal });
  const running = allOrAbort(controller.signal, [long, long]);
  controller.abort(new Error('interrupted'));
  await expect(running).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'interrupted' } });
});
