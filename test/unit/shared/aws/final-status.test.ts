import { expect, it } from 'vitest';
import { finalStatus } from '../../../../shared/aws/final-status.ts';
import type { Services } from '../../../../shared/aws/services.ts';
import { newJob } from '../../../support/outcomes.ts';

/** Step Functions takes no longer cause. */
const LONGEST_CAUSE = 32_768;

it('gives a cause that Step Functions takes, however many reasons the job has for lost attributes', async () => {
  const reasons = Array.from({ length: 300 }, (_, i) => [`reasons.owner: ${i} ${'long '.repeat(50)}`, 1] as const);
  const job = newJob({ outcome: 'Failed', directoryWarnings: { owner: 300, ...Object.fromEntries(reasons) } });
  const store = { counters: () => Promise.resolve(new Map()), failures: () => Promise.resolve([]) };
  const { status, cause } = await finalStatus(job, { store } as unknown as Services);
  expect(cause.length).toBeLessThan(LONGEST_CAUSE);
  expect(JSON.parse(cause)).toMatchObject({ status: { Warnings: { owner: 300 } } });
  expect(Object.keys(status['Warning Reasons'])).toHaveLength(300);
});

it.each([
  [{ 'files.failed': 2 }, '2 of 9 files failed'],
  [{ 'deletes.failed': 3 }, '3 deletions failed'],
  [{ 'files.failed': 2, 'deletes.failed': 3 }, '2 of 9 files failed, 3 deletions failed'],
])('says what failed: %j', async (counters, message) => {
  const job = newJob({ outcome: 'Failed', expectedFiles: 9 });
  const store = {
    counters: () => Promise.resolve(new Map(Object.entries(counters))),
    failures: () => Promise.resolve([]),
  };
  const { cause } = await finalStatus(job, { store } as unknown as Services);
  expect(JSON.parse(cause)).toMatchObject({ message });
});
