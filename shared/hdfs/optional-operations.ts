import { RemoteError } from './remote-exception.ts';

/** What not every server can do: asked for until a server says that it does not know the operation, and then never again. */
export class OptionalOperations {
  readonly #known = new Map<string, Promise<boolean | undefined>>();

  /**
   * @param key  tells servers and operations apart
   * @returns undefined where the server does not know the operation
   */
  async run<T>(key: string, ask: () => Promise<T>): Promise<T | undefined> {
    // All wait for the first answer, so that a server is not asked many times at once for what it does not know.
    const known = this.#known.get(key);
    if (known && (await known) === false) return undefined;
    const asked = ask();
    const verdict = asked.then(
      () => true,
      (error: unknown) => (isUnknownOperation(error) ? false : undefined),
    );
    if (!known) this.#known.set(key, verdict);
    if ((await verdict) === false) {
      this.#known.set(key, verdict);
      return undefined;
    }
    return asked;
  }
}

/** A namenode names the parameter; HttpFS hides Java's own exception behind another. */
export function isUnknownOperation(error: unknown): boolean {
  if (!(error instanceof RemoteError)) return false;
  return error.code === 'unsupported' || /webhdfs parameter "op"|No enum constant|Invalid Operation/.test(error.reason);
}
