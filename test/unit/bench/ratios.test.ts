import { describe, expect, it } from 'vitest';
import { ratioOf } from '../../../bench/results.ts';

const row = (...walls: number[]) => ({
  runs: walls.map((wallSeconds) => ({
    wallSeconds,
    cpuSeconds: wallSeconds / 2,
    peakMiB: 100,
    serverCpuSeconds: 0,
    otherCpuSeconds: 0,
  })),
});

describe('the ratio of two contestants', () => {
  it('is taken round by round: a slow round slows both', () => {
    expect(ratioOf(row(10, 40, 12), row(5, 20, 4), 'wallSeconds')).toEqual({ middle: 2, least: 2, most: 3 });
  });

  it('is none where one of them has no figures', () => {
    expect(ratioOf(row(1, 2), row(), 'wallSeconds')).toBeUndefined();
    expect(ratioOf(row(), row(1, 2), 'cpuSeconds')).toBeUndefined();
    expect(ratioOf(undefined, row(1), 'cpuSeconds')).toBeUndefined();
    expect(ratioOf(row(1), undefined, 'cpuSeconds')).toBeUndefined();
  });
});
