import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { Where } from '../errors.ts';
import { Connector, type Route } from './connector.ts';
import { StorageError } from '../storage/errors.ts';
import { LeastRate } from '../storage/least-rate.ts';
import { blocksMs } from '../storage/pace.ts';
import { Cookies } from './cookies.ts';
import { ERROR_BODY_BYTES, HEADER_BYTES, type RawAnswer } from './datanode/answer.ts';
import { DatanodeConnection } from './datanode/connection.ts';
import { transportError } from './transport-error.ts';
import { splitUrl } from './urls.ts';
import { CONTENT_TYPE, CSRF_HEADER, type Upload, Uploads } from './uploads.ts';

export type Headers = Readonly<Record<string, string>>;

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

/** An answer whose body is still on its way: the caller reads it to its end or destroys it. */
export interface Download {
  readonly status: 200;
  readonly lengthBytes: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection of a body that will not be read. */
  readonly discard: () => void;
  readonly cookies: readonly string[];
}

/** For how long servers are waited for: the one place that decides. */
export interface Patience {
  /** For the answer of a namenode, HttpFS or gateway, ms. */
  readonly answerMs: number;
  /** For the answer of whoever is to read or write a file, ms. One about all of its bytes is given more time by its length (`blocksMs`). */
  readonly dataMs: number;
  /** For the next bytes of a file, or until some are taken, ms; 0: without end. */
  readonly stallMs: number;
  /** Bytes of a file a second that a server moves at least; 0: any. */
  readonly leastRate: number;
}

/**
 * Sends single requests. Follows no redirect (they carry secrets and decide what is sent next), retries nothing, and
 * turns every failure of the network into a TransportError.
 */
export class HttpTransport {
  /** Of namenodes, HttpFS and gateways: datanodes set none and are sent none. */
  readonly cookies = new Cookies();
  readonly patience: Patience;
  readonly #agent: Agent;
  readonly #uploads: Uploads;
  /** Which good answers of datanodes, or of what stands before them, are not simple ones. */
  readonly #unfamiliar = new Set<string>();
  readonly #connector: Connector;

  constructor(route: Route, patience: Patience) {
    const connector = new Connector(route);
    this.#connector = connector;
    this.patience = patience;
    const answerMs = (lengthBytes: number) => patience.dataMs + blocksMs(lengthBytes);
    this.#uploads = new Uploads(connector, { stallMs: patience.stallMs, answerMs });
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

  /**
   * @param answerMs  for how long the answer may take
   * @param mostBytes  of its body
   * @throws StorageError limit where the body is longer
   */
  async exchange(
    method: string,
    url: string,
    where: Where,
    signal: AbortSignal,
    headers: Headers = {},
    answerMs = this.patience.answerMs,
    mostBytes = Infinity,
  ): Promise<Answer> {
    const response = await this.#send(method, url, where, signal, headers, { answerMs, bodyMs: answerMs });
    return this.#read(response, where, signal, (body) => readText(body, where, mostBytes));
  }

  /** Asks for data, which may come at once or only after a redirect. @param answerMs  for how long the answer may take */
  async open(
    url: string,
    where: Where,
    signal: AbortSignal,
    headers: Headers = {},
    answerMs = this.patience.dataMs,
  ): Promise<Answer | Download> {
    const limits = { answerMs, bodyMs: this.patience.stallMs };
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

  /** As `Uploads.send`. @throws TransportError also where the server takes the body more slowly than at the least rate */
  async upload(upload: Upload, where: Where, signal: AbortSignal): Promise<RawAnswer> {
    const { leastRate } = this.patience;
    if (leastRate === 0) return this.#uploads.send(upload, where, signal);
    const stop = new AbortController();
    const rate = new LeastRate(leastRate, where, (error) => stop.abort(error));
    return this.#uploads.send(
      { ...upload, body: rate.taken(upload.body) },
      where,
      AbortSignal.any([signal, stop.signal]),
    );
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
    const { dataMs, stallMs } = this.patience;
    return connection && this.#openOn(connection, url, where, signal, dataMs, stallMs);
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
    const opened = connection && (await this.#openOn(connection, url, where, signal, answerMs, answerMs));
    if (!opened || 'text' in opened) return opened;
    try {
      return answerOf(opened.status, {}, await readText(opened.body, where));
    } catch (error) {
      throw this.#transportError(error, where, signal, answerMs);
    }
  }

  async #openOn(
    connection: DatanodeConnection,
    url: string,
    where: Where,
    signal: AbortSignal,
    answerMs: number,
    bodyMs: number,
  ): Promise<Answer | Download | undefined> {
    const { origin, path, host } = splitUrl(url, where);
    const { body } = connection;
    try {
      await connection.ask(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`, signal, answerMs);
      const head = await body.head();
      if (typeof head === 'number') {
        body.allow(bodyMs);
        return { status: 200, lengthBytes: head, body, discard: () => body.destroy(), cookies: [] };
      }
      if (head === 'unfamiliar') this.#unfamiliar.add(answersOf(origin, where));
      else {
        const refusal = await body.refusal();
        connection[Symbol.dispose]();
        if (refusal) return answerOf(refusal.status, refusal.headers, refusal.text);
      }
    } catch (error) {
      connection[Symbol.dispose]();
      throw this.#transportError(error, where, signal, answerMs);
    }
    connection[Symbol.dispose]();
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#uploads.close()]);
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

  async #read(
    response: Dispatcher.ResponseData,
    where: Where,
    signal: AbortSignal,
    read: (body: AsyncIterable<Uint8Array>) => Promise<string>,
  ): Promise<Answer> {
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

/** What one datanode answers to one operation. */
function answersOf(origin: string, { operation }: Where): string {
  return `${operation} ${origin}`;
}

async function readText(body: AsyncIterable<Uint8Array>, where: Where, mostBytes = Infinity): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new StorageError('limit', 'too long', `more than ${mostBytes} bytes`, where);
    // The memory of a piece may be filled again once the next one is asked for.
    chunks.push(Buffer.from(chunk));
  }
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
