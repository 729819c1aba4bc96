import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch, FileUnit, Unit } from '../../../../shared/job/unit.ts';
import { costOf, Packer } from '../../../../shared/plan/packer.ts';

const MIB = 1024 * 1024;
const LINE_LIMIT = 256 * 1024;

function unit(changes: Partial<FileUnit> = {}): FileUnit {
  return {
    kind: 'file',
    root: 0,
    path: 'a/b/c',
    lengthBytes: 0,
    modifiedAtMs: 1,
    blockBytes: 1024,
    decision: 'copy',
    ...changes,
  };
}

function pack(units: readonly Unit[]): Batch[] {
  const packer = new Packer(costOf);
  const batches = units.map((one) => packer.add(one));
  return [...batches, packer.flush()].filter((batch) => batch !== undefined);
}

const some = fc.array(
  fc.record({
    path: fc.string({ unit: 'grapheme', maxLength: 80 }),
    lengthBytes: fc.oneof(fc.nat(100), fc.nat(64 * MIB), fc.nat(2 ** 40)),
    decision: fc.constantFrom(
      'copy' as const,
      'overwrite' as const,
      'compare' as const,
      'skip' as const,
      'fail' as const,
    ),
  }),
  { maxLength: 300, size: 'max' },
);

describe('Packer', () => {
  it('loses nothing, repeats nothing, and keeps the order', () => {
    fc.assert(
      fc.property(some, (parts) => {
        const units = parts.map((part) => unit(part));
        const batches = pack(units);
        expect(batches.flatMap((batch) => batch.units)).toEqual(units);
        expect(batches.map(({ batch }) => batch)).toEqual(batches.map((_, index) => index));
        expect(batches.every((batch) => batch.units.length > 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('packs the same units into the same batches', () => {
    fc.assert(
      fc.property(some, (parts) => {
        const units = parts.map((part) => unit(part));
        expect(pack(units)).toEqual(pack(units));
      }),
      { numRuns: 10 },
    );
  });

  it('gives nothing for nothing', () => {
    expect(pack([])).toEqual([]);
    expect(new Packer(costOf).flush()).toBeUndefined();
  });

  it('begins with small batches, which grow up to a limit', () => {
    const batches = pack(Array.from({ length: 2000 }, () => unit({ lengthBytes: 14 * MIB })));
    const sizes = batches.map(({ units }) => units.length);
    expect(sizes[0]).toBe(1);
    expect(sizes.slice(0, -1)).toEqual(sizes.slice(0, -1).toSorted((a, b) => a - b));
    expect(Math.max(...sizes)).toBe(2048 / 16);
  });

  it('gives a file that is larger than any batch one of its own', () => {
    const units = [unit({ lengthBytes: 10 }), unit({ lengthBytes: 2 ** 40 }), unit({ lengthBytes: 10 })];
    expect(pack(units).map((batch) => batch.units.length)).toEqual([1, 1, 1]);
  });

  it('keeps each line well below what a state may hold, however long the paths', () => {
    const long = 'directory/'.repeat(100) + '"\\😀'.repeat(200);
    const batches = pack(Array.from({ length: 3000 }, () => unit({ path: long })));
    const bytes = batches.map((batch) => Buffer.byteLength(JSON.stringify(JSON.stringify(batch))));
    expect(batches.length).toBeGreaterThan(1);
    expect(Math.max(...bytes)).toBeLessThan(LINE_LIMIT);
    const plain = batches.map((batch) => Buffer.byteLength(JSON.stringify(batch)));
    expect(Math.max(...plain)).toBeLessThan(165 * 1024);
  });

  it('bounds the number of units, also of those that cost nothing', () => {
    const batches = pack(
      Array.from({ length: 2500 }, () => unit({ path: 'x', decision: 'skip', reason: 'both empty' })),
    );
    expect(batches.map(({ units }) => units.length)).toEqual([1000, 1000, 500]);
  });
});
