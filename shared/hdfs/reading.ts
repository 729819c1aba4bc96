import { type FanoutError, SourceChangedError, TransportError, type Where } from '../errors.ts';
import type { ByteRange, Reading } from '../storage/storage.ts';
import type { Download } from './http.ts';
import { splitUrl } from './urls.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import type { TwoStep } from './two-step.ts';

/** Opens a part of a file. @throws as `Storage.read` */
export async function openFile(
  rest: NamenodeRest,
  twoStep: TwoStep,
  path: string,
  range: ByteRange,
  signal: AbortSignal,
): Promise<Reading> {
  if (range.lengthBytes === 0) return { body: nothing(), cancel: () => undefined };
  const { offset, lengthBytes, fileBytes } = range;
  // Without a length the answer's own shows whether the file is as long as it was listed, before a byte moves.
  const parameters = { offset, length: offset + lengthBytes < fileBytes ? lengthBytes : undefined };
  const answer = await rest.open('OPEN', path, parameters, signal);
  const asked = { operation: 'OPEN', path };
  if ('body' in answer) {
    const host = splitUrl(rest.nameservice(path).url).host;
    return received(answer, range, { ...asked, host }, signal);
  }
  if (answer.location === undefined) throw remoteErrorOf(answer.status, answer.text, asked);
  return twoStep.follow(answer.location, asked, async ({ url, where, headers, near }) => {
    const opened =
      (near && (await rest.http.openRaw(url, where, signal, lengthBytes))) ??
      (await rest.http.open(url, where, signal, headers));
    if (!('body' in opened)) throw remoteErrorOf(opened.status, opened.text, where);
    return { ...received(opened, range, where, signal), near };
  });
}

function received(
  { body, discard, lengthBytes: sent }: Download,
  { offset, lengthBytes, fileBytes }: ByteRange,
  where: Where,
  signal: AbortSignal,
): Pick<Reading, 'body' | 'cancel'> {
  if (sent !== undefined && sent < lengthBytes) {
    discard();
    throw new SourceChangedError(
      `it has shrunk from ${fileBytes} to ${offset + sent} bytes since it was listed`,
      where,
    );
  }
  const tooMany = () => tooLong({ offset, lengthBytes, fileBytes }, where);
  if (sent !== undefined && sent > lengthBytes) {
    discard();
    throw tooMany();
  }
  return { body: exactly(body, lengthBytes, where, signal, tooMany), cancel: discard };
}

/** What more bytes than were asked for mean: at the end of the file, that it has grown. */
function tooLong({ offset, lengthBytes, fileBytes }: ByteRange, where: Where): FanoutError {
  if (offset + lengthBytes < fileBytes) {
    return new TransportError(`the datanode sent more than the ${lengthBytes} bytes that it was asked for`, where, {});
  }
  return new SourceChangedError(`it has grown beyond ${fileBytes} bytes since it was listed`, where);
}

/** Passes a body on and insists on its length. @param tooMany  what is thrown for a byte more */
async function* exactly(
  body: AsyncIterable<Uint8Array>,
  lengthBytes: number,
  where: Where,
  signal: AbortSignal,
  tooMany: () => FanoutError,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  try {
    for await (const chunk of body) {
      seen += chunk.length;
      if (seen > lengthBytes) break;
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new TransportError(`the datanode broke off after ${seen} of ${lengthBytes} bytes`, where, { cause: error });
  }
  if (seen > lengthBytes) throw tooMany();
  if (seen !== lengthBytes) {
    throw new TransportError(`the datanode sent ${seen} of ${lengthBytes} bytes`, where, {});
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty range has no body to ask for.
}
