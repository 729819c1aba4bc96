import { describe, expect, it } from 'vitest';
import { atOnceOver, sharesOf, transfersOver } from '../../../../shared/machine/shared-transfers.ts';

describe('sharesOf', () => {
  it.each([
    [10, 10, 3],
    [2, 2, 2],
    [10, 256, 4],
    [7, 7, 7],
  ])('deals %i to %i transfers out to %i processes, none of which has none', (first, most, count) => {
    const shares = sharesOf({ first, most, isAuto: first < most }, count);
    expect(shares).toHaveLength(count);
    expect(shares.reduce((sum, share) => sum + share.first, 0)).toBe(first);
    expect(shares.reduce((sum, share) => sum + share.most, 0)).toBe(most);
    expect(Math.min(...shares.map((share) => share.first))).toBe(Math.floor(first / count));
  });
});

const [one = never(), other = never()] = sharesOf({ first: 11, most: 11, isAuto: false }, 2);

function never(): never {
  throw new Error('there are two shares');
}

describe('what processes tell of the number of their transfers', () => {
  it('is nothing where it has not changed', () => {
    const nothing = [
      [undefined, one],
      [undefined, other],
    ] as const;
    expect(atOnceOver(nothing)).toBeUndefined();
    expect(transfersOver(nothing)).toBeUndefined();
  });

  it('adds up, with the share of those that tell nothing', () => {
    const busy = { cluster: 'prod', of: 6 };
    expect(
      atOnceOver([
        [undefined, one],
        [{ first: 6, now: 4, busy }, other],
      ]),
    ).toEqual({ first: 11, now: 9, busy: { cluster: 'prod', of: 11 } });
    expect(
      transfersOver([
        [{ first: 5, last: 3, busy: { prod: 2, staging: 1 } }, one],
        [{ first: 6, last: 6, busy: { prod: 1 } }, other],
      ]),
    ).toEqual({ first: 11, last: 9, busy: { prod: 3, staging: 1 } });
  });
});
