import { expect, it } from 'vitest';
import { fitting } from '../../../../shared/hdfs/concat.ts';

const names = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `/${String(index).padStart(length, 'x')}`);

it.each([
  { what: 'a few', sources: names(5, 40), fits: 5 },
  // 44 characters are sent as 48: a slash and a comma take three bytes each.
  { what: 'many', sources: names(1000, 42), fits: 128 },
  {
    what: 'names that are sent in nine bytes a character',
    sources: names(100, 3).map((name) => `${name}${'音'.repeat(20)}`),
    fits: 32,
  },
  { what: 'one that is longer than all may be together', sources: names(3, 7000), fits: 1 },
])('as many sources go into one CONCAT as 6 KiB hold: $what', ({ sources, fits }) => {
  expect(fitting(sources)).toBe(fits);
});
