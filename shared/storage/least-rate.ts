import { bytesText } from '../bytes.ts';
import { TransportError, type Where } from '../errors.ts';

/** Over how long a rate is measured, of the time in which a side is waited for, ms. */
const WINDOW_MS = 60_000;
const LOOK_EVERY_MS = 1000;

/**
 * Holds one side of one transfer to a least rate while the other side waits for it. Each minute of that is judged by itself, but for a piece
 * that is on its way, which may take as long as it would at the least rate.
 */
export class LeastRate {
  readonly #bytesPerSecond: number;
  readonly #where: Where;
  readonly #stop: (error: TransportError) => void;
  readonly #windowMs: number;
  #bytes = 0;
  #waitedMs = 0;
  /** Since when it is waited for, as far as that is not counted. */
  #sinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #error: TransportError | undefined;

  /**
   * @param where  the side
   * @param stop  ends what is waited for
   */
  constructor(bytesPerSecond: number, where: Where, stop: (error: TransportError) => void, windowMs = WINDOW_MS) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#where = where;
    this.#stop = stop;
    this.#windowMs = windowMs;
  }

  /** Passes on what the side gives. @throws TransportError when that is too slow */
  async *given(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      this.#begin(0);
      for await (const piece of body) {
        this.#end(piece.length);
        yield piece;
        this.#begin(0);
      }
    } catch (error) {
      throw this.#error ?? error;
    } finally {
      clearInterval(this.#timer);
    }
  }

  /** Passes on what the side is to take. @throws TransportError when it takes that too slowly */
  async *taken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        this.#begin(piece.length);
        yield piece;
        this.#end(0);
      }
    } finally {
      clearInterval(this.#timer);
    }
  }

  #begin(bytes: number): void {
    this.#bytes += bytes;
    this.#sinceMs = performance.now();
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #end(bytes: number): void {
    this.#bytes += bytes;
    this.#count();
    this.#sinceMs = undefined;
    this.#look();
    if (this.#error) throw this.#error;
  }

  /** Counts the time up to now. A gap between two looks is this process's own: it slept. */
  #count(): void {
    if (this.#sinceMs === undefined) return;
    const nowMs = performance.now();
    this.#waitedMs += Math.min(nowMs - this.#sinceMs, 2 * LOOK_EVERY_MS);
    this.#sinceMs = nowMs;
  }

  #look(): void {
    this.#count();
    const waitedMs = this.#waitedMs;
    if (this.#error || waitedMs < this.#windowMs) return;
    const rate = this.#bytes / (waitedMs / 1000);
    if (rate < this.#bytesPerSecond) {
      const reason = `it moved ${bytesText(rate)}/s for ${Math.round(waitedMs / 1000)} s, less than ${bytesText(this.#bytesPerSecond)}/s`;
      const remedy = 'lower --min-rate where no server is faster';
      this.#error = new TransportError(reason, this.#where, { remedy });
      this.#stop(this.#error);
    } else if (this.#sinceMs === undefined) {
      this.#bytes = 0;
      this.#waitedMs = 0;
    }
  }
}
