import http, { type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { Agent, type Dispatcher } from 'undici';
import { TransportError, type Where } from '../errors.ts';
import { Connector, type Route } from './connector.ts';
import { Cookies } from './cookies.ts';
import { DatanodeConnection } from './datanode/connection.ts';
import { transportError } from './transport-error.ts';

/** A whole answer with a small body. */
export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
  /** What a server says of itself when it wants, or accepts, a proof of who asks. */
  readonly challenge: string | undefined;
  /** Set-Cookie lines. */
  readonly cookies: readonly string[];
  /** When the server answered, by its own clock. */
  readonly date: string | undefined;
  /** For how long the server wants to be left alone, as it said so: seconds, or a date. */
  readonly retryAfter: string | undefined;
}

export type Headers = Readonly<Record<string, string>>;

/** An answer whose body is still on its way: the caller reads it to its end or destroys it. */
export interface Download {
  readonly status: 200;
  readonly lengthBytes: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection of a body that will not be read. */
  readonly discard: () => void;
  readonly cookies: readonly string[];
}

/** For how long nothing may come from a server, ms. */
export interface Patience {
  /** Before the answer of a namenode, HttpFS or gateway. */
  readonly answerMs: number;
  /** Before the next bytes of a file, and before the answer of whoever reads or writes them. */
  readonly dataMs: number;
}

/** An error page is read up to here; nobody reads further. */
const ERROR_BODY_BYTES = 64 * 1024;
/** Bodies up to this fit into the sockets' buffers: a refusal is still read after they were sent. */
const SMALL_BODY_BYTES = 256 * 1024;
/** A Location holds a path of up to 8,000 characters, each of which may be nine when encoded. */
const HEADER_BYTES = 256 * 1024;
/** Jetty wants a content type with a body and HttpFS this one; Knox rewrites bodies of other types. */
const CONTENT_TYPE = 'application/octet-stream';
/** Asked for by servers with dfs.webhdfs.rest-csrf.enabled; any value will do. */
const CSRF_HEADER = { 'x-xsrf-header': 'hdfs-fanout' };

/**
 * Sends single requests. Follows no redirect (they carry secrets and decide what is sent next), retries nothing, and
 * turns every failure of the network into a TransportError.
 */
export class HttpTransport {
  /** Of namenodes, HttpFS and gateways: datanodes set none and are sent none. */
  readonly cookies = new Cookies();
  readonly patience: Patience;
  readonly #agent: Agent;
  /** Which good answers of datanodes, or of what stands before them, are not simple ones. */
  readonly #unfamiliar = new Set<string>();
  readonly #connector: Connector;

  constructor(route: Route, patience: Patience) {
    const connector = new Connector(route);
    this.#connector = connector;
    this.patience = patience;
    this.#agent = new Agent({
      connect: ({ protocol, host, hostname }, callback) => {
        connector.connect(`${protocol}//${host ?? hostname}`).then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(error as Error, null),
        );
      },
      keepAliveTimeout: 10_000,
      maxHeaderSize: HEADER_BYTES,
    });
  }

  /** @param answerMs  for how long the answer may take */
  async exchange(
    method: string,
    url: string,
    where: Where,
    signal: AbortSignal,
    headers: Headers = {},
    answerMs = this.patience.answerMs,
  ): Promise<Answer> {
    const response = await this.#send(method, url, where, signal, headers, { answerMs, bodyMs: answerMs });
    return this.#read(response, where, signal);
  }

  /** Asks for data, which may come at once or only after a redirect. @param answerMs  for how long the answer may take */
  async open(
    url: string,
    where: Where,
    signal: AbortSignal,
    headers: Headers = {},
    answerMs = this.patience.dataMs,
  ): Promise<Answer | Download> {
    const limits = { answerMs, bodyMs: this.patience.dataMs };
    const response = await this.#send('GET', url, where, signal, headers, limits);
    const { statusCode: status, headers: given, body } = response;
    if (status !== 200 || /^text\/html/.test(single(given['content-type']) ?? '')) {
      return this.#read(response, where, signal, readErrorText);
    }
    const length = single(given['content-length']);
    const cookies = [given['set-cookie'] ?? []].flat();
    const discard = () => void body.on('error', () => undefined).destroy();
    return { status, lengthBytes: length === undefined ? undefined : Number(length), body, discard, cookies };
  }

  /**
   * Begins a connection to a datanode, for `openRaw` or `exchangeRaw`.
   * @param wantedBytes  how long the body of the answer is expected to be
   * @returns undefined where these are not for that server: a proxy stands between, or its answers are not simple ones
   */
  reserve(url: string, where: Where, wantedBytes: number): DatanodeConnection | undefined {
    const { origin, path } = splitUrl(url, where);
    if (!this.#connector.readsInto || this.#unfamiliar.has(answersOf(origin, where)) || /[^!-~]/.test(path)) return;
    return new DatanodeConnection(this.#connector, origin, wantedBytes, this.patience.dataMs);
  }

  /**
   * As `open`, of a datanode, whose connection is for this answer alone: its bytes come straight from the socket.
   * @param wantedBytes  how long the body is expected to be
   * @returns undefined where the answer is not a simple one or a proxy stands between: `open` is for those
   */
  async openRaw(
    url: string,
    where: Where,
    signal: AbortSignal,
    wantedBytes: number,
  ): Promise<Answer | Download | undefined> {
    signal.throwIfAborted();
    const connection = this.reserve(url, where, wantedBytes);
    return connection && this.#openOn(connection, url, where, signal, this.patience.dataMs);
  }

  /**
   * As `exchange`, of a datanode.
   * @param answerMs  for how long the answer may take
   * @param reserved  for this URL
   * @returns undefined as `openRaw`
   */
  async exchangeRaw(
    url: string,
    where: Where,
    signal: AbortSignal,
    answerMs: number,
    reserved?: DatanodeConnection,
  ): Promise<Answer | undefined> {
    signal.throwIfAborted();
    const connection = reserved ?? this.reserve(url, where, 0);
    const opened = connection && (await this.#openOn(connection, url, where, signal, answerMs));
    if (!opened || 'text' in opened) return opened;
    try {
      return answerOf(opened.status, {}, await readText(opened.body));
    } catch (error) {
      throw this.#transportError(error, where, signal, answerMs);
    }
  }

  async #openOn(
    connection: DatanodeConnection,
    url: string,
    where: Where,
    signal: AbortSignal,
    idleMs: number,
  ): Promise<Answer | Download | undefined> {
    const { origin, path, host } = splitUrl(url, where);
    const { body } = connection;
    try {
      await connection.ask(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`, signal, idleMs);
      const head = await body.head();
      if (typeof head === 'number') {
        return { status: 200, lengthBytes: head, body, discard: () => body.destroy(), cookies: [] };
      }
      if (head === 'unfamiliar') this.#unfamiliar.add(answersOf(origin, where));
      else {
        const refusal = await body.refusal();
        connection[Symbol.dispose]();
        if (refusal) return answerOf(refusal.status, {}, refusal.text);
      }
    } catch (error) {
      connection[Symbol.dispose]();
      throw this.#transportError(error, where, signal, idleMs);
    }
    connection[Symbol.dispose]();
    return undefined;
  }

  /**
   * Sends a body and waits for the answer. Through node:http, since a datanode answers every upload with an
   * unsolicited `100 Continue`, which undici takes for a broken server.
   *
   * Resolves as soon as the server answers, also when it refuses before it has read the whole body.
   * @param interim  whether the server is one that answers so; HttpFS and gateways are not
   * @param patient  whether a refusal is likely: then no byte is sent before there was time for one
   */
  async upload(
    method: string,
    url: string,
    body: AsyncIterable<Uint8Array>,
    lengthBytes: number,
    where: Where,
    signal: AbortSignal,
    {
      headers = {},
      interim = true,
      patient = false,
    }: { readonly headers?: Headers; readonly interim?: boolean; readonly patient?: boolean } = {},
  ): Promise<Answer> {
    signal.throwIfAborted();
    const { origin, path, host } = splitUrl(url, where);
    const socket = await this.#connector.connect(origin, signal).catch((error: unknown) => {
      throw this.#transportError(error, where, signal);
    });
    // Its socket is there, with TLS where it must be: what is spoken on it is the same.
    const request = http.request({
      method,
      path,
      headers: { host, 'content-type': CONTENT_TYPE, 'content-length': lengthBytes, ...CSRF_HEADER, ...headers },
      createConnection: () => socket,
      maxHeaderSize: HEADER_BYTES,
      signal,
    });
    const { dataMs } = this.patience;
    request.setTimeout(dataMs, () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    const closed = once(request, 'close');
    closed.catch(() => undefined);
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    answered.catch(() => undefined);
    const wait = interim && (patient ? patiently : lengthBytes > SMALL_BODY_BYTES ? shortly : undefined);
    const sent = sendBody(request, body, wait || undefined, answered);
    try {
      const [response] = await Promise.race([answered, sent.then(() => answered)]);
      return answerOf(response.statusCode ?? 0, response.headers, await readText(response));
    } catch (error) {
      // The first failure of the two explains the other: a source that broke off also ends the request.
      throw this.#transportError(
        await sent.then(
          () => error,
          (bodyError: unknown) => bodyError,
        ),
        where,
        signal,
        dataMs,
      );
    } finally {
      request.destroy();
      // An aborted request is waited for: nothing of it is on its way when this returns.
      await closed.catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(
    method: string,
    url: string,
    where: Where,
    signal: AbortSignal,
    headers: Headers,
    { answerMs, bodyMs }: { readonly answerMs: number; readonly bodyMs: number },
  ) {
    const { origin, path } = splitUrl(url, where);
    try {
      return await this.#agent.request({
        origin,
        path,
        method: method,
        headers: { 'content-type': CONTENT_TYPE, ...(method === 'GET' ? {} : CSRF_HEADER), ...headers },
        headersTimeout: answerMs,
        bodyTimeout: bodyMs,
        signal,
      });
    } catch (error) {
      throw this.#transportError(error, where, signal, answerMs);
    }
  }

  async #read(response: Dispatcher.ResponseData, where: Where, signal: AbortSignal, read = readText): Promise<Answer> {
    try {
      return answerOf(response.statusCode, response.headers, await read(response.body));
    } catch (error) {
      throw this.#transportError(error, where, signal);
    }
  }

  #transportError(error: unknown, where: Where, signal: AbortSignal, limitMs = this.patience.answerMs): unknown {
    if (signal.aborted) return signal.reason;
    return transportError(error, where, limitMs);
  }
}

interface Wait {
  /** How long a datanode's interim answer is waited for, ms. */
  readonly interimMs: number;
  /** From a datanode's interim answer to its refusal, ms: in between it asks the namenode. */
  readonly refusalMs: number;
}

const shortly: Wait = { interimMs: 200, refusalMs: 10 };
const patiently: Wait = { interimMs: 5000, refusalMs: 200 };

/**
 * Writes the body until it ends or the server answers early. Waits for the interim answer before a large one: a refusal is
 * then read, not lost in a reset connection.
 */
async function sendBody(
  request: http.ClientRequest,
  body: AsyncIterable<Uint8Array>,
  wait: Wait | undefined,
  answered: Promise<unknown>,
): Promise<void> {
  // One waiter that every event wakes: a race per piece would pile up reactions on `answered` for as long as it is open.
  const state = { over: false, wake: (): void => undefined };
  const stop = () => {
    state.over = true;
    state.wake();
  };
  answered.then(stop, stop);
  request.on('close', stop);
  if (wait) {
    request.flushHeaders();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait.interimMs);
      request.once('continue', () => {
        clearTimeout(timer);
        setTimeout(resolve, wait.refusalMs);
      });
      state.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  try {
    for await (const chunk of body) {
      if (state.over) return;
      // Its memory may be filled again once the next chunk is asked for.
      await new Promise<void>((resolve) => {
        state.wake = resolve;
        request.write(chunk, () => resolve());
      });
    }
    if (!state.over) request.end();
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/**
 * Splits without normalising: the path of a redirect is sent as the server spelt it.
 * @param where  of the request that was redirected
 */
export function splitUrl(
  url: string,
  where: Where = { operation: 'request', path: '/' },
): { origin: string; path: string; host: string } {
  const [, origin = '', host = '', path = '/'] = /^(https?:\/\/([^/?#]+))([^#]*)$/.exec(url) ?? [];
  if (URL.canParse(origin)) return { origin, host, path };
  throw new TransportError('the server redirected to something that is not an http or https URL', where, {});
}

/** What one datanode answers to one operation. */
function answersOf(origin: string, { operation }: Where): string {
  return `${operation} ${origin}`;
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  // The memory of a piece may be filled again once the next one is asked for.
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads the beginning of an error page. */
async function readErrorText(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.length > ERROR_BODY_BYTES) break;
  }
  return text;
}

function answerOf(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  return {
    status,
    location: single(headers.location),
    text,
    challenge: single(headers['www-authenticate']),
    cookies: headers['set-cookie'] === undefined ? [] : [headers['set-cookie']].flat(),
    date: single(headers.date),
    retryAfter: single(headers['retry-after']),
  };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
