import { expect, test } from 'vitest';
import { DirectoryTree } from '../support/directory-tree.ts';
import { ENDING_HEAP_MIB } from '../support/ended-job.ts';
import { expectBoundedEnding } from '../support/ending-contract.ts';
import { never } from '../support/files.ts';
import { newJob } from '../support/outcomes.ts';
import { directoriesStart, setDirectories } from '../../shared/finish/directories.ts';
import type { Finishing } from '../../shared/finish/finishing.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import { keepFigures } from './figures.ts';

const BATCHES = 100_000;

test.each([
  ['finished on one machine', 'sqlite'],
  ['finished on AWS', 'dynamo'],
  ['closed on AWS', 'close'],
] as const)(`a job of 100,000 batches of 1,000 units is %s`, async (what, how) => {
  const ended = await expectBoundedEnding(how, BATCHES);
  const { invocations, lines, swept, seconds, peakRssMiB, peakExternalBytes } = ended;
  keepFigures(
    `a job of 100,000 batches ${what}`,
    `${seconds.toFixed(0)} s, ${invocations} invocations, ${lines} lines read, ${swept} names swept, heap of ${ENDING_HEAP_MIB} MiB, ` +
      `${(peakExternalBytes / 2 ** 20).toFixed(0)} MiB outside of it, ${peakRssMiB.toFixed(0)} MiB resident`,
  );
});

test('20,000 directories get their attributes, each request taking 30 ms', async () => {
  const delays = { requestMs: 30, listingMs: 30 };
  const source = new DirectoryTree([200, 100], 1000, delays);
  const destination = new DirectoryTree([200, 100], 2000, delays);
  const spec = parseJobSpec({ source: 'a:/tree', destination: 'b:/tree', options: { attributes: ['times'] } });
  const job = newJob({ spec, roots: [{ source: '/tree', destination: '/tree', kind: 'directory' }] });
  const whole = { job, source, destination, signal: never, log: silentLog, isOver: () => false };
  const beganAtMs = performance.now();
  await setDirectories(whole as unknown as Finishing, directoriesStart);
  const seconds = (performance.now() - beganAtMs) / 1000;
  expect(destination.setPaths).toHaveLength(20_201);
  expect(destination.peak).toBe(40);
  keepFigures('attributes of 20,201 directories, 30 ms a request', `${seconds.toFixed(0)} s`);
});
