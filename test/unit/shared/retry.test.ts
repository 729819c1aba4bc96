import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Again, delayMs, retry, type RetryPolicy } from '../../../shared/retry.ts';
import { errorOf, never } from '../../support/files.ts';

const quick: RetryPolicy = { attempts: 5, totalMs: 1000, baseMs: 1, capMs: 2 };
const HOUR = 3_600_000;
const soon = (): Again => 'soon';
afterEach(() => vi.restoreAllMocks());

describe('delayMs', () => {
  const policy: RetryPolicy = { attempts: 9, totalMs: 1e6, baseMs: 200, capMs: 5000 };

  it.each([
    [1, 200],
    [2, 400],
    [3, 800],
    [5, 3200],
    [6, 5000],
    [1000, 5000],
  ])('after %i failures is somewhere between 0 and %i ms', (failures, bound) => {
    expect(delayMs(policy, failures, 'soon', () => 0)).toBe(0);
    expect(delayMs(policy, failures, 'soon', () => 0.5)).toBe(bound / 2);
    expect(delayMs(policy, failures, 'soon', () => 1)).toBe(bound);
  });

  it('stays within its bounds whatever the policy and the dice', () => {
    const numbers = fc.record({
      baseMs: fc.nat(10_000),
      capMs: fc.nat(10_000),
      failures: fc.integer({ min: 1, max: 99 }),
    });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), ({ baseMs, capMs, failures }, dice) => {
        const delay = delayMs({ ...policy, baseMs, capMs }, failures, 'soon', () => dice);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(capMs, baseMs * 2 ** (failures - 1)));
      }),
    );
  });

  it('is the longest one where a server needs long', () => {
    expect(delayMs(policy, 1, 'late', () => 0)).toBe(5000);
  });
});

describe('retry', () => {
  it('gives what the attempt that succeeds gives, and numbers attempts from 0', async () => {
    const seen: number[] = [];
    const result = await retry(quick, never, soon, (number) => {
      seen.push(number);
      return number < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve('done');
    });
    expect(result).toBe('done');
    expect(seen).toEqual([0, 1, 2]);
  });

  it('tries as often as the policy says, and throws the last error', async () => {
    let tries = 0;
    const error = await errorOf(retry(quick, never, soon, () => Promise.reject(new Error(`try ${(tries += 1)}`))));
    expect((error as Error).message).toBe('try 5');
    expect(tries).toBe(5);
  });

  it('does not try again where the error says no', async () => {
    const attempt = vi.fn(() => Promise.reject(new Error('final')));
    expect((await errorOf(retry(quick, never, () => 'no', attempt))) as Error).toMatchObject({ message: 'final' });
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  it('does not begin to wait for what would come after the total budget', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const attempt = vi.fn(() => Promise.reject(new Error('slow')));
    await errorOf(retry({ attempts: Infinity, totalMs: 1000, baseMs: 100, capMs: 60_000 }, never, soon, attempt));
    // Waits of 100, 200 and 400 ms; the next, of 800 ms, would end after the budget.
    expect(attempt).toHaveBeenCalledTimes(4);
  });

  it('counts from the last progress, so that a long attempt that moved bytes is followed by another', async () => {
    let progressedAtMs = 0;
    let tries = 0;
    const slow = async () => {
      tries += 1;
      await sleep(60);
      progressedAtMs = performance.now();
      throw new Error('broke off at its end');
    };
    await errorOf(retry({ attempts: 4, totalMs: 50, baseMs: 1, capMs: 1 }, never, soon, slow, () => progressedAtMs));
    expect(tries).toBe(4);
  });

  it('gives the least number of tries however long they take', async () => {
    const slow = vi.fn(() => sleep(30).then(() => Promise.reject(new Error('slow'))));
    const policy = { attempts: 12, leastAttempts: 3, totalMs: 10, baseMs: 1, capMs: 1 };
    await errorOf(retry(policy, never, soon, slow));
    expect(slow).toHaveBeenCalledTimes(3);
  });

  it('counts the time of the attempts as well', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const attempt = vi.fn(async () => {
      await sleep(40);
      throw new Error('slow');
    });
    await errorOf(retry({ attempts: Infinity, totalMs: 100, baseMs: 1, capMs: 1 }, never, soon, attempt));
    expect(attempt.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('waits before it tries again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const startedAtMs = performance.now();
    await errorOf(
      retry({ attempts: 2, totalMs: 1000, baseMs: 50, capMs: 50 }, never, soon, () => Promise.reject(new Error())),
    );
    expect(performance.now() - startedAtMs).toBeGreaterThan(45);
  });

  it.each([
    ['before the first attempt', 0, 0],
    ['in an attempt', 1, 1],
    ['while it waits', 2, 1],
  ])('throws the reason of its signal when that aborts %s', async (_when, at, attempts) => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    if (at === 0) stop.abort(reason);
    if (at === 2) setTimeout(() => stop.abort(reason), 20);
    const attempt = vi.fn(() => {
      if (at === 1) stop.abort(reason);
      return Promise.reject(new Error('failed'));
    });
    // A wait that did not end with the signal would outlast the test.
    const error = await errorOf(
      retry({ ...quick, baseMs: HOUR, capMs: HOUR, totalMs: 2 * HOUR }, stop.signal, soon, attempt),
    );
    expect(error).toBe(reason);
    expect(attempt).toHaveBeenCalledTimes(attempts);
  });
});
