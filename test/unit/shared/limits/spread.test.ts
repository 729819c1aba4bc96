import { expect, it } from 'vitest';
import { OwnLeases, spread } from '../../../../shared/limits/leases.ts';

it('asks for the first lease of each budget at a moment of its own, and for the others at once', async () => {
  const leases = spread(new OwnLeases(), 200, () => 0.5);
  const startedAtMs = performance.now();
  expect(await leases.lease('one', 10, 1000)).toEqual({ startAtMs: 1100, count: 1 });
  expect(performance.now() - startedAtMs).toBeGreaterThan(90);
  expect(await leases.lease('one', 10, 2000)).toEqual({ startAtMs: 2000, count: 2 });
  expect(await leases.lease('two', 10, 3000)).toEqual({ startAtMs: 3100, count: 1 });
});
