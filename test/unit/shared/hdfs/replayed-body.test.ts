import { describe, expect, it } from 'vitest';
import { ReplayedBody } from '../../../../shared/hdfs/replayed-body.ts';

const KIB = 1024;

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield await Promise.resolve(new Uint8Array(bytes).fill(i));
}

async function first(body: AsyncGenerator<Uint8Array>, count = Infinity): Promise<number[]> {
  const found: number[] = [];
  for await (const [value] of body) {
    found.push(value ?? -1);
    if (found.length >= count) break;
  }
  return found;
}

describe('a body that may be sent again', () => {
  it('begins anew after it was broken off, and reads its source once', async () => {
    const replayed = new ReplayedBody(chunks(4, KIB));
    expect(await first(replayed.body(), 2)).toEqual([0, 1]);
    expect(replayed.isWhole).toBe(true);
    expect(await first(replayed.body())).toEqual([0, 1, 2, 3]);
  });

  it('loses no piece that a sender which was stopped still waits for', async () => {
    const replayed = new ReplayedBody(chunks(3, KIB));
    const stopped = replayed.body().next();
    expect(await first(replayed.body())).toEqual([0, 1, 2]);
    expect(await stopped).toMatchObject({ done: false, value: { 0: 0 } });
  });

  it('keeps a beginning only, and says when it is gone', async () => {
    const replayed = new ReplayedBody(chunks(20, 64 * KIB));
    expect(await first(replayed.body())).toHaveLength(20);
    expect(replayed.isWhole).toBe(false);
    await expect(first(replayed.body())).rejects.toThrow('not kept any more');
  });

  it('keeps what its source fills again', async () => {
    async function* reused(): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(1);
      for (let i = 0; i < 3; i++) yield await Promise.resolve(buffer.fill(i));
    }
    const replayed = new ReplayedBody(reused());
    await first(replayed.body());
    expect(await first(replayed.body())).toEqual([0, 1, 2]);
  });
});
