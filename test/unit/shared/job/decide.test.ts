import { describe, expect, it } from 'vitest';
import { decide, type Decision } from '../../../../shared/job/decide.ts';
import { type Existing, existingChoices } from '../../../../shared/job/existing.ts';
import { type Comparison, comparisons } from '../../../../shared/job/spec.ts';
import { status } from '../../../support/statuses.ts';

const file = (lengthBytes: number) => status({ kind: 'file', lengthBytes });
const directory = status({ kind: 'directory' });
const other = status({ kind: 'other' });

/** The rows of the truth table at `decide`; a list of values stands for "any". */
const table: readonly {
  what: string;
  source: ReturnType<typeof status>;
  destinations: readonly (ReturnType<typeof status> | undefined)[];
  existing: readonly Existing[];
  decision: Decision;
}[] = [
  {
    what: 'what is no file',
    source: other,
    destinations: [undefined, file(1), directory],
    existing: existingChoices,
    decision: { kind: 'skip', reason: 'not a regular file' },
  },
  {
    what: 'a directory that was no directory before',
    source: directory,
    destinations: [undefined, file(1), directory],
    existing: existingChoices,
    decision: {
      kind: 'fail',
      reason: 'a directory stands at the source by now: copy again, a resumed job does not list it',
      lasting: true,
    },
  },
  {
    what: 'a new file',
    source: file(7),
    destinations: [undefined],
    existing: existingChoices,
    decision: { kind: 'copy', reason: '' },
  },
  {
    what: 'a file where a directory stands',
    source: file(7),
    destinations: [directory],
    existing: existingChoices,
    decision: {
      kind: 'fail',
      reason: 'a directory stands at the destination: remove it, or copy with --exact --delete',
    },
  },
  {
    what: 'a file where something else stands',
    source: file(7),
    destinations: [other],
    existing: existingChoices,
    decision: { kind: 'fail', reason: 'something that is no file stands at the destination: remove it' },
  },
  {
    what: 'a file of another length, to be replaced',
    source: file(7),
    destinations: [file(8), file(0)],
    existing: ['update', 'overwrite'],
    decision: { kind: 'overwrite', reason: 'length differs' },
  },
  {
    what: 'a file of another length, to be kept',
    source: file(7),
    destinations: [file(8), file(0)],
    existing: ['fail'],
    decision: { kind: 'fail', reason: 'exists and differs in length' },
  },
  {
    what: 'a file of the same length, not to be compared',
    source: file(7),
    destinations: [file(7)],
    existing: ['overwrite'],
    decision: { kind: 'overwrite', reason: 'not compared' },
  },
  {
    what: 'a file whose name is taken, to be left alone',
    source: file(7),
    destinations: [file(7), file(8), file(0)],
    existing: ['skip'],
    decision: { kind: 'skip', reason: 'exists' },
  },
  {
    what: 'an empty file whose name is taken, to be left alone',
    source: { ...file(0), modifiedAtMs: file(0).modifiedAtMs + 1 },
    destinations: [file(0), file(8)],
    existing: ['skip'],
    decision: { kind: 'skip', reason: 'exists' },
  },
  {
    what: 'an empty file where an empty one stands, not to be compared',
    source: file(0),
    destinations: [file(0)],
    existing: ['overwrite'],
    decision: { kind: 'overwrite', reason: 'not compared' },
  },
  {
    what: 'an empty file where an empty one stands',
    source: file(0),
    destinations: [file(0)],
    existing: ['fail', 'update'],
    decision: { kind: 'skip', reason: 'both empty' },
  },
  {
    what: 'an empty file where an older empty one stands',
    source: { ...file(0), modifiedAtMs: file(0).modifiedAtMs + 1 },
    destinations: [file(0)],
    existing: ['fail', 'update'],
    decision: { kind: 'compare', reason: 'both empty' },
  },
  {
    what: 'a file of the same length, to be compared',
    source: file(7),
    destinations: [file(7)],
    existing: ['fail', 'update'],
    decision: { kind: 'compare', reason: 'same length' },
  },
];

describe('decide', () => {
  it.each(table)('decides for $what: $decision.kind', ({ source, destinations, existing, decision }) => {
    for (const destination of destinations) {
      for (const one of existing)
        expect(decide(source, destination, { existing: one, compare: 'checksum' })).toEqual(decision);
    }
  });

  it('fails a name that cannot be used before anything else', () => {
    const refused = { ...file(7), refusal: 'its name leads elsewhere' };
    for (const existing of existingChoices) {
      const decision = { kind: 'fail', reason: 'its name leads elsewhere', lasting: true };
      expect(decide(refused, file(7), { existing, compare: 'size' })).toEqual(decision);
    }
  });

  const [then, later] = [status({ lengthBytes: 7, modifiedAtMs: 1 }), status({ lengthBytes: 7, modifiedAtMs: 2 })];
  const longer = status({ lengthBytes: 8, modifiedAtMs: 1 });
  const [empty, laterEmpty] = [
    status({ lengthBytes: 0, modifiedAtMs: 1 }),
    status({ lengthBytes: 0, modifiedAtMs: 2 }),
  ];
  const ofOneTime = 'same length and modification time';
  const ofOneLength = 'same length, not compared';

  it.each<[Comparison, typeof then, typeof then, Decision['kind'], string]>([
    ['time', then, then, 'skip', ofOneTime],
    ['time', then, later, 'compare', 'same length'],
    ['time', later, then, 'compare', 'same length'],
    ['time', then, longer, 'overwrite', 'length differs'],
    ['time', empty, empty, 'skip', 'both empty'],
    ['time', laterEmpty, empty, 'compare', 'both empty'],
    ['size', then, later, 'skip', ofOneLength],
    ['size', then, longer, 'overwrite', 'length differs'],
    ['size', laterEmpty, empty, 'compare', 'both empty'],
    ['checksum', then, then, 'compare', 'same length'],
  ])('compares by %s', (compare, source, destination, kind, reason) => {
    expect(decide(source, destination, { existing: 'update', compare })).toEqual({ kind, reason });
    const kept = kind === 'overwrite' ? { kind: 'fail', reason: 'exists and differs in length' } : { kind, reason };
    expect(decide(source, destination, { existing: 'fail', compare })).toEqual(kept);
  });

  it.each(comparisons)('says nothing of files that are replaced or left alone unseen: %s', (compare) => {
    expect(decide(then, then, { existing: 'overwrite', compare }).kind).toBe('overwrite');
    expect(decide(then, longer, { existing: 'skip', compare }).reason).toBe('exists');
  });

  it('says of a directory that stands in the way whether it would have been deleted', () => {
    const options = { existing: 'update', compare: 'checksum', delete: true } as const;
    const reason = 'a directory stands at the destination, and was not deleted: remove it, and copy again';
    expect(decide(then, directory, options)).toEqual({ kind: 'fail', reason });
  });

  it('leaves modification times alone', () => {
    const [older, newer] = [then, later];
    const options = { existing: 'update', compare: 'checksum' } as const;
    expect(decide(older, newer, options)).toEqual(decide(newer, older, options));
  });
});
