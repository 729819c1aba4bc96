import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copied, countersIn, failed, newJob, skipped } from './outcomes.ts';
import type { JobStore } from '../../shared/job/job-store.ts';
import type { UnitOutcome } from '../../shared/job/outcome.ts';

type Step =
  | { readonly kind: 'claim'; readonly batch: number; readonly owner: string }
  | { readonly kind: 'record'; readonly batch: number; readonly owner: string; readonly outcomes: UnitOutcome[] }
  | { readonly kind: 'reopen' };

/** What a batch should hold, kept by hand. */
interface Expected {
  owner: string;
  claim: number;
  done: Map<number, UnitOutcome>;
}

const makers: ((unit: number) => UnitOutcome)[] = [
  (unit) => copied(unit),
  (unit) => skipped(unit),
  (unit) => failed(unit),
];
const outcome = fc
  .record({ unit: fc.nat(7), make: fc.constantFrom(...makers), bytes: fc.nat(10_000) })
  .map(({ unit, make, bytes }) => ({ ...make(unit), bytes }));
const batch = fc.nat(2);
const owner = fc.constantFrom('ann', 'bob', 'cat');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('claim' as const), batch, owner }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      batch,
      owner,
      outcomes: fc.array(outcome, { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** Whatever order copiers claim and record in, the counters are the sum of what the last owners got through. */
export function interleavingsContract(store: () => JobStore): void {
  it('sums to exactly what was recorded, in any interleaving of claims and records', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
        const job = newJob();
        await store().create(job);
        const batches = new Map<number, Expected>();
        for (const step of steps) await take(store(), job.id, batches, step);
        const done = [...batches.values()].flatMap((expected) => [...expected.done.values()]);
        expect(await store().counters(job.id)).toEqual(countersIn(done));
        const failures = await store().failures(job.id, 100);
        expect(failures).toHaveLength(done.filter((one) => one.outcome === 'failed').length);
      }),
      { numRuns: 100 },
    );
  });
}

async function take(store: JobStore, id: string, batches: Map<number, Expected>, step: Step): Promise<void> {
  if (step.kind === 'reopen') {
    await store.reopenFailed(id);
    for (const { done } of batches.values()) {
      for (const [unit, one] of done) if (one.outcome === 'failed') done.delete(unit);
    }
    return;
  }
  const expected = batches.get(step.batch) ?? { owner: '', claim: 0, done: new Map<number, UnitOutcome>() };
  if (step.kind === 'claim') {
    batches.set(step.batch, { ...expected, owner: step.owner, claim: expected.claim + 1 });
    const { claim, done } = await store.claim(id, step.batch, step.owner);
    expect({ claim, done: new Set(done) }).toEqual({ claim: expected.claim + 1, done: new Set(expected.done.keys()) });
    return;
  }
  const recording = store.record(id, step.batch, step.owner, step.outcomes);
  if (expected.owner !== step.owner) {
    await expect(recording).rejects.toMatchObject({ name: 'SupersededError' });
    return;
  }
  await recording;
  for (const one of step.outcomes) if (!expected.done.has(one.unit)) expected.done.set(one.unit, one);
}
