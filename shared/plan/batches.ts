import type { Batch, Unit } from '../job/unit.ts';
import { costOf, Packer, type PackerState, type Sharing } from './packer.ts';

/** The batches of a plan between two units, as plain JSON. */
export interface BatchesState {
  readonly packer: PackerState;
  readonly files: number;
  readonly bytes: number;
}

/** Takes the units of a plan from all sides, counts them, and hands over a batch when it is full: in order, one at a time. */
export class Batches {
  readonly #packer: Packer;
  readonly #emit: (batch: Batch) => Promise<void>;
  #files: number;
  #bytes: number;
  /** The batches on their way: a directory that cannot be made adds a unit while the walk adds others. */
  #emitted: Promise<void> = Promise.resolve();

  /** @param from  what an earlier plan stopped with */
  constructor(emit: (batch: Batch) => Promise<void>, sharing: Sharing, from?: BatchesState) {
    this.#emit = emit;
    this.#packer = new Packer(sharing, costOf, from?.packer);
    this.#files = from?.files ?? 0;
    this.#bytes = from?.bytes ?? 0;
  }

  /** Resolves when the batches that the unit filled were taken. */
  async add(unit: Unit): Promise<void> {
    if (unit.kind === 'file') {
      this.#files += 1;
      this.#bytes += unit.lengthBytes;
    }
    await this.#hand(this.#packer.add(unit));
  }

  /** Resolves when every full batch was taken. */
  async settled(): Promise<BatchesState> {
    await this.#emitted;
    return { packer: this.#packer.state, files: this.#files, bytes: this.#bytes };
  }

  /** Hands over what is left. */
  async end(): Promise<BatchesState> {
    await this.#hand(this.#packer.flush());
    return this.settled();
  }

  async #hand(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) this.#emitted = this.#emitted.then(() => this.#emit(batch));
    if (batches.length > 0) await this.#emitted;
  }
}
