import { expect, it } from 'vitest';
import { timedName } from '../../../../shared/hdfs/timed-name.ts';

it.each([
  ['name', Infinity, 'name1700000000000'],
  ['name', 17, 'name1700000000000'],
  ['name', 16, 'nam1700000000000'],
  ['éé', 16, 'é1700000000000'],
  ['😀😀', 20, '😀1700000000000'],
  ['name', 13, '1700000000000'],
])('the name %s in at most %d bytes', (name, mostBytes, expected) => {
  expect(timedName(name, 1_700_000_000_000, mostBytes)).toBe(expected);
});
