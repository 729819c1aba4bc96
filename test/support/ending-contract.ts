import { expect } from 'vitest';
import { ENDING_EXTERNAL_BYTES, type EndedJob, endJob } from './ended-job.ts';

/** Batches in a page of a query of the generated table, which a continued invocation may read again. */
const PAGE = 2000;

/** Ends a job in some ten invocations, and expects that none of them starts over and that nothing is held for a batch. */
export async function expectBoundedEnding(how: 'sqlite' | 'dynamo' | 'close', batches: number): Promise<EndedJob> {
  const ended = await endJob(how, batches, Math.ceil(batches / 4));
  const { invocations, lines, read = 0, swept, expectedSwept = swept, peakExternalBytes } = ended;
  expect(invocations).toBeGreaterThan(2);
  expect(invocations).toBeLessThan(15);
  // The deaths of copiers are looked for in a pass of their own.
  const passes = how === 'sqlite' ? 1 : 2;
  expect(lines).toBeGreaterThan(0.9 * batches);
  expect(lines).toBeLessThanOrEqual(passes * (batches + invocations));
  expect(read).toBeLessThanOrEqual(passes * batches + invocations * PAGE);
  expect(swept).toBe(expectedSwept);
  expect(swept).toBeGreaterThan(0);
  expect(peakExternalBytes).toBeLessThan(ENDING_EXTERNAL_BYTES);
  if (how === 'sqlite') expect(ended).toMatchObject({ outcome: 'Successful' });
  if (how === 'dynamo') expect(ended).toMatchObject({ outcome: 'Failed', failed: Math.ceil((batches - 2) / 1000) });
  if (how === 'close') expect(ended).toMatchObject({ outcome: 'Failed', closed: batches });
  return ended;
}
