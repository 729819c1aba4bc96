import { describe, expect, it } from 'vitest';
import { type Existing, existingChoices } from '../../../../shared/job/existing.ts';
import { destinationPathOf, type FileUnit, isFinal, parseBatch, sourcePathOf } from '../../../../shared/job/unit.ts';

const unit: FileUnit = {
  kind: 'file',
  root: 1,
  path: 'a/b',
  lengthBytes: 1,
  modifiedAtMs: 2,
  blockBytes: 1024,
  decision: 'copy',
};
const roots = [
  { source: '/in/one', destination: '/out/one', kind: 'directory' as const },
  { source: '/in/two', destination: '/out/two', kind: 'directory' as const },
];

describe('the paths of a unit', () => {
  it('lie below its root at both ends', () => {
    expect(sourcePathOf(roots, unit)).toBe('/in/two/a/b');
    expect(destinationPathOf(roots, unit)).toBe('/out/two/a/b');
  });

  it('are the root itself where the root is the file', () => {
    expect(sourcePathOf(roots, { ...unit, path: '' })).toBe('/in/two');
    expect(destinationPathOf(roots, { ...unit, path: '' })).toBe('/out/two');
  });

  it('of a flattened file lead to a name directly below the destination', () => {
    expect(sourcePathOf(roots, { ...unit, flatName: 'b' })).toBe('/in/two/a/b');
    expect(destinationPathOf(roots, { ...unit, flatName: 'b' })).toBe('/out/two/b');
  });

  it('are refused for a root that the job does not have', () => {
    expect(() => sourcePathOf(roots, { ...unit, root: 2 })).toThrow('root 2, and the job has 2');
    expect(() => destinationPathOf([], unit)).toThrow('root 1, and the job has 0');
  });
});

describe('a manifest line', () => {
  it('is read as it was written', () => {
    const batch = { batch: 3, units: [unit, { ...unit, flatName: 'b' }] };
    expect(parseBatch(JSON.stringify(batch))).toEqual(batch);
  });

  it('of an earlier version holds files, with what their fields are called now', () => {
    const stripe = { dataUnits: 6, parityUnits: 3, cellBytes: 1_048_576 };
    const { kind: _, ...first } = unit;
    const line = JSON.stringify({ batch: 0, units: [first, { ...first, to: 'b', into: stripe, stripe }] });
    expect(parseBatch(line)).toEqual({
      batch: 0,
      units: [unit, { ...unit, flatName: 'b', newStripe: stripe, stripe }],
    });
  });
});

describe('isFinal', () => {
  const exists = { ...unit, decision: 'skip', reason: 'exists' } as const;

  it.each<[string, FileUnit, readonly Existing[]]>([
    ['a skipped file', { ...unit, decision: 'skip', reason: 'not a regular file' }, existingChoices],
    ['a file that was skipped because its name was taken', exists, ['skip']],
    ['a lasting refusal', { ...unit, decision: 'fail', lasting: true }, existingChoices],
    ['another refusal', { ...unit, decision: 'fail' }, []],
    ['a file to be copied', { ...unit, decision: 'copy' }, []],
    ['a file to be replaced', { ...unit, decision: 'overwrite' }, []],
    ['a file to be compared', { ...unit, decision: 'compare' }, []],
  ])('of %s', (_what, planned, final) => {
    expect(existingChoices.filter((existing) => isFinal(planned, { existing }))).toEqual(final);
  });
});
