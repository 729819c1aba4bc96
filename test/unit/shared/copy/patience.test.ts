import { describe, expect, it } from 'vitest';
import { Patience } from '../../../../shared/copy/tries.ts';
import { IntegrityError, SourceChangedError, TransportError } from '../../../../shared/errors.ts';
import { type StorageCode, StorageError } from '../../../../shared/storage/errors.ts';

const where = { operation: 'CREATE', path: '/x' };
const refusal = (code: StorageCode, retryAfterMs?: number) =>
  new StorageError(code, 'SomeException', 'no', where, { retryAfterMs });

/** What is done after each of several failures of one unit. */
function after(errors: readonly unknown[], hasMoved: boolean) {
  const patience = new Patience();
  return errors.map((error) => patience.after(error, hasMoved));
}

describe('after a failed try', () => {
  it.each([
    { what: 'of what a moment mends', error: refusal('busy'), hasMoved: true, then: ['soon', 'soon', 'soon', 'soon'] },
    {
      what: 'of a connection',
      error: new TransportError('reset', where, {}),
      hasMoved: true,
      then: ['soon', 'soon', 'soon', 'soon'],
    },
    {
      what: 'of bytes that differ',
      error: new IntegrityError('differ', where),
      hasMoved: true,
      then: ['soon', 'soon', 'no'],
    },
    { what: 'of a datanode that has gone', error: refusal('no-block'), hasMoved: true, then: ['late', 'late', 'no'] },
    { what: 'of an unknown refusal', error: refusal('other'), hasMoved: false, then: ['soon', 'soon', 'no'] },
    { what: 'of one after bytes were moved', error: refusal('other'), hasMoved: true, then: ['no'] },
    { what: 'of a refusal that stays', error: refusal('denied'), hasMoved: false, then: ['no'] },
    {
      what: 'of a source that changed',
      error: new SourceChangedError('changed', where),
      hasMoved: false,
      then: ['no'],
    },
    { what: 'of something unexpected', error: new Error('bug'), hasMoved: false, then: ['no'] },
  ])('$what: $then', ({ error, hasMoved, then }) => {
    expect(
      after(
        then.map(() => error),
        hasMoved,
      ),
    ).toEqual(then);
  });

  it('it waits for as long as the server said', () => {
    expect(after([refusal('busy', 1234), refusal('io', 5)], false)).toEqual([{ afterMs: 1234 }, { afterMs: 5 }]);
  });
});
