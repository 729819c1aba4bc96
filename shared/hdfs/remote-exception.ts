import { type Disposition, FanoutError, type Where } from '../errors.ts';
import { classify, meanings, type RemoteCode } from './exception-table.ts';

export type { RemoteCode };

/** A namenode, datanode or HttpFS refused. Classified once, here, by the exception's class; never by HTTP status if there is one. */
export class RemoteError extends FanoutError {
  override readonly name = 'RemoteError';
  readonly code: RemoteCode;
  /** Short Java class name, or `HTTP 502` where no RemoteException came. */
  readonly exception: string;

  /** @param told  what a person is told instead, by who knows more than the exception's class says */
  constructor(
    code: RemoteCode,
    exception: string,
    message: string,
    where: Where,
    told: { readonly reason?: string; readonly remedy?: string; readonly disposition?: Disposition } = {},
  ) {
    const { disposition, remedy, reason } = { ...meanings[code], ...told };
    super(reason ?? (message ? `${exception}: ${message}` : exception), { disposition, remedy, where });
    this.code = code;
    this.exception = exception;
  }
}

export function hasCode(error: unknown, ...codes: RemoteCode[]): boolean {
  return error instanceof RemoteError && codes.includes(error.code);
}

/** Whether no RemoteException came: a proxy or load balancer spoke, which cannot know what the server did. */
export function isFromProxy(error: unknown): boolean {
  return error instanceof RemoteError && error.exception.startsWith('HTTP ');
}

/**
 * The error that an answer's body tells. Java stack traces are cut; HTML pages (Jetty, Knox, proxies) give their title.
 * @see Hadoop ExceptionHandler (namenode), HttpFSExceptionProvider
 */
export function remoteErrorOf(status: number, body: string, where: Where): RemoteError {
  const remote = parseRemoteException(body);
  if (remote) {
    const message = (remote.message ?? '').split(/\n\s*at /)[0]?.trim() ?? '';
    const { code, remedy } = isNoChecksum(remote.exception, where)
      ? { code: 'no-checksum' as const }
      : classify(remote.exception, message);
    if (status === 401 && code !== 'token') return new RemoteError('unauthenticated', remote.exception, message, where);
    return new RemoteError(code, remote.exception, message, where, remedy === undefined ? {} : { remedy });
  }
  if (isTooLong(status, body)) {
    const remedy = 'copy to or from a shorter path: a datanode takes some 4000 bytes of path';
    return new RemoteError('invalid', `HTTP ${status}`, 'the URL is too long for the server', where, { remedy });
  }
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1]?.replace(/\s+/g, ' ').trim();
  const text = title ?? (/^\s*</.test(body) ? 'an HTML page' : body.slice(0, 200));
  return new RemoteError(codeOfStatus(status), `HTTP ${status}`, text, where);
}

/** A datanode's HTTP server cuts the request line off, and then finds no Host. @see Netty HttpObjectDecoder, Jetty */
function isTooLong(status: number, body: string): boolean {
  return status === 414 || status === 431 || (status === 400 && /<pre>reason: No Host<\/pre>/.test(body));
}

/** Neither datanodes nor HttpFS can say that a file has no checksum (dfs.checksum.type=NULL, blocks of both kinds): they fail over the null. */
function isNoChecksum(exception: string, { operation }: Where): boolean {
  return exception === 'NullPointerException' && operation === 'GETFILECHECKSUM';
}

/** A proxy or load balancer spoke: its status is all there is. */
function codeOfStatus(status: number): RemoteCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'denied';
  if (status >= 200 && status < 500) return 'not-webhdfs';
  return 'io';
}

function parseRemoteException(body: string): { exception: string; message?: string } | undefined {
  try {
    const { RemoteException: remote } = JSON.parse(body) as {
      RemoteException?: { exception: string; message?: string };
    };
    return remote && typeof remote.exception === 'string' ? remote : undefined;
  } catch {
    return undefined;
  }
}
