import type { Batch } from '../job/unit.ts';

/**
 * Hands the batches of a job out to its copiers, each to one of them, and again when that one has died. Reads a batch only when it is
 * asked for.
 */
export class BatchQueue {
  #batches: AsyncIterator<Batch> | undefined;
  readonly #returned: Batch[] = [];
  /** Batches that were handed out, and neither copied nor given back. */
  #handedOut = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #changed = Promise.withResolvers<undefined>();

  /** Before the first batch is asked for. */
  open(batches: AsyncIterator<Batch>): void {
    this.#batches = batches;
  }

  /**
   * The next batch; undefined when all of them are copied. While another copier has the last ones it waits: they may be given back.
   * @throws when the manifest cannot be read
   */
  async next(): Promise<Batch | undefined> {
    for (;;) {
      const batch = this.#takeReturned() ?? (await this.#read());
      if (batch) return batch;
      if (this.#returned.length > 0) continue;
      if (this.#handedOut === 0) return undefined;
      await this.#changed.promise;
    }
  }

  copied(): void {
    this.#handedOut -= 1;
    this.#change();
  }

  /** Its copier is gone. */
  giveBack(batch: Batch): void {
    this.#handedOut -= 1;
    this.#returned.push(batch);
    this.#change();
  }

  #takeReturned(): Batch | undefined {
    const batch = this.#returned.shift();
    if (batch) this.#handedOut += 1;
    return batch;
  }

  #read(): Promise<Batch | undefined> {
    const reading = this.#reading.then(async () => {
      const next = await this.#batches?.next();
      if (!next || next.done) return undefined;
      this.#handedOut += 1;
      return next.value;
    });
    // A manifest that could not be read is not at its end: every later reading fails as this one.
    this.#reading = reading;
    return reading;
  }

  #change(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers<undefined>();
  }
}
