import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch, FileUnit, Unit } from '../../../../shared/job/unit.ts';
import { costOf, oneCopier, Packer, plannedFirst, type PackerState } from '../../../../shared/plan/packer.ts';
import { mixes, pack as packed, perfectFinish, simulatedFinish, unitsOf } from '../../../../bench/skew.ts';

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

const pack = (units: readonly Unit[]): Batch[] => packed(units, oneCopier);

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
    expect(new Packer(oneCopier, costOf).flush()).toEqual([]);
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

describe('Packer, for many copiers', () => {
  const copiers = 50;

  it.each(Object.entries(mixes))('ends within a tenth of the perfect time: %s', (_, lengths) => {
    const units = unitsOf(lengths);
    const batches = packed(units, plannedFirst(copiers));
    expect(simulatedFinish(batches, copiers) / perfectFinish(units, copiers)).toBeLessThan(1.1);
  });

  it('loses nothing, and repeats nothing, of what it holds back', () => {
    for (const lengths of Object.values(mixes)) {
      const units = unitsOf(lengths);
      const batches = packed(units, plannedFirst(copiers));
      expect(new Set(batches.flatMap((batch) => batch.units))).toEqual(new Set(units));
      expect(batches.reduce((count, batch) => count + batch.units.length, 0)).toBe(units.length);
      expect(batches.map(({ batch }) => batch)).toEqual(batches.map((__, index) => index));
    }
  });

  it('gives what takes long first', () => {
    const units = [...Array.from({ length: 100 }, () => unit({ lengthBytes: 1 })), unit({ lengthBytes: 2 ** 30 })];
    expect(packed(units, plannedFirst(copiers))[0]?.units).toEqual([units[100]]);
  });

  it('keeps files of about the same length in their order', () => {
    const units = Array.from({ length: 500 }, (_, index) =>
      unit({ path: `${index}`, lengthBytes: (index * 7919) % MIB }),
    );
    expect(packed(units, plannedFirst(copiers)).flatMap((batch) => batch.units)).toEqual(units);
  });

  it('has no file before its chunks, also where it holds too many units to hold them all', () => {
    const units = unitsOf(Array.from({ length: 300 }, (_, index) => (index % 7) * 2 ** 29));
    for (const heldBytes of [0, 1000, 20_000, 2 ** 22]) {
      const chunks = new Map<number, number>();
      for (const one of packed(units, { copiers, heldBytes }).flatMap((batch) => batch.units)) {
        if (one.kind === 'chunk') chunks.set(one.file.split.number, (chunks.get(one.file.split.number) ?? 0) + 1);
        else if (one.split)
          expect(chunks.get(one.split.number)).toBe(Math.ceil(one.lengthBytes / one.split.chunkBytes));
      }
      expect(chunks.size).toBeGreaterThan(100);
    }
  });

  it('packs the same batches when it is stopped between any two units and goes on elsewhere', () => {
    const units = unitsOf(Array.from({ length: 400 }, (_, index) => ((index * 7919) % 1000) * 2 ** 21));
    const sharing = { copiers, heldBytes: 20_000 };
    const batches: Batch[] = [];
    let state: PackerState | undefined;
    for (const one of units) {
      const packer = new Packer(sharing, costOf, state);
      batches.push(...packer.add(one));
      state = JSON.parse(JSON.stringify(packer.state)) as PackerState;
    }
    expect([...batches, ...new Packer(sharing, costOf, state).flush()]).toEqual(packed(units, sharing));
  });

  it('gives copiers that begin at once what there is, and holds nothing back', () => {
    const packer = new Packer(oneCopier, costOf);
    const batches = Array.from({ length: 9 }, () => packer.add(unit({ lengthBytes: 14 * MIB })));
    expect(batches.map((full) => full.length)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});
