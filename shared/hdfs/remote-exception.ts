import type { Where } from '../errors.ts';
import { type StorageCode, StorageError } from '../storage/errors.ts';
import { classify } from './exception-table.ts';

/** Remedy where a gateway or balancer has no server to pass a request on to. */
export const GATEWAY_REMEDY =
  'see to the gateway or balancer, what is behind it, and its address, then resume; retry_timeout says for how long to try';

/** What may be quoted of an answer's body, characters. */
const QUOTED = 200;

/**
 * The error that an answer's body tells. Java stack traces are cut; HTML pages (Jetty, Knox, proxies) give their title. Nothing that
 * looks like a credential is quoted.
 * @see Hadoop ExceptionHandler (namenode), HttpFSExceptionProvider
 */
export function remoteErrorOf(status: number, body: string, where: Where, retryAfterMs?: number): StorageError {
  const remote = parseRemoteException(body);
  if (remote) {
    const message = (remote.message ?? '').split(/\n\s*at /)[0]?.trim() ?? '';
    const { code, remedy } = isNoChecksum(remote.exception, where)
      ? { code: 'no-checksum' as const }
      : classify(remote.exception, message);
    const told = { retryAfterMs, ...(remedy === undefined ? {} : { remedy }) };
    const known = ['token', 'standby', 'busy', 'safe-mode'].includes(code);
    const meant = status === 401 && !known ? 'unauthenticated' : code;
    return new StorageError(
      meant,
      remote.exception,
      withoutSecrets(message),
      where,
      meant === code ? told : { retryAfterMs },
    );
  }
  if (isTooLong(status, body)) {
    const remedy = 'copy to or from a shorter path: a datanode takes some 4000 bytes of path';
    return new StorageError('invalid', `HTTP ${status}`, 'the URL is too long for the server', where, { remedy });
  }
  const code = codeOfStatus(status);
  const told = { retryAfterMs, ...(code === 'io' ? { remedy: GATEWAY_REMEDY } : {}) };
  return new StorageError(code, `HTTP ${status}`, quoted(body), where, told);
}

/** Whether an error is the answer of a proxy, gateway or balancer: such an answer holds no RemoteException. */
export function isFromGateway(error: unknown): boolean {
  return error instanceof StorageError && error.exception.startsWith('HTTP ');
}

function quoted(body: string): string {
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1]?.replace(/\s+/g, ' ').trim();
  if (title !== undefined) return withoutSecrets(title.slice(0, QUOTED));
  if (/^\s*</.test(body)) return 'an HTML page';
  // Such as the redirect of a server that was asked not to redirect.
  if (/delegation|token|user\.name|password|secret|cookie|authoriz/i.test(body)) {
    return 'an answer that is not shown here, since it may hold credentials';
  }
  return body.slice(0, QUOTED);
}

/** Replaces the values of what authenticates: `delegation=…`, `"urlString": "…"`, `Authorization: …`. */
function withoutSecrets(text: string): string {
  return text
    .replace(
      // Not the last component of a path, which a refusal quotes with owner and mode behind it.
      /(?<![/\w.-])(delegation|token|urlString|password|secret|signature|hadoop\.auth|cookie)("?\s*[=:]\s*"?)[^\s&"',;)\]}]+/gi,
      '$1$2***',
    )
    .replace(/\b(authorization\s*:\s*|negotiate\s+|basic\s+|bearer\s+)[\w+/=.~-]{8,}/gi, '$1***');
}

/** Neither datanodes nor HttpFS can say that a file has no checksum (dfs.checksum.type=NULL, blocks of both kinds): they fail over the null. */
function isNoChecksum(exception: string, { operation }: Where): boolean {
  return exception === 'NullPointerException' && operation === 'GETFILECHECKSUM';
}

/** A datanode's HTTP server cuts the request line off, and then finds no Host. @see Netty HttpObjectDecoder, Jetty */
function isTooLong(status: number, body: string): boolean {
  return status === 414 || status === 431 || (status === 400 && /<pre>reason: No Host<\/pre>/.test(body));
}

/** What the status of an answer means that holds no RemoteException, as that of a proxy or balancer. */
function codeOfStatus(status: number): StorageCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'denied';
  // Too slow, and too many requests: a moment mends both, as it may the failures from 500 on.
  if (status === 408 || status === 429) return 'io';
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
