import type { JobStore } from './job-store.ts';
import type { UnitSet } from './bitmap.ts';
import type { Failure } from './outcome.ts';

const FAILURES_A_PAGE = 1000;

/** Units of a job that have failed, by their batch: no more than a job may have. @param which  tells which of them; default: all */
export async function failedUnits(
  id: string,
  store: Pick<JobStore, 'failures'>,
  which: (failure: Failure) => boolean = () => true,
): Promise<ReadonlyMap<number, UnitSet>> {
  const failed = new Map<number, Set<number>>();
  let after: string | undefined;
  do {
    const page = await store.failures(id, FAILURES_A_PAGE, after);
    for (const { batch, unit } of page.filter(which)) failed.set(batch, (failed.get(batch) ?? new Set()).add(unit));
    after = page.at(-1)?.sequence;
  } while (after !== undefined);
  return failed;
}
