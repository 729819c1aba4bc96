import { StorageError } from '../storage/errors.ts';

/**
 * What not every server can do, or not every user may: asked for until a server says that it never will, and then never again.
 */
export class OptionalOperations {
  /** Undefined: it can; an error: how it said that it cannot. */
  readonly #known = new Map<string, Promise<StorageError | undefined>>();

  /**
   * @param key  tells servers and operations apart
   * @param isForGood  whether an error says that the server will never do it, for no path
   * @returns undefined where the server cannot
   */
  async run<T>(
    key: string,
    ask: () => Promise<T>,
    isForGood: (error: StorageError) => boolean = isUnknownOperation,
  ): Promise<T | undefined> {
    // All wait for the first answer, so that a server is not asked many times at once for what it does not know.
    const known = this.#known.get(key);
    if (known && (await known)) return undefined;
    const asked = ask();
    const verdict = asked.then(
      () => undefined,
      (error: unknown) => (error instanceof StorageError && isForGood(error) ? error : undefined),
    );
    if (!known) this.#known.set(key, verdict);
    if (await verdict) {
      this.#known.set(key, verdict);
      return undefined;
    }
    return asked;
  }

  /** As `run`, where the caller wants to know why. @throws StorageError also where it is not asked again */
  async insist<T>(
    key: string,
    ask: () => Promise<T>,
    isForGood: (error: StorageError) => boolean = isUnknownOperation,
  ): Promise<T> {
    const done = await this.run(key, async () => ({ answer: await ask() }), isForGood);
    if (done) return done.answer;
    throw (await this.refusal(key)) ?? new Error(`${key} was refused and nobody knows why`);
  }

  /** How the server said that it cannot, if it did. */
  async refusal(key: string): Promise<StorageError | undefined> {
    return this.#known.get(key);
  }
}

/** A namenode names the parameter; HttpFS hides Java's own exception behind another. */
export function isUnknownOperation(error: unknown): boolean {
  if (!(error instanceof StorageError)) return false;
  return error.code === 'unsupported' || /webhdfs parameter "op"|No enum constant|Invalid Operation/.test(error.reason);
}
