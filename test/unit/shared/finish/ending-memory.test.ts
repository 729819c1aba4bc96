import { expect, test } from 'vitest';
import { ENDING_HEAP_MIB } from '../../../support/ended-job.ts';
import { expectBoundedEnding } from '../../../support/ending-contract.ts';

test.each([
  ['finished on one machine', 'sqlite'],
  ['finished on AWS', 'dynamo'],
  ['closed on AWS', 'close'],
] as const)(
  `a job of 2,000 batches of 1,000 units is %s in a heap of ${ENDING_HEAP_MIB} MiB, in several invocations, none of which starts over`,
  async (_, how) => {
    const { invocations } = await expectBoundedEnding(how, 2000);
    expect(invocations).toBeGreaterThan(2);
  },
);
