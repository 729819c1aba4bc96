/** As much as may be on its way before a server could have refused it (a patient upload waits with more). */
const KEPT_BYTES = 256 * 1024;

/**
 * A body whose beginning can be sent again. Its source is read once and stays open when a server refuses the body early, as it
 * does for the sake of an attribute.
 */
export class ReplayedBody {
  readonly #source: AsyncIterator<Uint8Array>;
  /** In order, asked for once, whoever waits for them: a sender that was stopped may still wait for one. */
  readonly #pieces: Promise<IteratorResult<Uint8Array, unknown>>[] = [];
  #dropped = 0;
  #bytes = 0;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** Whether `body` still gives everything from the first byte. */
  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  /** @throws when the beginning is not kept any more */
  async *body(): AsyncGenerator<Uint8Array> {
    for (let index = 0; ; index++) {
      const piece = await this.#piece(index);
      if (piece.done) return;
      yield piece.value;
    }
  }

  #piece(index: number): Promise<IteratorResult<Uint8Array, unknown>> {
    if (index < this.#dropped) throw new Error('the beginning of the body is not kept any more');
    const known = this.#pieces[index - this.#dropped];
    if (known) return known;
    if (this.#bytes > KEPT_BYTES) this.#dropped += this.#pieces.splice(0).length;
    const asked = this.#source.next().then((piece) => {
      this.#bytes += piece.done ? 0 : piece.value.length;
      // A copy of what may be sent again: whoever gave it may fill it anew.
      const again = !piece.done && this.#bytes <= KEPT_BYTES;
      return again ? { done: false as const, value: Uint8Array.from(piece.value) } : piece;
    });
    asked.catch(() => undefined);
    this.#pieces.push(asked);
    return asked;
  }
}
