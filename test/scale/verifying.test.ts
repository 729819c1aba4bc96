import { expect, test } from 'vitest';
import { verified } from '../support/verified.ts';
import { keepFigures } from './figures.ts';

/** As for a tenth of the files in the unit tests, with room to spare. */
const HEAP_MIB = 64;
const EXTERNAL_BYTES = 32 * 1024 * 1024;

test(`a million equal files are verified within ${HEAP_MIB} MiB of heap`, async () => {
  const { outcome, equal, seconds, peakExternalBytes } = await verified(HEAP_MIB, 1_000_000, 1_000_000);
  expect({ outcome, equal }).toEqual({ outcome: 'equal', equal: 1_000_000 });
  expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
  const outside = `${Math.round(peakExternalBytes / 1024 / 1024)} MiB outside of it`;
  keepFigures('verify of files 1000000', `in ${Math.round(seconds)} s; heap limited to ${HEAP_MIB} MiB, ${outside}`);
});
