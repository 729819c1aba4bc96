import { expect, it } from 'vitest';
import { usualCopiers } from '../../../../shared/machine/copier-count.ts';

const GIB = 1024 ** 3;

it.each([
  [1, 16 * GIB, 1],
  [2, 16 * GIB, 1],
  [8, 16 * GIB, 4],
  [64, 256 * GIB, 8],
  [64, 2 * GIB, 3],
  [8, GIB, 1],
  [8, GIB / 4, 1],
])('of %i cores and %i bytes of memory copiers take half and a quarter at most: %i', (cores, memoryBytes, copiers) => {
  expect(usualCopiers(cores, memoryBytes)).toBe(copiers);
});
