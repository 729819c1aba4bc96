import { type Disposition, FanoutError, type Where } from '../errors.ts';

/** What a server's RemoteException means to us. */
export type RemoteCode =
  | 'standby'
  | 'busy'
  | 'safe-mode'
  | 'not-found'
  | 'denied'
  | 'exists'
  | 'leased'
  | 'quota'
  | 'token'
  | 'unauthenticated'
  | 'no-datanode'
  | 'out-of-range'
  | 'not-a-directory'
  | 'invalid'
  | 'unsupported'
  | 'io'
  | 'not-webhdfs'
  | 'other';

interface Meaning {
  readonly disposition: Disposition;
  readonly remedy?: string;
}

const meanings: Record<RemoteCode, Meaning> = {
  standby: { disposition: 'retry', remedy: 'check that one namenode of the nameservice is active' },
  busy: { disposition: 'retry', remedy: 'wait until the namenode has started' },
  'safe-mode': { disposition: 'retry', remedy: 'check hdfs dfsadmin -safemode get, and resume when it is off' },
  'not-found': { disposition: 'fail-unit', remedy: 'check that it still exists' },
  denied: { disposition: 'fail-unit', remedy: 'grant the permission, or copy as another user' },
  exists: { disposition: 'fail-unit', remedy: 'use --force to overwrite' },
  leased: { disposition: 'retry', remedy: 'wait until its other writer is done' },
  quota: { disposition: 'fail-unit', remedy: 'raise the quota or free space' },
  token: { disposition: 'fail-job', remedy: 'put a valid token into the cluster configuration and resume' },
  unauthenticated: { disposition: 'fail-job', remedy: 'check auth_mechanism and the credentials of the cluster' },
  'no-datanode': { disposition: 'retry', remedy: 'check hdfs dfsadmin -report' },
  'out-of-range': { disposition: 'retry' },
  'not-a-directory': { disposition: 'fail-unit', remedy: 'remove the file that stands where a directory is needed' },
  invalid: { disposition: 'fail-unit' },
  unsupported: { disposition: 'fail-unit' },
  io: { disposition: 'retry' },
  'not-webhdfs': { disposition: 'retry', remedy: 'check that the URL is the HTTP address of a namenode or of HttpFS' },
  other: { disposition: 'retry' },
};

/**
 * First match wins. Classes that mean one thing come first, since their messages quote paths, which may be called anything; then
 * the rows with a message, where Hadoop hides the cause behind a general class.
 */
const table: readonly (readonly [exception: RegExp, message: RegExp | undefined, code: RemoteCode])[] = [
  [/^FileNotFoundException$/, undefined, 'not-found'],
  [/^FileAlreadyExistsException$/, undefined, 'exists'],
  // What users other than the superuser are told of a path that leads through a file.
  [/^AccessControlException$/, /is not a directory\)?$/, 'not-a-directory'],
  [/^AccessControlException$|^AuthorizationException$/, undefined, 'denied'],
  [/^ParentNotDirectoryException$|^PathIsNotDirectoryException$/, undefined, 'not-a-directory'],
  [/./, /org\.apache\.hadoop\.ipc\.StandbyException|is not supported in state standby/, 'standby'],
  [/./, /SecretManager\$InvalidToken|token .* is expired|can't be found in cache/i, 'token'],
  [/^InvalidToken$/, undefined, 'token'],
  [/^SecurityException$/, /EOFException|Failed to obtain user group information/, 'token'],
  [/./, /SafeModeException|Name node is in safe mode/, 'safe-mode'],
  [/^SafeModeException$/, undefined, 'safe-mode'],
  [/^StandbyException$/, undefined, 'standby'],
  [/^RetriableException$/, undefined, 'busy'],
  [/./, /Failed to find datanode|could only be (?:written|replicated) to|datanode\(s\) running/, 'no-datanode'],
  [/./, /out of the range|Offset=.*out of/, 'out-of-range'],
  [/Quota\w*ExceededException$/, undefined, 'quota'],
  [/./, /Quota\w*ExceededException|quota of .* is exceeded/, 'quota'],
  [/./, /AccessControlException|^Permission denied/, 'denied'],
  [/^AuthenticationException$/, undefined, 'unauthenticated'],
  [/^AlreadyBeingCreatedException$|^RecoveryInProgressException$/, undefined, 'leased'],
  [/./, /AlreadyBeingCreatedException|RecoveryInProgressException/, 'leased'],
  // HttpFS, asked for an operation that it does not have.
  [/^UnsupportedOperationException$|^QueryParamException$/, undefined, 'unsupported'],
  [
    /^(?:Hadoop)?IllegalArgumentException$|^InvalidPathException$|^PathComponentTooLongException$/,
    undefined,
    'invalid',
  ],
  [/^PathIsNotEmptyDirectoryException$|^SnapshotException$/, undefined, 'invalid'],
  [/./, /Invalid path name|PathComponentTooLongException|maximum path component name limit of/, 'invalid'],
  [/./, /Pathname too long|is a reserved name|is reserved and cannot be created/, 'invalid'],
  [/^(?:IOException|ConnectException|SocketTimeoutException|EOFException|ClosedChannelException)$/, undefined, 'io'],
  [/^LeaseExpiredException$/, undefined, 'io'],
];

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
    super(told.reason ?? (message ? `${exception}: ${message}` : exception), { ...meanings[code], ...told, where });
    this.code = code;
    this.exception = exception;
  }
}

export function hasCode(error: unknown, ...codes: RemoteCode[]): boolean {
  return error instanceof RemoteError && codes.includes(error.code);
}

export function classify(exception: string, message: string): RemoteCode {
  return table.find(([name, text]) => name.test(exception) && (!text || text.test(message)))?.[2] ?? 'other';
}

/**
 * The error that an answer's body tells. Java stack traces are cut; HTML pages (Jetty, Knox, proxies) give their title.
 * @see Hadoop ExceptionHandler (namenode), HttpFSExceptionProvider
 */
export function remoteErrorOf(status: number, body: string, where: Where): RemoteError {
  const remote = parseRemoteException(body);
  if (remote) {
    const message = (remote.message ?? '').split(/\n\s*at /)[0]?.trim() ?? '';
    const meant = classify(remote.exception, message);
    const code = status === 401 && meant !== 'token' ? 'unauthenticated' : meant;
    return new RemoteError(code, remote.exception, message, where);
  }
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1]?.replace(/\s+/g, ' ').trim();
  const text = title ?? (/^\s*</.test(body) ? 'an HTML page' : body.slice(0, 200));
  return new RemoteError(codeOfStatus(status), `HTTP ${status}`, text, where);
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
