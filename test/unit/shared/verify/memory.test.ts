import { expect, test } from 'vitest';
import { verified } from '../../../support/verified.ts';

/** What the program itself takes, and some MiB for the walk: whatever is kept of 100,000 files takes more. */
const HEAP_MIB = 36;
const EXTERNAL_BYTES = 32 * 1024 * 1024;

test.each([
  ['equal', 100_000, 100_000, { outcome: 'equal', equal: 100_000, missing: 0, extra: 0 }],
  ['missing', 100_000, 1000, { outcome: 'different', equal: 1000, missing: 99_000, extra: 0 }],
  ['extra', 1000, 100_000, { outcome: 'different', equal: 1000, missing: 0, extra: 99_000 }],
])('verifying 100,000 files that are %s keeps nothing of those that are told', async (_, source, destination, told) => {
  const { peakExternalBytes, ...figures } = await verified(HEAP_MIB, source, destination);
  expect(figures).toMatchObject(told);
  expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
});
