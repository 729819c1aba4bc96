// HTTP on bare sockets: as much of it as a copy needs, and only where answers are simple.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { cachedLookup } from '../shared/hdfs/lookup.ts';

/** How a socket reads into memory of its user. @see node:net, `onread` of socket.connect */
interface Onread {
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number) => boolean;
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const lookup = cachedLookup();
/** One a server, so that a handshake need not be a whole one. */
const sessions = new Map<string, Buffer>();
const idle = new Map<string, Socket[]>();
let trust: SecureContext | undefined;

/** A socket to the URL's server, which may be written to at once. It trusts what NODE_EXTRA_CA_CERTS names. */
export const open = ({ protocol, hostname: host, port, origin }: URL, onread?: Onread): Socket => {
  const route = { host, port: Number(port), lookup, ...(onread ? { onread } : {}) };
  if (protocol === 'http:') return connectTcp({ ...route, noDelay: true });
  trust ??= createSecureContext();
  const socket = connectTls({ ...route, servername: host, secureContext: trust, session: sessions.get(origin) });
  socket.on('session', (session) => sessions.set(origin, session));
  return socket.setNoDelay(true);
};

export const headOf = (method: string, { host, pathname, search }: URL, lengthBytes = 0): string =>
  [
    `${method} ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    ...(method === 'PUT' ? ['Content-Type: application/octet-stream', `Content-Length: ${lengthBytes}`] : []),
    '\r\n',
  ].join('\r\n');

/** The first answer that is final. @returns undefined while it is not whole */
const answerIn = (text: string): Answer | undefined => {
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return undefined;
    const head = text.slice(at, end);
    const status = Number(head.slice(9, 12));
    at = end + 4;
    if (status < 200) continue;
    // Without a stated length it is an error's page, of which nothing but its status is of use.
    const lengthBytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const body = text.slice(at, at + lengthBytes);
    return body.length < lengthBytes ? undefined : { status, head, body };
  }
};

/** What the server answers, also while a body is still sent to it. */
export const answered = (socket: Socket): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let text = '';
    const settle = (act: () => void): void => {
      socket.off('data', read).off('error', reject).off('close', close);
      act();
    };
    const read = (piece: Buffer): void => {
      text += piece.toString('latin1');
      const answer = answerIn(text);
      if (answer) settle(() => resolve(answer));
    };
    const close = (): void => reject(new Error(`the connection was closed after ${JSON.stringify(text)}`));
    socket.on('data', read).on('error', reject).on('close', close);
  });

/** A connection that an answer left open, or a new one. */
const connectionTo = (url: URL): Socket => {
  const kept = idle.get(url.origin)?.pop();
  if (kept) return kept;
  const socket = open(url);
  socket.on('close', () => {
    const others = idle.get(url.origin)?.filter((other) => other !== socket);
    if (others) idle.set(url.origin, others);
  });
  return socket.on('error', () => undefined);
};

const keep = (socket: Socket, { origin }: URL): void => {
  const others = idle.get(origin);
  if (others) others.push(socket);
  else idle.set(origin, [socket]);
};

/** A request without a body. @throws when the answer has another status */
export const ask = async (method: 'GET' | 'PUT', url: string, wanted = 200): Promise<Answer> => {
  const target = new URL(url);
  const socket = connectionTo(target);
  socket.write(headOf(method, target));
  const answer = await answered(socket);
  const { status, head, body } = answer;
  if (/^connection: *close/im.test(head)) socket.destroy();
  else keep(socket, target);
  if (status !== wanted) throw new Error(`${method} ${url}: ${status} ${body}`);
  return answer;
};

/** The first step of a redirected operation. @returns the datanode's URL */
export const locate = async (method: 'GET' | 'PUT', url: string): Promise<string> => {
  const { head } = await ask(method, url, 307);
  const location = /^location: *(\S+)/im.exec(head)?.[1];
  if (location === undefined) throw new Error(`${method} ${url}: a redirect to nowhere`);
  return location;
};

/** Ends the connections that were kept. */
export const hangUp = (): void => {
  for (const socket of [...idle.values()].flat()) socket.destroy();
};
