import { expect, it } from 'vitest';
import { Collector } from '../../../../shared/estimate/collector.ts';
import { neededOf } from '../../../../shared/estimate/needed.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';

const unit = (path: string, lengthBytes: number, more: Partial<FileUnit> = {}): FileUnit => ({
  kind: 'file',
  root: 0,
  path,
  lengthBytes,
  modifiedAtMs: 0,
  blockBytes: 128 * 1024 ** 2,
  decision: 'copy',
  ...more,
});

it('goes on from what an earlier one had collected, as if it had been one', () => {
  const units = Array.from({ length: 40 }, (_, i) => unit(`d/${'e/'.repeat(i % 4)}f${i}`, i ** 5));
  const add = (collector: Collector, some: readonly FileUnit[]) => {
    for (const one of some) {
      const action = one.lengthBytes % 3 === 0 ? 'skip' : 'copy';
      collector.add(one, { action, reason: action === 'skip' ? 'identical content' : '', path: `/${one.path}` });
    }
    return collector.collected;
  };
  const whole = add(new Collector(true), units);
  const kept = JSON.parse(JSON.stringify(add(new Collector(true), units.slice(0, 17)))) as typeof whole;
  expect(add(new Collector(true, kept), units.slice(17))).toEqual(whole);
  expect(whole.source.files).toBe(40);
  expect(whole.depth).toBe(5);
  expect(whole.largest.map(({ bytes }) => bytes)).toEqual([39, 38, 37, 36, 35].map((i) => i ** 5));
});

it('does not grow with the tree', () => {
  const collector = new Collector(true);
  const sizes = [100, 10_000].map((files) => {
    for (let i = 0; i < files; i++)
      collector.add(unit(`f${i}`, 1), { action: 'fail', reason: `the file ${i} is odd`, path: `/f${i}` });
    return JSON.stringify(collector.collected).length;
  });
  expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) + 100);
});

it('counts a split file by its chunk where the longest piece is meant', () => {
  const collector = new Collector(false);
  const told = { action: 'copy', reason: '', path: '/f' } as const;
  collector.add(unit('f', 5e9, { split: { number: 0, chunkBytes: 1e9 } }), told);
  collector.add(unit('g', 2e9), told);
  expect(collector.collected.longestBytes).toBe(2e9);
});

it.each([
  ['fits', { freeBytes: 300, replication: 3 }, 300, []],
  ['is more than what is free', { freeBytes: 299, replication: 3 }, 300, ['free space']],
  ['is not known', { freeBytes: 1, replication: undefined }, undefined, []],
])('what is needed of a destination %s', (_how, room, bytes, lacks) => {
  const told = { capacityBytes: 1000, quotas: undefined, ...room };
  const needed = neededOf({ byReplication: { usual: 100 }, actions: { copy: { files: 2, bytes: 100 } } }, told, 1);
  expect(needed).toEqual({ bytes, names: 3, lacks });
});

it('holds what is needed against every quota', () => {
  const quotas = [
    { path: '/a/b', namesLeft: 3, bytesLeft: undefined },
    { path: '/a', namesLeft: 2, bytesLeft: 99 },
  ];
  const room = { capacityBytes: undefined, freeBytes: undefined, replication: 1, quotas };
  const { lacks } = neededOf({ byReplication: { 1: 100 }, actions: { copy: { files: 3, bytes: 100 } } }, room, 0);
  expect(lacks).toEqual(['space quota of /a', 'name quota of /a']);
});
