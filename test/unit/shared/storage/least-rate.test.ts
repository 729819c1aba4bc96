import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeastRate } from '../../../../shared/storage/least-rate.ts';
import { errorOf } from '../../../support/files.ts';

const where = { operation: 'OPEN', path: '/x', host: 'dn:1' };
const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Pieces of a KiB, with so long before each. */
async function* pieces(count: number, beforeMs: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (beforeMs > 0) await wait(beforeMs);
    yield new Uint8Array(KIB);
  }
}

/** Reads a body to its end, with so long after each piece. @returns its bytes */
async function read(body: AsyncIterable<Uint8Array>, afterMs: number): Promise<number> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (afterMs > 0) await wait(afterMs);
  }
  return bytes;
}

/** What comes of it while time passes, and of which error the other side was told. */
async function outcomeOf(
  make: (rate: LeastRate) => AsyncIterable<Uint8Array>,
  afterMs: number,
  { least = KIB, passMs = 600_000 } = {},
) {
  const told: string[] = [];
  const rate = new LeastRate(least, where, (error) => told.push(error.message));
  const ended = read(make(rate), afterMs).catch((error: unknown) => error as Error);
  await vi.advanceTimersByTimeAsync(passMs);
  return { outcome: await Promise.race([ended, Promise.resolve('goes on')]), told };
}

describe('a side that gives', () => {
  it('is too slow when it stays below the rate for a minute in which it is waited for', async () => {
    const { outcome, told } = await outcomeOf((rate) => rate.given(pieces(1000, 2000)), 0);
    const message =
      'OPEN /x on dn:1: it moved 512 B/s for 60 s, less than 1.0 KiB/s (lower --min-rate where no server is faster)';
    expect(outcome).toMatchObject({ name: 'TransportError', disposition: 'retry', message });
    expect(told).toEqual([message]);
  });

  it('is not when it keeps to the rate', async () => {
    expect(await outcomeOf((rate) => rate.given(pieces(300, 900)), 0)).toEqual({ outcome: 300 * KIB, told: [] });
  });

  it('is not when it is its reader who is slow', async () => {
    expect(await outcomeOf((rate) => rate.given(pieces(100, 100)), 5000)).toEqual({ outcome: 100 * KIB, told: [] });
  });

  it('is told once when it gives nothing at all', async () => {
    const { outcome, told } = await outcomeOf((rate) => rate.given(pieces(1, 3_600_000)), 0);
    expect(outcome).toBe('goes on');
    expect(told).toEqual([expect.stringContaining('it moved 0 B/s for 60 s')]);
  });

  it('is not held to the time in which this process slept', async () => {
    const told: string[] = [];
    const rate = new LeastRate(KIB, where, (error) => told.push(error.message));
    const ended = read(rate.given(pieces(80, 900)), 0);
    await vi.advanceTimersByTimeAsync(10_000);
    // All its timers are late at once.
    const now = performance.now.bind(performance);
    performance.now = () => now() + 3_600_000;
    await vi.advanceTimersByTimeAsync(100_000);
    performance.now = now;
    expect([await ended, told]).toEqual([80 * KIB, []]);
  });

  it('throws that it was too slow when what it gives is ended for that', async () => {
    const stop = new AbortController();
    const rate = new LeastRate(KIB, where, () => stop.abort());
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      await new Promise((_resolve, reject) =>
        stop.signal.addEventListener('abort', () => reject(new Error('cut off'))),
      );
    }
    const reading = errorOf(read(rate.given(silent()), 0));
    await vi.advanceTimersByTimeAsync(61_000);
    expect(await reading).toMatchObject({ name: 'TransportError' });
  });
});

describe('a side that takes', () => {
  it('is too slow when it stays below the rate for a minute in which it is waited for', async () => {
    const { outcome, told } = await outcomeOf((rate) => rate.taken(pieces(1000, 0)), 2000);
    expect(outcome).toMatchObject({ name: 'TransportError' });
    expect(told).toHaveLength(1);
  });

  it('is not when it is its source who is slow', async () => {
    expect(await outcomeOf((rate) => rate.taken(pieces(100, 5000)), 100)).toEqual({ outcome: 100 * KIB, told: [] });
  });

  it('is not while it takes a piece that may last longer than a minute', async () => {
    const long = async function* () {
      for (let i = 0; i < 3; i++) yield await Promise.resolve(new Uint8Array(100 * KIB));
    };
    expect(await outcomeOf((rate) => rate.taken(long()), 90_000)).toEqual({ outcome: 300 * KIB, told: [] });
    expect((await outcomeOf((rate) => rate.taken(long()), 150_000)).told).toHaveLength(1);
  });
});

it('keeps no process alive once the body has ended', async () => {
  const rate = new LeastRate(KIB, where, () => undefined);
  await read(rate.given(pieces(1, 0)), 0);
  await read(new LeastRate(KIB, where, () => undefined).taken(pieces(1, 0)), 0);
  expect(vi.getTimerCount()).toBe(0);
});
