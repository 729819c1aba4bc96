import { TLSSocket, type DetailedPeerCertificate } from 'node:tls';
import type { Where } from '../errors.ts';
import type { HostPort } from '../hdfs/addresses.ts';
import type { Connector } from '../hdfs/connector.ts';
import { transportError } from '../hdfs/transport-error.ts';

export interface Handshake {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Undefined when the server has proved to be who it should be; Node's code otherwise. */
  readonly refusal: string | undefined;
  readonly certificate: DetailedPeerCertificate;
}

/** Makes a TCP connection, through the proxy if there is one, and ends it. @returns for how long that took, ms. @throws TransportError */
export async function tryTcp(address: HostPort, connector: Connector): Promise<number> {
  const startedAtMs = performance.now();
  return opened('http:', address, 'CONNECT', connector, () => performance.now() - startedAtMs);
}

/**
 * Makes a TLS connection and ends it. A certificate that is not trusted is told, not thrown.
 * @throws TransportError when the server speaks no TLS, or ends the handshake itself
 */
export async function tryTls(address: HostPort, connector: Connector): Promise<Handshake> {
  return opened('https:', address, 'TLS', connector, (socket) => {
    if (!(socket instanceof TLSSocket)) throw new Error('a connection to https without TLS');
    // Node's types call it an Error, and it is a code.
    const refusal = socket.authorized ? undefined : String(socket.authorizationError);
    return { protocol: socket.getProtocol() ?? 'TLS', refusal, certificate: socket.getPeerCertificate(true) };
  });
}

async function opened<T>(
  protocol: string,
  { hostname, port }: HostPort,
  operation: string,
  connector: Connector,
  result: (socket: Awaited<ReturnType<Connector['connect']>>) => T,
): Promise<T> {
  const where: Where = { operation, path: '/' };
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  try {
    const socket = await connector.connect(`${protocol}//${host}:${port}`);
    try {
      return result(socket);
    } finally {
      socket.on('error', () => undefined).destroy();
    }
  } catch (error) {
    throw transportError(error, where, 0);
  }
}
