import { FanoutError } from '../errors.ts';
import { Once } from '../once.ts';
import { retry, type RetryPolicy } from '../retry.ts';
import type { Concatenation } from '../storage/capabilities.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { join } from '../storage/path.ts';
import { isUnknownOperation } from './optional-operations.ts';
import { isFromGateway } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { ServerDefaults } from './server-defaults.ts';

/** What the names of sources may take of a URL, in bytes as they are sent: servers and what stands before them take 8 KiB of a request line. */
const SOURCES_BYTES = 6 * 1024;
/** How often a server is asked whether it has CONCAT: files go as one stream where nobody says. */
const probing: RetryPolicy = { attempts: 4, totalMs: 30_000, baseMs: 250, capMs: 5000 };
/** A name that nobody gives to a file. */
const NOBODY = '_hdfs-fanout.concat-probe';

/**
 * CONCAT. Its sources are one parameter, separated by commas, which no escape keeps out of a name.
 * @see Hadoop FSDirConcatOp, ConcatSourcesParam
 */
export class Concat implements Concatenation {
  readonly #rest: NamenodeRest;
  readonly #defaults: ServerDefaults;
  readonly #obstacles = new Once<string | undefined>();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
    this.#defaults = new ServerDefaults(rest);
  }

  async obstacle(directory: string, signal: AbortSignal): Promise<string | undefined> {
    if (directory.includes(',')) return 'a comma in the path of its directory';
    return this.#obstacles.of(this.#rest.keyOf(directory), () => this.#probed(directory, signal));
  }

  async blockBytes(path: string, signal: AbortSignal): Promise<number> {
    return (await this.#defaults.of(path, signal)).blockBytes;
  }

  async concatenate(target: string, sources: readonly string[], signal: AbortSignal): Promise<number> {
    const some = sources.slice(0, fitting(sources));
    const { answerMs } = this.#rest.http.patience;
    const nameservice = this.#rest.nameservice(target);
    await this.#rest.once(nameservice, 'POST', 'CONCAT', target, { sources: some.join() }, signal, answerMs);
    return some.length;
  }

  /** A server that has it finds no such file, or refuses a user who may not even look. Whatever else comes ends no job. */
  async #probed(directory: string, signal: AbortSignal): Promise<string | undefined> {
    const nobody = join(directory, NOBODY);
    const nameservice = this.#rest.nameservice(nobody);
    const again = (error: unknown) => (verdictOn(error) === 'unclear' ? 'soon' : 'no');
    try {
      await retry(probing, signal, again, () =>
        this.#rest.once(nameservice, 'POST', 'CONCAT', nobody, { sources: `${nobody}.1` }, signal),
      );
      return 'a gateway that answers CONCAT in place of its server';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FanoutError)) throw error;
      switch (verdictOn(error)) {
        case 'has':
          return undefined;
        case 'lacks':
          return 'its server has no CONCAT';
        case 'kept off':
          return `a gateway that does not pass CONCAT on (${exceptionOf(error)})`;
        case 'unclear':
          return `its server does not say whether it has CONCAT (${exceptionOf(error)})`;
      }
    }
  }
}

/** What an answer to a CONCAT of files that are not there says of the server. */
function verdictOn(error: unknown): 'has' | 'lacks' | 'kept off' | 'unclear' {
  if (isUnknownOperation(error)) return 'lacks';
  if (!isFromGateway(error)) {
    const isInItsWords = hasCode(error, 'not-found', 'denied', 'invalid', 'not-a-directory', 'io', 'other');
    return isInItsWords ? 'has' : 'unclear';
  }
  // Too slow and too many requests are no refusals.
  return hasCode(error, 'io') ? 'unclear' : 'kept off';
}

function exceptionOf(error: FanoutError): string {
  return error instanceof StorageError ? error.exception : error.name;
}

/** How many of the sources go into one request. */
export function fitting(sources: readonly string[]): number {
  let bytes = 0;
  const tooMany = sources.findIndex((source) => (bytes += sentBytes(`${source},`)) > SOURCES_BYTES);
  return tooMany < 0 ? sources.length : Math.max(1, tooMany);
}

/** Length of a value in a query as it is sent. */
function sentBytes(value: string): number {
  const query = new URLSearchParams({ '': value }).toString().slice('='.length);
  return query.replaceAll('+', '%20').length;
}
