/** Answers that do not change, by key: each is asked for once, also by many at the same time. A failure is not kept. */
export class Once<T> {
  readonly #answers = new Map<string, Promise<T>>();

  of(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known) return known;
    const asked = ask();
    this.#answers.set(key, asked);
    asked.catch(() => this.#answers.delete(key));
    return asked;
  }
}
