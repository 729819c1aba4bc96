import { expect, it } from 'vitest';
import { linesOf } from '../../../../shared/job/manifest-lines.ts';
import { messageOf } from '../../../../shared/errors.ts';
import { allOf, errorOf } from '../../../support/files.ts';

const unreadable = (cause: unknown) => new Error(`it cannot be read: ${messageOf(cause)}`);

async function* chunks(text: string, failure?: Error): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
  if (failure) throw failure;
}

it.each([
  ['a line that is no batch', chunks('nonsense\n'), 'it cannot be read: a line of it is no batch'],
  ['a chunk that does not come', chunks('', new Error('reset')), 'it cannot be read: reset'],
  ['a line without an end', chunks('{"batch":0,'), 'it cannot be read: it is cut short'],
])('says once that it cannot be read: %s', async (_, of, message) => {
  expect(await errorOf(allOf(linesOf(of, 0, unreadable)))).toMatchObject({ message });
});
