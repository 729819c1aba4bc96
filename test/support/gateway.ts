import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came to a gateway. */
export interface GatewayRequest {
  readonly method: string;
  /** As on the wire. */
  readonly url: string;
  /** Whether it named the user and the password. */
  readonly authenticated: boolean;
}

export interface GatewayOptions {
  readonly user: string;
  readonly password: string;
}

const NAMENODE = '/gateway/default/webhdfs/v1';
const DATA = '/gateway/default/webhdfs/data/v1/';

/**
 * A gateway before a real namenode that does as Knox does: it serves under a path of its own, wants a password with every
 * request, says by itself who asks, and rewrites redirects so that they lead back to it, the datanode encrypted in their query.
 * @see https://knox.apache.org/books/knox-2-0-0/user-guide.html#WebHDFS
 */
export class Gateway implements AsyncDisposable {
  readonly url: string;
  readonly requests: GatewayRequest[] = [];
  readonly #close: () => Promise<void>;

  private constructor(origin: string, close: () => Promise<void>) {
    this.url = `${origin}/gateway/default`;
    this.#close = close;
  }

  static async start(namenodeUrl: string, { user, password }: GatewayOptions): Promise<Gateway> {
    const key = randomBytes(32);
    const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const url = request.url ?? '';
      const authenticated = request.headers.authorization === wanted;
      gateway.requests.push({ method: request.method ?? '', url, authenticated });
      const upstream = upstreamOf(url, namenodeUrl, user, key);
      if (!authenticated || upstream === undefined) {
        request.resume();
        const challenge = { 'www-authenticate': 'BASIC realm="application"', 'content-type': 'text/html' };
        response.writeHead(authenticated ? 404 : 401, challenge).end('<html><title>Error</title></html>');
        return;
      }
      const answer = await forward(upstream, request, response);
      const { location } = answer.headers;
      if (location !== undefined) {
        const { pathname } = new URL(location);
        answer.headers.location = `${gateway.url}/webhdfs/data/v1${pathname}?_=${encrypt(location, key)}`;
      }
      delete answer.headers['transfer-encoding'];
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' });
      answer.on('error', () => response.destroy()).pipe(response);
    };
    const server = createServer((request, response) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      void serve(request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    const gateway = new Gateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, close);
    return gateway;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Where a request goes; undefined when it is nothing that the gateway serves. */
function upstreamOf(url: string, namenodeUrl: string, user: string, key: Buffer): string | undefined {
  const [path = '', query = ''] = url.split('?');
  if (path.startsWith(DATA)) {
    const encrypted = new URLSearchParams(query).get('_');
    return encrypted === null ? undefined : decrypt(encrypted, key);
  }
  if (!path.startsWith(NAMENODE)) return undefined;
  const kept = query.split('&').filter((part) => !part.startsWith('user.name='));
  return `${namenodeUrl}/webhdfs/v1${path.slice(NAMENODE.length)}?${[...kept, `user.name=${user}`].join('&')}`;
}

async function forward(url: string, request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
  const headers = { ...request.headers };
  delete headers.host;
  delete headers.authorization;
  delete headers.expect;
  const upstream = send(url, { method: request.method, headers, agent: false });
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
  upstream.on('error', () => answer.destroy());
  return answer;
}

function encrypt(text: string, key: Buffer): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64url');
}

function decrypt(text: string, key: Buffer): string {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-ctr', key, bytes.subarray(0, 16));
  return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8');
}
