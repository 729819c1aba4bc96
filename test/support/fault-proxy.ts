import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request on its way through a fault proxy. */
export interface FaultProxyRequest {
  /** WebHDFS operation. */
  readonly operation: string;
  /** As HDFS names it: decoded, without `/webhdfs/v1`. */
  readonly path: string;
  readonly to: 'namenode' | 'datanode';
  /** As it was sent, credentials and all. */
  readonly query: string;
}

/** What a fault proxy does to a request instead of passing it on as it is. */
export type Reaction =
  /** Answers by itself. */
  | { readonly answer: { readonly status: number; readonly body: string } }
  /** Takes the request and never says a word. */
  | 'hang'
  /** Ends the connection before the server hears of the request, or once it has done what it was asked. */
  | 'cut-before'
  | 'cut-after'
  /** Passes it on, and another Location back. */
  | { readonly location: (location: string) => string }
  /** Passes it on, and the body of request or answer with one bit that is another. */
  | 'flip'
  /** Passes it on, and the answer back slowly. */
  | { readonly bytesPerSecond: number }
  /** Passes it on, and so many bytes of the answer back, and then nothing for ever. */
  | { readonly stallsAfter: number }
  /** Passes it on, and the answer back after a while. */
  | { readonly answersAfterMs: number };

export interface FaultProxyOptions {
  /** Datanodes are reached through the fault proxy as well. */
  readonly datanodes?: boolean;
  /** Asked about every request, which waits for it. */
  readonly react?: (request: FaultProxyRequest) => Reaction | undefined | Promise<Reaction | undefined>;
}

const DATANODE = /^\/datanode\/([^/]+)(\/.*)$/;
const TICK_MS = 50;

/** A proxy before a real namenode or HttpFS, and before datanodes when asked: real answers, but for those that a test replaces. */
export class FaultProxy implements AsyncDisposable {
  readonly url: string;
  /** Every request that came, in order. */
  readonly requests: FaultProxyRequest[] = [];
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(namenodeUrl: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const server = createServer((request, response) => {
      void serve(faultProxy, namenodeUrl, options, request, response).catch(() => response.destroy());
    });
    // A client that asks to be told to continue is told by the real server.
    server.on('checkContinue', (request, response) => server.emit('request', request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    const faultProxy = new FaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, close);
    return faultProxy;
  }

  /** How often an operation was asked for. */
  count(operation: string): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

async function serve(
  faultProxy: FaultProxy,
  namenodeUrl: string,
  options: FaultProxyOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  const [, datanode, rest = request.url ?? '/'] = DATANODE.exec(request.url ?? '/') ?? [];
  const upstream = new URL(rest, datanode === undefined ? namenodeUrl : `http://${datanode}`);
  const seen: FaultProxyRequest = {
    operation: upstream.searchParams.get('op') ?? '',
    path: decodeURIComponent(upstream.pathname).replace(/^\/webhdfs\/v1/, ''),
    to: datanode === undefined ? 'namenode' : 'datanode',
    query: upstream.search,
  };
  faultProxy.requests.push(seen);
  const reaction = await options.react?.(seen);
  if (reaction === 'hang') return;
  if (reaction === 'cut-before') return void response.destroy();
  if (typeof reaction === 'object' && 'answer' in reaction) {
    request.resume();
    const { status, body } = reaction.answer;
    const type = body.startsWith('{') ? 'application/json' : 'text/html';
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    response.writeHead(status, headers).end(body);
    return;
  }
  const answer = await forward(`${upstream.origin}${rest}`, request, response, reaction === 'flip');
  if (typeof reaction === 'object' && 'answersAfterMs' in reaction)
    await sleep(reaction.answersAfterMs, undefined, { ref: false });
  if (reaction === 'cut-after') {
    answer.resume();
    await once(answer, 'end');
    return void response.destroy();
  }
  const { location } = answer.headers;
  if (location !== undefined) {
    const own = location.startsWith(`${namenodeUrl}/`);
    const through = own
      ? location.replace(namenodeUrl, faultProxy.url)
      : options.datanodes
        ? location.replace(/^http:\/\/([^/]+)/, `${faultProxy.url}/datanode/$1`)
        : location;
    const changed = typeof reaction === 'object' && 'location' in reaction ? reaction.location(through) : through;
    answer.headers.location = changed;
  }
  delete answer.headers['transfer-encoding'];
  response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' });
  const slow = typeof reaction === 'object' && 'bytesPerSecond' in reaction;
  const flipped = reaction === 'flip' ? answer.pipe(flipping()) : answer;
  const stalls = typeof reaction === 'object' && 'stallsAfter' in reaction;
  const stalled = stalls ? Readable.from(beginningOf(answer, reaction.stallsAfter)) : flipped;
  const body = slow ? Readable.from(slowly(answer, reaction.bytesPerSecond)) : stalled;
  body.on('error', () => response.destroy()).pipe(response);
}

/** Sends a request on, its body as it comes, and gives the answer's head. */
async function forward(
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
  flips: boolean,
): Promise<IncomingMessage> {
  const headers = { ...request.headers };
  delete headers.host;
  delete headers.expect;
  const upstream = send(url, { method: request.method, headers, agent: false });
  upstream.on('continue', () => response.writeContinue());
  response.on('close', () => upstream.destroy());
  if (flips) request.pipe(flipping()).pipe(upstream);
  else request.pipe(upstream);
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
  upstream.on('error', () => answer.destroy());
  return answer;
}

/** Changes the last bit of the first piece that goes through. */
function flipping(): Transform {
  let isDone = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.from(chunk);
      if (!isDone && bytes.length > 0) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      isDone = true;
      done(null, bytes);
    },
  });
}

/** The first bytes, and no end. */
async function* beginningOf(body: IncomingMessage, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) break;
  }
  await new Promise(() => undefined);
}

async function* slowly(body: IncomingMessage, bytesPerSecond: number): AsyncGenerator<Uint8Array> {
  const piece = Math.ceil((bytesPerSecond * TICK_MS) / 1000);
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += piece) {
      await sleep(TICK_MS);
      yield chunk.subarray(at, at + piece);
    }
  }
}
