/** Work that was killed does again what it did in this time. */
const KEEP_EVERY_MS = 5000;

/**
 * Keeps, every few seconds, where work goes on that is killed. The work itself goes on with its open listings and pages: whoever begins anew
 * at a position reads a page, or a whole directory, once more.
 */
export class Checkpoint<Position> {
  readonly #keep: (at: Position) => Promise<void>;
  #dueAtMs = performance.now() + KEEP_EVERY_MS;

  constructor(keep: (at: Position) => Promise<void>) {
    this.#keep = keep;
  }

  get isDue(): boolean {
    return performance.now() >= this.#dueAtMs;
  }

  /** @throws what keeping throws */
  async keep(at: Position): Promise<void> {
    await this.#keep(at);
    this.#dueAtMs = performance.now() + KEEP_EVERY_MS;
  }
}
