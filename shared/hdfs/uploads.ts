import type { Where } from '../errors.ts';
import type { Connector } from './connector.ts';
import { UploadConnection, type UploadLimits } from './datanode/upload-connection.ts';
import type { RawAnswer } from './datanode/answer.ts';
import { splitUrl } from './urls.ts';
import { transportError } from './transport-error.ts';

/** Jetty wants a content type with a body and HttpFS this one; Knox rewrites bodies of other types. */
export const CONTENT_TYPE = 'application/octet-stream';
/** Asked for by servers with dfs.webhdfs.rest-csrf.enabled; any value will do. */
export const CSRF_HEADER = { 'x-xsrf-header': 'hdfs-fanout' };

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

/**
 * Sends files to the servers of one cluster. Nothing is sent twice: a server that ends a kept connection just when it is used again has
 * broken off the upload, and the file is tried again as a whole, under another name. That is rare: it has answered the first step of the
 * same upload a moment before, and a connection that it ended by then is not used.
 */
export class Uploads {
  readonly #connector: Connector;
  readonly #limits: UploadLimits;
  /** By origin; the last one used is the next one to be used. */
  readonly #kept = new Map<string, UploadConnection[]>();

  constructor(connector: Connector, limits: UploadLimits) {
    this.#connector = connector;
    this.#limits = limits;
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
      throw transportError(error, where, this.#limits.answerMs(0));
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
    const head = headOf(upload, path, host);
    const kept = upload.isKept ? this.#take(origin) : undefined;
    const connection = kept ?? new UploadConnection(await this.#connector.connect(origin, signal), this.#limits);
    let isResting = false;
    try {
      const answer = await connection.send({ head, body, lengthBytes, isPatient }, signal);
      isResting = upload.isKept && connection.rest(KEPT_MS);
      if (isResting) this.#kept.set(origin, [...(this.#kept.get(origin) ?? []), connection]);
      return answer;
    } finally {
      if (!isResting) await connection.close();
    }
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
function headOf({ method, lengthBytes, headers, isKept }: Upload, path: string, host: string): Buffer {
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
