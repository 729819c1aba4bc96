import type { Where } from '../errors.ts';
import type { Connector } from './connector.ts';
import { UploadConnection, type UploadRequest } from './datanode/upload-connection.ts';
import type { RawAnswer } from './datanode/answer.ts';
import { splitUrl } from './urls.ts';
import { codeOf, transportError } from './transport-error.ts';

/** Jetty wants a content type with a body and HttpFS this one; Knox rewrites bodies of other types. */
export const CONTENT_TYPE = 'application/octet-stream';
/** Asked for by servers with dfs.webhdfs.rest-csrf.enabled; any value will do. */
export const CSRF_HEADER = { 'x-xsrf-header': 'hdfs-fanout' };

/** Up to here a body is sent whole, and can be sent again, on a connection that was kept. */
const SMALL_BODY_BYTES = 256 * 1024;
/** For how long a connection is kept for the next upload, ms. Servers keep theirs for longer, as a rule. */
const KEPT_MS = 10_000;

export interface Upload {
  readonly method: string;
  readonly url: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly lengthBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the server keeps connections: datanodes do not. */
  readonly isKept: boolean;
  /** Whether a refusal is likely: then no more of a long body is asked for than a first piece before there was time for one. */
  readonly isPatient: boolean;
}

/** Sends files to the servers of one cluster. */
export class Uploads {
  readonly #connector: Connector;
  readonly #dataMs: number;
  /** By origin; the last one used is the next one to be used. */
  readonly #kept = new Map<string, UploadConnection[]>();

  constructor(connector: Connector, dataMs: number) {
    this.#connector = connector;
    this.#dataMs = dataMs;
  }

  /**
   * Sends a body and waits for the answer: the server's last word, also when it refuses before it has read the whole body. Nothing of the
   * upload is on its way when this returns.
   * @throws TransportError, the body's own error, the signal's reason
   */
  async send(upload: Upload, where: Where, signal: AbortSignal): Promise<RawAnswer> {
    signal.throwIfAborted();
    try {
      return await this.#send(upload, where, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw transportError(error, where, this.#dataMs);
    }
  }

  /** Ends the connections that were kept. */
  async close(): Promise<void> {
    const connections = [...this.#kept.values()].flat();
    this.#kept.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  async #send(upload: Upload, where: Where, signal: AbortSignal): Promise<RawAnswer> {
    const { url, body, lengthBytes, isPatient } = upload;
    const { origin, path, host } = splitUrl(url, where);
    const isKept = upload.isKept && lengthBytes <= SMALL_BODY_BYTES;
    const head = headOf(upload, path, host, isKept);
    if (isKept) return this.#sendWhole(origin, head, await gathered(body, lengthBytes), signal);
    const connection = await this.#connect(origin, signal);
    return this.#over(connection, origin, { head, body, lengthBytes, isPatient }, signal);
  }

  /**
   * A server may end a connection that was kept at the moment when it is used again. The body is then sent on another one; if that is refused,
   * it may be so because the first one came through: that the connection broke is then all that is known.
   */
  async #sendWhole(origin: string, head: Buffer, body: Buffer, signal: AbortSignal): Promise<RawAnswer> {
    let broken: Error | undefined;
    for (;;) {
      const kept = this.#take(origin);
      const connection = kept ?? (await this.#connect(origin, signal));
      const request = { head, body: pieceOf(body), lengthBytes: body.length, isPatient: false };
      try {
        const answer = await this.#over(connection, origin, request, signal);
        if (broken && answer.status >= 300) throw broken;
        return answer;
      } catch (error) {
        const isStale = kept && !kept.hasHeard && /^(?:ECONNRESET|EPIPE)$/.test(codeOf(error));
        if (!isStale || signal.aborted) throw error;
        broken = error as Error;
      }
    }
  }

  async #over(
    connection: UploadConnection,
    origin: string,
    request: UploadRequest,
    signal: AbortSignal,
  ): Promise<RawAnswer> {
    let isKept = false;
    try {
      const answer = await connection.send(request, signal);
      isKept = connection.rest(KEPT_MS);
      if (isKept) this.#kept.set(origin, [...(this.#kept.get(origin) ?? []), connection]);
      return answer;
    } finally {
      if (!isKept) await connection.close();
    }
  }

  async #connect(origin: string, signal: AbortSignal): Promise<UploadConnection> {
    return new UploadConnection(await this.#connector.connect(origin, signal), this.#dataMs);
  }

  /** The connection that was used last, of those that are still good. */
  #take(origin: string): UploadConnection | undefined {
    const connections = this.#kept.get(origin)?.filter(({ isIdle }) => isIdle) ?? [];
    const last = connections.pop();
    this.#kept.set(origin, connections);
    return last;
  }
}

/** @throws where the path of a redirect holds what no request line may */
function headOf({ method, lengthBytes, headers }: Upload, path: string, host: string, isKept: boolean): Buffer {
  if (/[^!-\xff]/.test(path + host)) throw new Error('the server redirected to something that is not a URL');
  const lines = Object.entries({
    host,
    'content-type': CONTENT_TYPE,
    'content-length': lengthBytes,
    ...(isKept ? {} : { connection: 'close' }),
    ...CSRF_HEADER,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** All of a short body: a copy, since the memory of a piece may be filled again. */
async function gathered(body: AsyncIterable<Uint8Array>, lengthBytes: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(lengthBytes);
  let bytes = 0;
  for await (const piece of body) {
    if (bytes + piece.length > lengthBytes) throw new Error(`the body has more than its ${lengthBytes} bytes`);
    whole.set(piece, bytes);
    bytes += piece.length;
  }
  if (bytes < lengthBytes) throw new Error(`the body ended after ${bytes} of ${lengthBytes} bytes`);
  return whole;
}

// eslint-disable-next-line @typescript-eslint/require-await -- a body is asynchronous
async function* pieceOf(body: Buffer): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}
