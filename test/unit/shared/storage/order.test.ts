import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { compareSignedBytes } from '../../../support/signed-bytes.ts';

/** Strings of any code points; those around the surrogates and the end of ASCII more often. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('a', '~', '\u007f', '\u0080', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'),
    maxLength: 4,
  }),
);

describe('namenodeOrder', () => {
  it('orders as the namenode does: by UTF-8 bytes taken as signed', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(namenodeOrder(a, b))).toBe(Math.sign(compareSignedBytes(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a', 'b'],
    ['a', 'ab'],
    ['B', 'a'],
    ['é', 'a'],
    ['aé', 'ab'],
    ['a', 'aé'],
    ['\uffee', '😀'],
    ['漢', '\x00'],
  ])('puts %j before %j', (a, b) => {
    expect(namenodeOrder(a, b)).toBeLessThan(0);
    expect(namenodeOrder(b, a)).toBeGreaterThan(0);
    expect(namenodeOrder(a, a)).toBe(0);
  });
});
