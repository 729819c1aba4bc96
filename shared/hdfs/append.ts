import type { Appending } from '../storage/capabilities.ts';
import { StorageError } from '../storage/errors.ts';
import type { Writing } from '../storage/storage.ts';
import { isUnknownOperation } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { retryAfterMs } from './retry-after.ts';
import type { TwoStep } from './two-step.ts';

/** What an erasure-coded file refuses says nothing of others. */
const OF_ONE_FILE = /\bEC\b|erasure|stripe/i;

/**
 * APPEND and TRUNCATE. The datanode that takes the bytes writes them as a client of its own: it holds the file's lease as long as its
 * connection stands, and closes the file where it is when that breaks off. Of a writer that is gone the namenode takes the lease after a
 * minute, once somebody asks to write.
 * @see Hadoop WebHdfsHandler.onAppend, FSDirAppendOp, FSDirTruncateOp, HdfsConstants.LEASE_SOFTLIMIT_PERIOD
 */
export class Append implements Appending {
  readonly #rest: NamenodeRest;
  readonly #twoStep: TwoStep;
  /** By nameservice: how it refused for good, or that it has taken one. */
  readonly #known = new Map<string, StorageError | 'taken'>();

  constructor(rest: NamenodeRest, twoStep: TwoStep) {
    this.#rest = rest;
    this.#twoStep = twoStep;
  }

  refusal(path: string): StorageError | undefined {
    const known = this.#known.get(this.#rest.keyOf(path));
    return known === 'taken' ? undefined : known;
  }

  async append(
    path: string,
    body: AsyncIterable<Uint8Array>,
    lengthBytes: number,
    signal: AbortSignal,
  ): Promise<Writing> {
    const key = this.#rest.keyOf(path);
    try {
      // The first step only asks for a datanode and changes nothing, so it may be sent again.
      const { location, text } = await this.#twoStep.begin(path, signal, (elsewhere) =>
        this.#rest.call('POST', 'APPEND', path, elsewhere, signal),
      );
      if (location === undefined) throw remoteErrorOf(200, text, { operation: 'APPEND', path });
      const isPatient = this.#known.get(key) !== 'taken';
      const writing = await this.#send(location, { path, body, lengthBytes, isPatient }, signal);
      this.#known.set(key, 'taken');
      return writing;
    } catch (error) {
      const isOfServer = error instanceof StorageError && error.where?.operation === 'APPEND';
      if (isOfServer && isUnknownOperation(error) && !OF_ONE_FILE.test(error.reason)) this.#known.set(key, error);
      throw error;
    }
  }

  /** Tried once: a file that is being written is refused for a while, which is the caller's to wait for. */
  async truncate(path: string, lengthBytes: number, signal: AbortSignal): Promise<boolean> {
    const nameservice = this.#rest.nameservice(path);
    const { text, status } = await this.#rest.once(
      nameservice,
      'POST',
      'TRUNCATE',
      path,
      { newlength: lengthBytes },
      signal,
    );
    const [, answer] = /"boolean"\s*:\s*(true|false)/.exec(text) ?? [];
    if (answer === undefined) throw remoteErrorOf(status, text, { operation: 'TRUNCATE', path });
    return answer === 'true';
  }

  #send(
    location: string,
    { path, body, lengthBytes, isPatient }: Sent,
    signal: AbortSignal,
  ): Promise<Pick<Writing, 'near'>> {
    return this.#twoStep.follow(location, { operation: 'APPEND', path }, async ({ url, where, headers, near }) => {
      // Only datanodes give the interim answer that a patient upload waits for, and they keep no connection.
      const how = { headers, isKept: near === undefined, isPatient: isPatient && near !== undefined };
      const answer = await this.#rest.http.upload({ method: 'POST', url, body, lengthBytes, ...how }, where, signal);
      const { status, text, headers: told } = answer;
      if (status !== 200) throw remoteErrorOf(status, text, where, retryAfterMs(told['retry-after'], told.date));
      return { near };
    });
  }
}

interface Sent {
  readonly path: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly lengthBytes: number;
  readonly isPatient: boolean;
}
