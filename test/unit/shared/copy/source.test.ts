import { expect, it } from 'vitest';
import { explained } from '../../../../shared/copy/source.ts';
import { SourceChangedError } from '../../../../shared/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

it.each([
  ['is being written', 'open', 'OPEN', { name: 'OpenFileError', disposition: 'fail-unit' }],
  // HttpFS sends an empty body in place of a block that it cannot read.
  ['is as it was listed', 1000, 'OPEN', { name: 'TransportError', disposition: 'retry' }],
  ['was rewritten with the same length', 1000, 'GETFILESTATUS', { name: 'SourceChangedError' }],
  ['has another length', 5, 'OPEN', { name: 'SourceChangedError' }],
  ['cannot be told', undefined, 'READ', { name: 'SourceChangedError' }],
] as const)('a source that came with another length and %s', async (_what, length, operation, expected) => {
  const storage = { closedLength: () => Promise.resolve(length) } as unknown as Storage;
  const error = new SourceChangedError('it has shrunk', { operation, path: '/x' });
  expect(await explained(error, { storage, path: '/x', lengthBytes: 1000 }, never)).toMatchObject(expected);
});
