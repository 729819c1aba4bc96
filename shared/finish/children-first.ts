import pLimit from 'p-limit';
import { isWithin } from '../storage/path.ts';

/**
 * Works on directories side by side, on each only when the work on those below it is done. Directories come in the order in which a walk
 * leaves them; what has ended is not held.
 */
export class ChildrenFirst {
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #room: number;
  /** Work that waits or is being done, with its directory. */
  readonly #open = new Map<Promise<void>, string>();
  #failure: { readonly error: unknown } | undefined;

  constructor(atOnce: number) {
    this.#limit = pLimit(atOnce);
    // Parents that wait for their children take none of the places at work.
    this.#room = 2 * atOnce;
  }

  /** Resolves when there is room for the next. @throws the first failure of any work */
  async add(path: string, work: () => Promise<void>): Promise<void> {
    this.#throwFailure();
    const below = [...this.#open].flatMap(([one, of]) => (isWithin(`/${of}`, `/${path}`) ? [one] : []));
    const one = Promise.all(below)
      .then(() => (this.#failure ? undefined : this.#limit(work)))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#open.delete(one));
    this.#open.set(one, path);
    if (this.#open.size >= this.#room) await Promise.race(this.#open.keys());
  }

  /** Resolves when all work has ended. @throws the first failure of any */
  async drained(): Promise<void> {
    await this.rested();
    this.#throwFailure();
  }

  /** Resolves when all work has ended, well or not. */
  async rested(): Promise<void> {
    await Promise.all(this.#open.keys());
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
