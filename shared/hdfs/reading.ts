import { FanoutError, SourceChangedError, TransportError, type Where } from '../errors.ts';
import type { ByteRange, Reading } from '../storage/storage.ts';
import { LeastRate } from '../storage/least-rate.ts';
import type { Download, Patience } from './http.ts';
import { splitUrl } from './urls.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { isSilence } from './transport-error.ts';
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
  const answer = await twoStep.begin(path, signal, (elsewhere) =>
    rest.open('OPEN', path, { ...parameters, ...elsewhere }, signal),
  );
  const asked = { operation: 'OPEN', path };
  const nameservice = rest.nameservice(path);
  const { url: base } = nameservice;
  const server = { sender: 'the server', onLost: () => nameservice.failOver(base) };
  if ('body' in answer) {
    const where = { ...asked, host: splitUrl(base).host };
    return received(answer, range, { ...server, where }, rest.http.patience, signal);
  }
  if (answer.location === undefined) throw remoteErrorOf(answer.status, answer.text, asked);
  return twoStep.follow(answer.location, asked, async ({ url, where, headers, near }) => {
    const opened =
      (near && (await rest.http.openRaw(url, where, signal, lengthBytes))) ??
      (await rest.http.open(url, where, signal, headers));
    if (!('body' in opened)) throw remoteErrorOf(opened.status, opened.text, where);
    const onLost = (reason: string) => twoStep.avoided.note(where.host ?? '', reason);
    const from = near ? { sender: 'the datanode', where, onLost } : { ...server, where };
    return { ...received(opened, range, from, rest.http.patience, signal), near };
  });
}

/** Who sends bytes. */
interface From {
  readonly sender: string;
  readonly where: Where;
  /** Called where it sends no more, or too slowly. */
  readonly onLost: (reason: string) => void;
}

function received(
  download: Download,
  { offset, lengthBytes, fileBytes }: ByteRange,
  from: From,
  patience: Patience,
  signal: AbortSignal,
): Pick<Reading, 'body' | 'cancel'> {
  const { body, discard, lengthBytes: sent } = download;
  const { where } = from;
  if (sent !== undefined && sent < lengthBytes) {
    discard();
    throw new SourceChangedError(
      `it has shrunk from ${fileBytes} to ${offset + sent} bytes since it was listed`,
      where,
    );
  }
  const tooMany = () => tooLong({ offset, lengthBytes, fileBytes }, from);
  if (sent !== undefined && sent > lengthBytes) {
    discard();
    throw tooMany();
  }
  const { leastRate, stallMs } = patience;
  const given = leastRate > 0 ? new LeastRate(leastRate, where, discard).given(body) : body;
  let isGivenBack = false;
  const cancel = () => {
    isGivenBack = true;
    discard();
  };
  // What breaks off because nobody wants it any more is no lost connection.
  const onLost = (reason: string) => {
    if (!isGivenBack) from.onLost(reason);
  };
  return { body: exactly(given, lengthBytes, { ...from, onLost }, stallMs, signal, tooMany), cancel };
}

/** What more bytes than were asked for mean: at the end of the file, that it has grown. */
function tooLong({ offset, lengthBytes, fileBytes }: ByteRange, { sender, where }: From): FanoutError {
  if (offset + lengthBytes < fileBytes) {
    return new TransportError(`${sender} sent more than the ${lengthBytes} bytes that it was asked for`, where, {});
  }
  return new SourceChangedError(`it has grown beyond ${fileBytes} bytes since it was listed`, where);
}

/** Passes a body on and insists on its length. @param tooMany  what is thrown for a byte more */
async function* exactly(
  body: AsyncIterable<Uint8Array>,
  lengthBytes: number,
  { sender, where, onLost }: From,
  stallMs: number,
  signal: AbortSignal,
  tooMany: () => FanoutError,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  const lost = (reason: string, cause?: unknown) => {
    onLost(reason);
    return cause instanceof FanoutError ? cause : new TransportError(`${sender} ${reason}`, where, { cause });
  };
  try {
    for await (const chunk of body) {
      seen += chunk.length;
      if (seen > lengthBytes) break;
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FanoutError) throw lost(error.reason, error);
    const how = isSilence(error) ? `sent nothing for ${stallMs / 1000} s` : 'broke off';
    throw lost(`${how} after ${seen} of ${lengthBytes} bytes`, error);
  }
  if (seen > lengthBytes) throw tooMany();
  if (seen !== lengthBytes) throw lost(`sent ${seen} of ${lengthBytes} bytes`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty range has no body to ask for.
}
