import { describe, expect, it } from 'vitest';
import { Load } from '../../../../shared/storage/load.ts';

function answer(load: Load, times: number, tookMs: number): void {
  for (let time = 0; time < times; time++) load.noteAnswer(tookMs);
}

describe('Load', () => {
  it('tells once of any number of refusals', () => {
    const load = new Load('prod');
    expect(load.take()).toBeUndefined();
    load.noteBusy();
    load.noteBusy();
    expect(load.take()).toBe('busy');
    expect(load.take()).toBeUndefined();
  });

  it.each([
    ['the first answers', [], 900, undefined],
    ['as long as usual', [5, 5], 5, undefined],
    ['many times the usual, and still quick', [5, 5], 150, undefined],
    ['twice the usual', [500, 500], 1000, undefined],
    ['much longer than usual', [5, 5], 300, 'slow'],
    ['much longer where all takes long', [500, 500], 2000, 'slow'],
  ] as const)('answers that take %s', (_what, before, tookMs, expected) => {
    const load = new Load('prod');
    for (const usualMs of before) {
      answer(load, 100, usualMs);
      expect(load.take()).toBeUndefined();
    }
    answer(load, 20, tookMs);
    expect(load.take()).toBe(expected);
  });

  it('forgets what it was told, and what is usual', () => {
    const load = new Load('prod');
    answer(load, 100, 5);
    load.take();
    answer(load, 9, 5);
    load.noteBusy();
    load.reset();
    expect(load.take()).toBeUndefined();
    answer(load, 20, 1000);
    expect(load.take()).toBeUndefined();
    answer(load, 20, 1000);
    expect(load.take()).toBeUndefined();
  });

  it('makes nothing of a few answers, but adds them up', () => {
    const load = new Load('prod');
    answer(load, 100, 5);
    load.take();
    answer(load, 9, 1000);
    expect(load.take()).toBeUndefined();
    answer(load, 1, 1000);
    expect(load.take()).toBe('slow');
  });

  it('takes for usual what has gone on for some thousands of answers', () => {
    const load = new Load('prod');
    answer(load, 100, 5);
    load.take();
    const told = Array.from({ length: 100 }, () => {
      answer(load, 100, 1000);
      return load.take();
    });
    expect(told[0]).toBe('slow');
    expect(told.at(-1)).toBeUndefined();
  });
});
