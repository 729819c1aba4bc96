import { expect, test } from 'vitest';
import { planned } from '../support/planned.ts';
import { keepFigures } from './figures.ts';

/** As for trees of a thirtieth of the size in the unit tests, with room to spare: a path for each directory would take ten times as much. */
const HEAP_MIB = 64;
const EXTERNAL_BYTES = 32 * 1024 * 1024;

test.each<[string, { files: number; made: number }]>([
  ['directories 3000000', { files: 3_000_000, made: 3_003_001 }],
  ['wide 1000000', { files: 1_000_000, made: 1_000_001 }],
  ['deep 10000', { files: 10_000, made: 10_001 }],
  ['files 3000000 flat', { files: 3_000_000, made: 1 }],
  ['files 10000000 listed', { files: 10_010_000, made: 10_001 }],
])(`a plan of %s does with ${HEAP_MIB} MiB of heap`, async (what, expected) => {
  const { seconds, peakExternalBytes, ...plan } = await planned(HEAP_MIB, ...what.split(' '));
  expect(plan).toMatchObject(expected);
  expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
  const { files, batches, made } = plan;
  const outside = `${Math.round(peakExternalBytes / 1024 / 1024)} MiB outside of it`;
  const figures = `${files} files, ${made} directories made, ${batches} batches in ${Math.round(seconds)} s`;
  keepFigures(`plan of ${what}`, `${figures}; heap limited to ${HEAP_MIB} MiB, ${outside}`);
});
