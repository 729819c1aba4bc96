import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTemporary, temporaryPath } from '../../../../shared/job/temporary.ts';
import { basename, parentOf } from '../../../../shared/storage/path.ts';

const digit = fc.nat(11);
const attempt = fc.record({ job: fc.constantFrom('j', 'j1'), batch: digit, unit: digit, claim: digit, attempt: digit });

describe('temporaryPath', () => {
  it('lies beside the target, whatever that is called', () => {
    const of = { job: 'j', batch: 1, unit: 2, claim: 3, attempt: 4 };
    expect(parentOf(temporaryPath('/data/in/file', of))).toBe('/data/in');
    expect(parentOf(temporaryPath('/file', of))).toBe('/');
  });

  it('is no longer than a name may be, also for the longest target and the largest numbers', () => {
    const of = { job: randomUUID(), batch: 999_999, unit: 999, claim: 9999, attempt: 99 };
    const name = basename(temporaryPath(`/data/${'n'.repeat(255)}`, of));
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(100);
    expect(name).toBe(basename(temporaryPath('/data/n', of)));
  });

  const of = { job: 'j', batch: 1, unit: 2, claim: 3, attempt: 4 };
  it.each([{ job: 'k' }, { batch: 9 }, { unit: 9 }, { claim: 9 }, { attempt: 9 }])(
    'is another one for %j',
    (change) => {
      expect(temporaryPath('/x/y', { ...of, ...change })).not.toBe(temporaryPath('/x/y', of));
    },
  );

  it('is never shared by two attempts', () => {
    fc.assert(
      fc.property(attempt, attempt, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(temporaryPath('/x/y', a) === temporaryPath('/x/y', b)).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });

  it('is known as temporary, and begins as names do that Hive and MapReduce ignore', () => {
    const name = basename(temporaryPath('/x/y', { job: 'j', batch: 1, unit: 2, claim: 3, attempt: 4 }));
    expect(isTemporary(name)).toBe(true);
    expect(name).toMatch(/^_/);
    expect(['file', '_SUCCESS', '.hdfs-fanout.x', 'x_hdfs-fanout.'].filter((other) => isTemporary(other))).toEqual([]);
  });
});
