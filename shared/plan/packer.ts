import { chunkRange } from '../job/chunk.ts';
import { type AnyBatch, isSplit, type Unit } from '../job/unit.ts';

const MIB = 1024 * 1024;
/** What a file costs besides its bytes, in bytes: about seven requests. */
const FILE_COST = 2 * MIB;
const FIRST_COST = 16 * MIB;
const LAST_COST = 2048 * MIB;
/** The first batches are small, so that a small job fans out wide; a large one has few. */
const GROWTH = 1.25;
/** A Step Functions state holds 256 KiB, escapes and all. */
const LINE_BYTES = 160 * 1024;
const UNITS = 1000;

/** A packer between two units, as plain JSON. */
export interface PackerState<U = Unit> {
  readonly units: readonly U[];
  readonly cost: number;
  readonly lineBytes: number;
  readonly limit: number;
  readonly next: number;
}

/** @param next  the number of its first batch */
export function emptyPacker(next: number): PackerState {
  return { units: [], cost: 0, lineBytes: 0, limit: FIRST_COST, next };
}

/** Packs units into batches by cost. Always the same for the same units. */
export class Packer<U = Unit> {
  readonly #costOf: (unit: U) => number;
  #units: U[];
  #cost: number;
  #lineBytes: number;
  #limit: number;
  #next: number;

  /**
   * @param cost  what a unit costs, in bytes
   * @param from  what an earlier packer stopped with
   */
  constructor(cost: (unit: U) => number, from?: PackerState<U>) {
    this.#costOf = cost;
    this.#units = [...(from?.units ?? [])];
    this.#cost = from?.cost ?? 0;
    this.#lineBytes = from?.lineBytes ?? 0;
    this.#limit = from?.limit ?? FIRST_COST;
    this.#next = from?.next ?? 0;
  }

  get state(): PackerState<U> {
    const [units, cost, lineBytes, limit, next] = [this.#units, this.#cost, this.#lineBytes, this.#limit, this.#next];
    return { units, cost, lineBytes, limit, next };
  }

  /** @returns the batch that this unit completed or did not fit into any more */
  add(unit: U): AnyBatch<U> | undefined {
    const lineBytes = Buffer.byteLength(JSON.stringify(unit)) + 1;
    const cost = this.#costOf(unit);
    const full =
      this.#units.length > 0 &&
      (this.#cost + cost > this.#limit || this.#lineBytes + lineBytes > LINE_BYTES || this.#units.length >= UNITS);
    const batch = full ? this.flush() : undefined;
    this.#units.push(unit);
    this.#cost += cost;
    this.#lineBytes += lineBytes;
    return batch;
  }

  /** The units that are left, if any. */
  flush(): AnyBatch<U> | undefined {
    if (this.#units.length === 0) return undefined;
    const batch = { batch: this.#next++, units: this.#units };
    this.#units = [];
    this.#cost = 0;
    this.#lineBytes = 0;
    this.#limit = Math.min(LAST_COST, this.#limit * GROWTH);
    return batch;
  }
}

/** What copying a unit costs, in bytes. */
export function costOf(unit: Unit): number {
  if (unit.kind === 'chunk') return chunkRange(unit.file, unit.chunk).lengthBytes + FILE_COST;
  const isLeft = unit.decision === 'skip' || unit.decision === 'fail' || isSplit(unit);
  return isLeft ? 0 : unit.lengthBytes + FILE_COST;
}
