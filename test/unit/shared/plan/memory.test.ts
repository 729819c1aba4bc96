import { expect, test } from 'vitest';
import { planned } from '../../../support/planned.ts';

/** What the program itself takes, and some MiB for a walk: whatever is kept of 100,000 names takes more. */
const HEAP_MIB = 36;
const EXTERNAL_BYTES = 32 * 1024 * 1024;

test.each([
  ['directories 100000', { files: 100_000, made: 100_101 }],
  // What cannot be made is a failed file each.
  ['directories 100000 refused', { files: 150_050, made: 100_101 }],
  ['wide 100000', { files: 100_000, made: 100_001 }],
  ['deep 1000', { files: 1000, made: 1001 }],
  ['files 100000 flat', { files: 100_000, made: 1 }],
  // What the list names and the tree does not have is a failed file.
  ['files 100000 listed', { files: 100_100, made: 101 }],
])(`a plan of %s keeps nothing of what it has left`, async (what, expected) => {
  const { peakExternalBytes, ...plan } = await planned(HEAP_MIB, ...what.split(' '));
  expect(plan).toMatchObject(expected);
  expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
});
