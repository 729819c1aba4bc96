import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Cluster, clusterSchema } from '../../shared/hdfs/cluster.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import { silentLog } from '../../shared/log.ts';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  /** As on the wire, encoded. */
  readonly url: string;
  /** WebHDFS operation. */
  readonly operation: string;
  /** Decoded, without `/webhdfs/v1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** An answer: given as data, or by whatever the function does to the response. */
export type Answer = GivenAnswer | ((request: IncomingMessage, response: ServerResponse) => unknown);

export interface GivenAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly text?: string;
}

/** A server that answers as its script says, and remembers what it was asked. */
export class ScriptedServer implements AsyncDisposable {
  readonly requests: Seen[] = [];
  readonly url: string;
  /** `host:port` */
  readonly host: string;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = `http://${this.host}`;
  }

  /** @param script  answers in order, of which the last one stays; or a function that is asked each time */
  static async start(script: readonly Answer[] | ((seen: Seen) => Answer)): Promise<ScriptedServer> {
    const http = createServer((request, response) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      const seen = seenOf(request);
      server.requests.push(seen);
      const answer = Array.isArray(script)
        ? (script as readonly Answer[])[Math.min(server.requests.length, script.length) - 1]
        : (script as (seen: Seen) => Answer)(seen);
      give(answer ?? { status: 500, text: 'nothing is scripted' }, request, response);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const server = new ScriptedServer(http);
    return server;
  }

  get operations(): string[] {
    return this.requests.map(({ operation }) => operation);
  }

  /** Connections that are open at this moment. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function seenOf(request: IncomingMessage): Seen {
  const url = request.url ?? '';
  const [path = '', query = ''] = url.split('?');
  const parameters = new URLSearchParams(query);
  return {
    method: request.method ?? '',
    url,
    operation: parameters.get('op') ?? '',
    path: decodeURIComponent(path).replace(/^\/webhdfs\/v1/, ''),
    query: parameters,
    headers: request.headers,
  };
}

function give(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  if (typeof answer === 'function') {
    answer(request, response);
    return;
  }
  request.resume();
  const { status = 200, headers, json, text = '' } = answer;
  const body = json === undefined ? text : JSON.stringify(json);
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
}

export function remoteException(exception: string, message: string, status = 403): GivenAnswer {
  const javaClassName = `org.apache.hadoop.${exception}`;
  return { status, json: { RemoteException: { exception, javaClassName, message } } };
}

export const standby = remoteException(
  'StandbyException',
  'Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error',
);

export function redirect(location: string): GivenAnswer {
  return { status: 307, headers: { location } };
}

/** GETFILESTATUS's answer for a file. */
export function fileStatus(changes: Record<string, unknown> = {}): GivenAnswer {
  const status = {
    pathSuffix: '',
    type: 'FILE',
    length: 0,
    modificationTime: 1,
    accessTime: 1,
    blockSize: 1024,
    replication: 1,
    owner: 'root',
    group: 'supergroup',
    permission: '644',
    fileId: 16_390,
  };
  return { json: { FileStatus: { ...status, ...changes } } };
}

/** Ports that were assigned to nothing that runs today; those that were free a moment ago may be taken by another test. */
const deadPorts = [2, 3, 4, 6];
let nextDeadPort = 0;

/** Where nobody listens: each time another one. */
export function closedPort(): Promise<{ url: string; host: string }> {
  const host = `127.0.0.1:${deadPorts[nextDeadPort++ % deadPorts.length]}`;
  return Promise.resolve({ url: `http://${host}`, host });
}

/** A client of a cluster whose namenodes are at these URLs, impatient. */
export function clientOf(urls: readonly string[], changes: Record<string, unknown> = {}): WebHdfs & AsyncDisposable {
  const fields = { name: 'prod', user: 'me', timeout: 5, retry_timeout: 5, nameservices: [{ urls, mounts: ['/'] }] };
  const cluster: Cluster = clusterSchema.parse({ ...fields, ...changes });
  const client = new WebHdfs(cluster, silentLog);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
