import { readdirSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';

it('takes each name once, however alike two are', () => {
  using names = new NamesOnDisk();
  const all = ['a', 'A', 'a ', 'é', 'e\u0301', 'a\0b', 'a\0c', '', '1', '01', '😀', 'x'.repeat(255), 'x'.repeat(254)];
  expect(all.map((name) => names.add(name))).toEqual(all.map(() => true));
  expect(all.map((name) => names.add(name))).toEqual(all.map(() => false));
});

it('gives the names in the order in which they came, from any of them on', () => {
  using names = new NamesOnDisk();
  for (const name of ['c', 'a', 'c', 'b', 'a', 'd']) names.add(name);
  expect([...names.after(0)]).toEqual(['c', 'a', 'b', 'd']);
  expect([...names.after(3)]).toEqual(['d']);
  expect([...names.after(4)]).toEqual([]);
});

/** Files that this process holds open and that have no name any more: SQLite's own begin with `etilqs_`. */
const nameless = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /etilqs_.*\(deleted\)$/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  });

it('keeps many names in a file without a name, which ends with the set', () => {
  const before = nameless().length;
  const names = new NamesOnDisk();
  for (let i = 0; i < 60_000; i++) names.add(`${i}`.padStart(200, '-'));
  expect(nameless()).toHaveLength(before + 1);
  names[Symbol.dispose]();
  expect(nameless()).toHaveLength(before);
});
