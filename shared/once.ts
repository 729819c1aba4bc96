/** Answers by key, each asked for once, also by many at the same time. A failure is not kept: whoever comes next asks again. */
export class Once<T> {
  readonly #answers = new Map<string, Promise<T>>();

  of(key: string, ask: () => Promise<T>): Promise<T> {
    return this.#answers.get(key) ?? this.replace(key, ask());
  }

  /** The answer that `of` would give without asking. */
  known(key: string): Promise<T> | undefined {
    return this.#answers.get(key);
  }

  /** Keeps a newer answer for all who ask from now on, and returns it. */
  replace(key: string, answer: Promise<T>): Promise<T> {
    this.#answers.set(key, answer);
    answer.catch(() => this.forget(key, answer));
    return answer;
  }

  /** Drops an answer that is no longer good. One that took its place meanwhile stays. */
  forget(key: string, answer: Promise<T>): void {
    if (this.#answers.get(key) === answer) this.#answers.delete(key);
  }

  /** Waits until every answer has come or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#answers.values());
  }
}
