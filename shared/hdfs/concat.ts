import { Once } from '../once.ts';
import type { Concatenation } from '../storage/capabilities.ts';
import { hasCode } from '../storage/errors.ts';
import { join } from '../storage/path.ts';
import { isUnknownOperation } from './optional-operations.ts';
import type { NamenodeRest } from './rest.ts';
import { ServerDefaults } from './server-defaults.ts';

/** What the names of sources may take of a URL, in bytes as they are sent: servers and what stands before them take 8 KiB of a request line. */
const SOURCES_BYTES = 6 * 1024;
/** A name that nobody gives to a file. */
const NOBODY = '_hdfs-fanout.concat-probe';

/**
 * CONCAT. Its sources are one parameter, separated by commas, which no escape keeps out of a name.
 * @see Hadoop FSDirConcatOp, ConcatSourcesParam
 */
export class Concat implements Concatenation {
  readonly #rest: NamenodeRest;
  readonly #defaults: ServerDefaults;
  readonly #lacking = new Once<boolean>();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
    this.#defaults = new ServerDefaults(rest);
  }

  async obstacle(directory: string, signal: AbortSignal): Promise<string | undefined> {
    if (directory.includes(',')) return 'a comma in the path of its directory';
    const lacks = await this.#lacking.of(this.#rest.keyOf(directory), () => this.#lacks(directory, signal));
    return lacks ? 'its server has no CONCAT' : undefined;
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

  /** A server that has it finds no such file, or refuses a user who may not even look. */
  async #lacks(directory: string, signal: AbortSignal): Promise<boolean> {
    const nobody = join(directory, NOBODY);
    try {
      await this.#rest.call('POST', 'CONCAT', nobody, { sources: `${nobody}.1` }, signal);
      return false;
    } catch (error) {
      if (isUnknownOperation(error)) return true;
      if (hasCode(error, 'not-found', 'denied', 'invalid', 'not-a-directory', 'io', 'other')) return false;
      throw error;
    }
  }
}

/** How many of the sources go into one request. */
export function fitting(sources: readonly string[]): number {
  let bytes = 0;
  const tooMany = sources.findIndex((source) => (bytes += encodeURIComponent(`${source},`).length) > SOURCES_BYTES);
  return tooMany < 0 ? sources.length : Math.max(1, tooMany);
}
