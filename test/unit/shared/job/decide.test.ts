import { describe, expect, it } from 'vitest';
import { decide, type Decision } from '../../../../shared/job/decide.ts';
import { status } from '../../../support/statuses.ts';

const file = (lengthBytes: number) => status({ kind: 'file', lengthBytes });
const directory = status({ kind: 'directory' });
const other = status({ kind: 'other' });
const both = [true, false];

/** The rows of the truth table at `decide`; a list of values stands for "any". */
const table: readonly {
  what: string;
  source: ReturnType<typeof status>;
  destinations: readonly (ReturnType<typeof status> | undefined)[];
  force: readonly boolean[];
  checksum: readonly boolean[];
  decision: Decision;
}[] = [
  {
    what: 'what is no file',
    source: other,
    destinations: [undefined, file(1), directory],
    force: both,
    checksum: both,
    decision: { kind: 'skip', reason: 'not a regular file' },
  },
  {
    what: 'a new file',
    source: file(7),
    destinations: [undefined],
    force: both,
    checksum: both,
    decision: { kind: 'copy', reason: '' },
  },
  {
    what: 'a file where a directory stands',
    source: file(7),
    destinations: [directory],
    force: both,
    checksum: both,
    decision: { kind: 'fail', reason: 'a directory stands at the destination' },
  },
  {
    what: 'a file where something else stands',
    source: file(7),
    destinations: [other],
    force: both,
    checksum: both,
    decision: { kind: 'fail', reason: 'something that is no file stands at the destination' },
  },
  {
    what: 'a file of another length, with force',
    source: file(7),
    destinations: [file(8), file(0)],
    force: [true],
    checksum: both,
    decision: { kind: 'overwrite', reason: 'length differs' },
  },
  {
    what: 'a file of another length, without force',
    source: file(7),
    destinations: [file(8), file(0)],
    force: [false],
    checksum: both,
    decision: { kind: 'fail', reason: 'exists and differs in length' },
  },
  {
    what: 'a file of the same length, with force, not to be compared',
    source: file(7),
    destinations: [file(7)],
    force: [true],
    checksum: [false],
    decision: { kind: 'overwrite', reason: 'not compared' },
  },
  {
    what: 'a file of the same length, without force, not to be compared',
    source: file(7),
    destinations: [file(7)],
    force: [false],
    checksum: [false],
    decision: { kind: 'fail', reason: 'exists' },
  },
  {
    what: 'an empty file where an empty one stands',
    source: file(0),
    destinations: [file(0)],
    force: both,
    checksum: [true],
    decision: { kind: 'skip', reason: 'both empty' },
  },
  {
    what: 'an empty file where an older empty one stands',
    source: { ...file(0), modifiedAtMs: file(0).modifiedAtMs + 1 },
    destinations: [file(0)],
    force: both,
    checksum: [true],
    decision: { kind: 'compare', reason: 'both empty' },
  },
  {
    what: 'a file of the same length, to be compared',
    source: file(7),
    destinations: [file(7)],
    force: both,
    checksum: [true],
    decision: { kind: 'compare', reason: 'same length' },
  },
];

describe('decide', () => {
  it.each(table)('decides for $what: $decision.kind', ({ source, destinations, force, checksum, decision }) => {
    for (const destination of destinations) {
      for (const options of force.flatMap((f) => checksum.map((c) => ({ force: f, checksum: c })))) {
        expect(decide(source, destination, options)).toEqual(decision);
      }
    }
  });

  it('leaves modification times alone', () => {
    const [older, newer] = [status({ lengthBytes: 7, modifiedAtMs: 1 }), status({ lengthBytes: 7, modifiedAtMs: 2 })];
    const options = { force: true, checksum: true };
    expect(decide(older, newer, options)).toEqual(decide(newer, older, options));
  });
});
