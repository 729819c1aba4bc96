import { type Disposition, FanoutError, type Where } from '../errors.ts';

/** What an error of a storage means to a copy. */
export type StorageCode =
  | 'standby'
  | 'busy'
  | 'safe-mode'
  | 'not-found'
  | 'denied'
  | 'exists'
  | 'leased'
  | 'open'
  | 'no-block'
  | 'no-checksum'
  | 'damaged'
  | 'quota'
  | 'limit'
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
  /** What a person is told in place of the storage's own words. */
  readonly reason?: string;
}

/** What follows from a code. Only what a moment or another server can mend is worth a try again. */
export const meanings: Readonly<Record<StorageCode, Meaning>> = {
  standby: { disposition: 'retry', remedy: 'check that one namenode of the nameservice is active' },
  busy: { disposition: 'retry', remedy: 'wait until it has started, or has less to do' },
  'safe-mode': { disposition: 'retry', remedy: 'check hdfs dfsadmin -safemode get, and resume when it is off' },
  'not-found': { disposition: 'fail-unit', remedy: 'check that it still exists' },
  denied: { disposition: 'fail-unit', remedy: 'grant the permission, or copy as another user' },
  exists: { disposition: 'fail-unit', remedy: 'use --force to overwrite' },
  leased: { disposition: 'retry', remedy: 'wait until its other writer is done' },
  open: { disposition: 'fail-unit', reason: 'open for writing', remedy: 'copy from a snapshot' },
  'no-block': { disposition: 'retry', remedy: 'its blocks are missing: check hdfs fsck and hdfs dfsadmin -report' },
  'no-checksum': { disposition: 'fail-unit', remedy: 'no usable checksum is stored: --verify length does without' },
  damaged: { disposition: 'fail-unit', remedy: 'check it with hdfs fsck PATH -files -blocks -locations' },
  quota: { disposition: 'fail-unit', remedy: 'raise the quota or free space; --direct replaces files in place' },
  limit: { disposition: 'fail-unit' },
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

/** A storage refused, or could not do what it was asked. Each storage says once, by its code, what its own errors mean. */
export class StorageError extends FanoutError {
  override readonly name = 'StorageError';
  readonly code: StorageCode;
  /** What the storage itself calls it: a short Java class name, `HTTP 502` where no RemoteException came, `ENOENT`. */
  readonly exception: string;
  /** For how long the server wants to be left alone; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;

  /** @param told  what a person is told instead, by who knows more than the exception's class says */
  constructor(
    code: StorageCode,
    exception: string,
    message: string,
    where: Where,
    told: {
      readonly reason?: string;
      readonly remedy?: string;
      readonly disposition?: Disposition;
      readonly retryAfterMs?: number | undefined;
    } = {},
  ) {
    const { disposition, remedy, reason } = { ...meanings[code], ...told };
    super(reason ?? (message ? `${exception}: ${message}` : exception), {
      disposition,
      remedy,
      where,
      // A proxy or load balancer spoke, and cannot know what the server did.
      mayHaveWorked: exception.startsWith('HTTP '),
    });
    this.code = code;
    this.exception = exception;
    this.retryAfterMs = told.retryAfterMs;
  }
}

/** Whether an error of a storage, or of a source file (`OpenFileError`), means one of these. */
export function hasCode(error: unknown, ...codes: readonly StorageCode[]): boolean {
  return error instanceof FanoutError && 'code' in error && codes.some((code) => code === error.code);
}

/** Somebody writes the file. */
export function isOpen(error: unknown): boolean {
  return hasCode(error, 'open');
}

/** Something stands at the name. */
export function isExists(error: unknown): boolean {
  return hasCode(error, 'exists');
}
