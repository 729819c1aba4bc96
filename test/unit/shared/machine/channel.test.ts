import { EventEmitter } from 'node:events';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import {
  FanoutError,
  SpecError,
  SupersededError,
  TooManyFailuresError,
  TransportError,
  UnavailableError,
} from '../../../../shared/errors.ts';
import { arrived, carried } from '../../../../shared/machine/carried-error.ts';
import { Channel, ChannelClosedError } from '../../../../shared/machine/channel.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import { errorOf } from '../../../support/files.ts';

/** One end of a channel whose messages are copied as between two processes. */
class End extends EventEmitter {
  connected = true;
  other: End | undefined;
  send(message: object, callback: (error: Error | null) => void): boolean {
    const copy: unknown = deserialize(serialize(message));
    setImmediate(() => {
      callback(null);
      this.other?.emit('message', copy);
    });
    return true;
  }
}

interface Theirs {
  add(a: number, b: number): number;
  fail(): Promise<void>;
  hang(): Promise<void>;
}

function channelTo(theirs: Partial<Theirs>) {
  const [here, there] = [new End(), new End()];
  [here.other, there.other] = [there, here];
  new Channel(there, theirs);
  return { here, channel: new Channel<Theirs>(here, {}) };
}

describe('Channel', () => {
  it('gives each call its own answer', async () => {
    const { channel } = channelTo({ add: (a, b) => a + b });
    const sums = await Promise.all([channel.call('add', 1, 2), channel.call('add', 3, 4), channel.call('add', 5, 6)]);
    expect(sums).toEqual([3, 7, 11]);
  });

  it('throws what the method threw', async () => {
    const { channel } = channelTo({ fail: () => Promise.reject(new SupersededError(7)) });
    const error = await errorOf(channel.call('fail'));
    expect(error).toBeInstanceOf(SupersededError);
    expect(error).toMatchObject({ message: 'batch 7 was taken over by another copier' });
  });

  it('ends what is under way when it closes, and takes no further call', async () => {
    const { here, channel } = channelTo({ hang: () => new Promise(() => undefined) });
    const hanging = errorOf(channel.call('hang'));
    here.connected = false;
    here.emit('disconnect');
    expect(await hanging).toBeInstanceOf(ChannelClosedError);
    expect(await errorOf(channel.call('add', 1, 2))).toBeInstanceOf(ChannelClosedError);
  });

  it('throws where the other process is of a version that has no such method', async () => {
    const { channel } = channelTo({ add: (a, b) => a + b });
    await expect(channel.call('fail')).rejects.toThrow('calls fail, which this one does not know');
  });

  it('throws where something cannot be sent', async () => {
    const { channel } = channelTo({ add: () => (() => undefined) as unknown as number });
    await expect(channel.call('add', 1, 2)).rejects.toThrow(/could not be cloned/);
  });
});

const where = { operation: 'CREATE', path: '/a', host: 'nn:9870' };

describe('an error from another process', () => {
  it.each([
    new SpecError('the job is wrong', 'mend it'),
    new SupersededError(3),
    new TooManyFailuresError(11, 10, 'resume'),
    new TransportError('reset', where, { cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }) }),
    new StorageError('busy', 'RetriableException', 'later', where, { retryAfterMs: 500 }),
    new UnavailableError('nobody answers', where, 'check it', new Error('refused')),
    Object.assign(new TypeError('not a function'), { code: 'ERR' }),
    Object.assign(new Error('with a handle'), { handle: () => undefined, deep: { list: [1, 'two', undefined] } }),
  ])('is the same: %s', (error) => {
    const there = arrived(deserialize(serialize(carried(error))) as ReturnType<typeof carried>);
    expect(there.message).toBe(error.message);
    expect(there.stack).toBe(error.stack);
    const fields = Object.entries(error).filter(([name]) => name !== 'handle' && name !== 'cause');
    expect(Object.entries(there)).toEqual(expect.arrayContaining(fields));
    expect(there instanceof FanoutError).toBe(error instanceof FanoutError);
    for (const known of [SpecError, StorageError, SupersededError, TooManyFailuresError, TransportError]) {
      expect(there instanceof known).toBe(error instanceof known);
    }
    if (error.cause instanceof Error) expect(there.cause).toMatchObject({ message: error.cause.message });
  });

  it('is one too where no error was thrown', () => {
    expect(arrived(carried('a word')).message).toBe('a word');
  });
});
