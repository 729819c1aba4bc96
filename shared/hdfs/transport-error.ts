import { TransportError, type Where } from '../errors.ts';
import { Silence } from './datanode/broken.ts';
import { tlsFailureOf } from './tls-failure.ts';

const networkFailures: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name could not be resolved: no name server answered',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed while sending',
  UND_ERR_SOCKET: 'the connection was closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
};
const timeouts = new Set(['ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
/** The server was not reached at all. */
const unreached = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Errors of ours pass through; anything else becomes a TransportError by its code. */
export function transportError(error: unknown, where: Where, timeoutMs: number): Error {
  if (error instanceof Error && 'disposition' in error) return error;
  const code = codeOf(error);
  const tls = tlsFailureOf(code, error);
  if (tls) return new TransportError(tls.reason, where, { cause: error, remedy: tls.remedy, disposition: 'fail-job' });
  if (code === 'UND_ERR_DESTROYED') {
    // What closed the client waits for nothing; a try again would go on after the end.
    return new TransportError('the client was closed', where, { cause: error, disposition: 'fail-job' });
  }
  if (code === 'ERR_PROXY') {
    return new TransportError(text(error), where, {
      cause: error,
      remedy: 'check proxy in the definition of the cluster',
    });
  }
  if (speaksNoHttp(error)) {
    const remedy = 'check the port, and whether its URL begins with http:// or https://';
    return new TransportError('it does not answer in HTTP', where, { cause: error, remedy });
  }
  if (error instanceof Silence) return new TransportError(error.message, where, { cause: error });
  const reason = timeouts.has(code) ? `no answer within ${timeoutMs / 1000} s` : (networkFailures[code] ?? text(error));
  return new TransportError(reason, where, { cause: error });
}

function text(error: unknown): string {
  return error instanceof Error && error.message ? error.message : 'the connection failed';
}

/** Whether nothing of a server was reached, so that the way to it is in question. */
export function isUnreached(error: unknown): boolean {
  return unreached.has(codeOf(error));
}

/** Whether the next bytes of a body did not come in time. */
export function isSilence(error: unknown): boolean {
  return error instanceof Silence || codeOf(error) === 'UND_ERR_BODY_TIMEOUT';
}

/** Something answered, and not in HTTP. */
export function speaksNoHttp(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** The code of a network error; of the first one where several addresses were tried. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string' && error.code !== 'UND_ERR_SOCKET') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause) || ('code' in error ? String(error.code) : '');
}
