import { expect, it, vi } from 'vitest';
import { Deadline, DeadlineReached } from '../../../shared/deadline.ts';

it('is near in its last part, and aborts at its end', async () => {
  vi.useFakeTimers();
  const deadline = new Deadline(1000);
  const stop = new AbortController();
  deadline.arm(stop);
  await vi.advanceTimersByTimeAsync(900);
  expect(deadline.isNear()).toBe(false);
  await vi.advanceTimersByTimeAsync(60);
  expect(deadline.isNear()).toBe(true);
  expect(stop.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(41);
  expect(stop.signal.reason).toBeInstanceOf(DeadlineReached);
  expect((stop.signal.reason as DeadlineReached).lastedMs).toBe(1000);
  vi.useRealTimers();
});

it('aborts nothing once it is disarmed', async () => {
  vi.useFakeTimers();
  const stop = new AbortController();
  new Deadline(10).arm(stop)();
  await vi.advanceTimersByTimeAsync(100);
  expect(stop.signal.aborted).toBe(false);
  vi.useRealTimers();
});
