import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Where } from '../errors.ts';
import { transportError } from '../hdfs/http.ts';
import type { TlsOptions } from '../hdfs/tls.ts';

/** Whom to connect to. */
export interface Address {
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
}

export interface Handshake {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Undefined when the server has proved to be who it should be; Node's code otherwise. */
  readonly refusal: string | undefined;
  readonly certificate: DetailedPeerCertificate;
}

/** Makes a TCP connection and ends it. @returns for how long that took, ms. @throws TransportError */
export async function tryTcp(address: Address, lookup: LookupFunction, timeoutMs: number): Promise<number> {
  const startedAtMs = performance.now();
  const socket = connectTcp({ host: address.hostname, port: address.port, lookup });
  return opened(socket, 'connect', 'CONNECT', timeoutMs, () => performance.now() - startedAtMs);
}

/**
 * Makes a TLS connection and ends it. A certificate that is not trusted is told, not thrown.
 * @throws TransportError when the server speaks no TLS, or ends the handshake itself
 */
export async function tryTls(
  address: Address,
  tls: TlsOptions,
  lookup: LookupFunction,
  timeoutMs: number,
): Promise<Handshake> {
  const { hostname: host, port } = address;
  const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const socket = connectTls({ host, port, lookup, ...servername, ...tls, rejectUnauthorized: false });
  return opened(socket, 'secureConnect', 'TLS', timeoutMs, () => handshakeOf(socket));
}

function handshakeOf(socket: TLSSocket): Handshake {
  // Typed as an Error, and a code.
  const refusal = socket.authorized ? undefined : String(socket.authorizationError);
  return { protocol: socket.getProtocol() ?? 'TLS', refusal, certificate: socket.getPeerCertificate(true) };
}

async function opened<T>(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  operation: string,
  timeoutMs: number,
  result: () => T,
): Promise<T> {
  const where: Where = { operation, path: '/' };
  const timer = setTimeout(() => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })), timeoutMs);
  try {
    return await new Promise<T>((resolve, reject) => {
      socket.once(event, () => resolve(result()));
      socket.once('error', reject);
      socket.once('close', () => reject(Object.assign(new Error(), { code: 'ECONNRESET' })));
    });
  } catch (error) {
    throw transportError(error, where, timeoutMs);
  } finally {
    clearTimeout(timer);
    socket.on('error', () => undefined).destroy();
  }
}
