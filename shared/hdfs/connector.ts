import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { type Addresses, addressOf, type HostPort, hostPortOf } from './addresses.ts';
import { cachedLookup } from './lookup.ts';
import type { Onread } from './datanode/raw-body.ts';
import type { TlsOptions } from './tls.ts';

/** How the servers of one cluster are reached. */
export interface Route {
  readonly tls: TlsOptions;
  /** For making a connection, TLS included, ms. */
  readonly connectMs: number;
  /** What to connect to in place of what URLs say. */
  readonly addresses?: Addresses | undefined;
  /** URL of an HTTP proxy, with credentials if it wants any: all connections lead through it. */
  readonly proxy?: string | undefined;
}

/** TLS sessions kept, one a server. */
const SESSIONS = 200;
/** For sockets of both kinds; the delay is undici's. */
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };

const NEVER = new AbortController().signal;

/** A connection was not there in time. */
class ConnectTimeout extends Error {
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';
}

/** A proxy did not connect us. */
class ProxyRefusal extends Error {
  readonly code = 'ERR_PROXY';
}

/**
 * Makes the sockets of all requests to a cluster's servers, whichever client then speaks on them: addresses, time-out, TLS and proxy are
 * the same for all. A server is reached where `addresses` say, and must still prove to be the one that its URL names.
 *
 * Keeps TLS sessions, not connections: a datanode ends these after each file, and a session resumed saves a third of a handshake.
 */
export class Connector {
  readonly #route: Route;
  readonly #lookup = cachedLookup();
  readonly #sessions = new Map<string, Buffer>();

  constructor(route: Route) {
    this.#route = route;
  }

  /** The address that is connected to for a server's. */
  addressOf(server: HostPort): HostPort {
    return addressOf(server, this.#route.addresses ?? {});
  }

  /** Whether sockets can read into memory that is given to them: one that a proxy has made cannot. */
  get readsInto(): boolean {
    return this.#route.proxy === undefined;
  }

  /**
   * @param onread  the memory to read into, where `readsInto`
   * @param origin  `http://host:port` or `https://host:port`
   * @returns a socket that is connected, after its handshake
   */
  async connect(origin: string, signal: AbortSignal = NEVER, onread?: Onread): Promise<Socket> {
    const { connectMs } = this.#route;
    const limit = new AbortController();
    const stop = () => limit.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const late = () => limit.abort(new ConnectTimeout(`no connection within ${connectMs / 1000} s`));
    const timer = setTimeout(late, connectMs);
    try {
      return await this.#connect(origin, limit.signal, onread);
    } catch (error) {
      limit.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  async #connect(origin: string, signal: AbortSignal, onread: Onread | undefined): Promise<Socket> {
    const server = hostPortOf(origin);
    const secure = origin.startsWith('https:');
    const { hostname: host, port } = this.addressOf(server);
    const { proxy } = this.#route;
    const socket = proxy === undefined ? undefined : await this.#tunnel(proxy, { hostname: host, port }, signal);
    if (!secure) return socket ?? connected(this.#tcp(host, port, onread), 'connect', signal);
    const key = `${server.hostname}:${server.port}`;
    const tls = connectTls({
      ...SOCKET,
      ...this.#route.tls,
      ...(socket ? { socket } : { host, port, lookup: this.#lookup }),
      ...(isIP(server.hostname) === 0 ? { servername: server.hostname } : {}),
      ...(onread ? { onread } : {}),
      ALPNProtocols: ['http/1.1'],
      session: this.#sessions.get(key),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(server.hostname, certificate),
    });
    tls.on('session', (session) => this.#keep(key, session));
    return connected(tls, 'secureConnect', signal);
  }

  #tcp(host: string, port: number, onread: Onread | undefined): Socket {
    return connectTcp({ ...SOCKET, host, port, lookup: this.#lookup, ...(onread ? { onread } : {}) });
  }

  /** @see RFC 9110, CONNECT */
  async #tunnel(proxy: string, { hostname, port }: HostPort, signal: AbortSignal): Promise<Socket> {
    const url = new URL(proxy);
    const authority = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
    const pair = [url.username, url.password].map(decodeURIComponent).join(':');
    const credentials = pair === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
    const request = (url.protocol === 'https:' ? https : http).request({
      method: 'CONNECT',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: authority,
      headers: { host: authority, ...credentials },
      agent: false,
      lookup: this.#lookup,
      signal,
      ...(this.#route.tls.ca === undefined ? {} : { ca: this.#route.tls.ca }),
    });
    try {
      const answered = once(request, 'connect') as Promise<[http.IncomingMessage, Socket, Buffer]>;
      request.end();
      const [{ statusCode = 0 }, socket, head] = await answered;
      if (statusCode !== 200) {
        socket.destroy();
        throw new ProxyRefusal(`the proxy ${url.host} did not connect it: HTTP ${statusCode}`);
      }
      if (head.length > 0) socket.unshift(head);
      return socket.setNoDelay(true).setKeepAlive(true, SOCKET.keepAliveInitialDelay);
    } catch (error) {
      if (error instanceof ProxyRefusal) throw error;
      const { code = 'it broke off' } = error as NodeJS.ErrnoException;
      throw new ProxyRefusal(`the proxy ${url.host} could not be used: ${code}`);
    }
  }

  #keep(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
  }
}

/** Waits for a socket; one that is not wanted any more is destroyed. */
async function connected(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<Socket> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}
