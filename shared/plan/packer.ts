import { chunkRange } from '../job/chunk.ts';
import { type AnyBatch, isSplit, type Unit } from '../job/unit.ts';

const MIB = 1024 * 1024;
/** What a file costs besides its bytes, in bytes: about seven requests. */
const FILE_COST = 2 * MIB;
const LEAST_COST = 16 * MIB;
const MOST_COST = 2048 * MIB;
/** A batch is a tenth of each copier's share of what was packed so far at most, and so is what one may end later than the others. */
const SHARE_PACKED = 10;
/** Or half of each one's share of what is held back: what comes behind it is to be shared out as well. */
const SHARE_HELD = 2;
/** A Step Functions state holds 256 KiB, escapes and all. */
const LINE_BYTES = 160 * 1024;
const UNITS = 1000;

/** Who a plan's batches are for. */
export interface Sharing {
  /** How many copy at once. */
  readonly copiers: number;
  /**
   * Units that are held back, in bytes of JSON, so that what takes long goes first. None where copying begins while planning goes on: it
   * would begin later.
   */
  readonly heldBytes: number;
}

export const oneCopier: Sharing = { copiers: 1, heldBytes: 0 };

/** Copying begins when the plan is whole. Some 20,000 files are held back, in memory and between two invocations. */
export const plannedFirst = (copiers: number): Sharing => ({ copiers, heldBytes: 4 * MIB });

/** A packer between two units, as plain JSON. */
export interface PackerState<U = Unit> {
  /** Held back, in the order in which they came. */
  readonly held: readonly U[];
  readonly units: readonly U[];
  /** Of the batches that are full, in bytes. */
  readonly packedCost: number;
  readonly next: number;
}

/** @param next  the number of its first batch */
export function emptyPacker(next: number): PackerState<never> {
  return { held: [], units: [], packedCost: 0, next };
}

/** A unit, what it costs in bytes, and its length as JSON. */
interface Weighed<U> {
  readonly unit: U;
  readonly cost: number;
  readonly lineBytes: number;
}

/**
 * Packs units into batches by cost, so that a small job fans out wide, a large one has few, and all copiers end at about the same time. Of the units it
 * holds back those that cost most go first (list scheduling by longest processing time, Graham 1969), others in the order in which they came.
 * Always the same for the same units.
 */
export class Packer<U = Unit> {
  readonly #sharing: Sharing;
  readonly #costOf: (unit: U) => number;
  #held: Weighed<U>[];
  #heldBytes: number;
  #heldCost: number;
  #units: U[] = [];
  #cost = 0;
  #lineBytes = 0;
  #packedCost: number;
  #next: number;

  /**
   * @param cost  what a unit costs, in bytes
   * @param from  what an earlier packer stopped with
   */
  constructor(sharing: Sharing, cost: (unit: U) => number, from: PackerState<U> = emptyPacker(0)) {
    this.#sharing = sharing;
    this.#costOf = cost;
    this.#held = from.held.map((unit) => this.#weigh(unit));
    this.#heldBytes = this.#held.reduce((sum, { lineBytes }) => sum + lineBytes, 0);
    this.#heldCost = this.#held.reduce((sum, { cost }) => sum + cost, 0);
    this.#packedCost = from.packedCost;
    this.#next = from.next;
    for (const unit of from.units) this.#put(this.#weigh(unit));
  }

  get state(): PackerState<U> {
    const held = this.#held.map(({ unit }) => unit);
    return { held, units: [...this.#units], packedCost: this.#packedCost, next: this.#next };
  }

  /** @returns the batches that are full now */
  add(unit: U): AnyBatch<U>[] {
    const weighed = this.#weigh(unit);
    this.#held.push(weighed);
    this.#heldBytes += weighed.lineBytes;
    this.#heldCost += weighed.cost;
    // Half of them at a time: they are sorted once for many.
    return this.#heldBytes > this.#sharing.heldBytes ? this.#release(this.#sharing.heldBytes / 2, SHARE_PACKED) : [];
  }

  /** The units that are left. */
  flush(): AnyBatch<U>[] {
    const batches = this.#release(0, Infinity);
    if (this.#units.length > 0) batches.push(this.#close());
    return batches;
  }

  /**
   * @param leave  bytes of JSON that stay held back at most
   * @param sharePacked  Infinity at the end, when all that is left is known
   */
  #release(leave: number, sharePacked: number): AnyBatch<U>[] {
    const batches = [];
    const sorted = this.#held.length > 1 ? this.#held.toSorted((a, b) => rankOf(b) - rankOf(a)) : this.#held;
    let released = 0;
    for (const weighed of sorted) {
      if (this.#heldBytes <= leave) break;
      released += 1;
      if (!this.#hasRoomFor(weighed, sharePacked)) batches.push(this.#close());
      this.#heldBytes -= weighed.lineBytes;
      this.#heldCost -= weighed.cost;
      this.#put(weighed);
    }
    this.#held = sorted.slice(released);
    return batches;
  }

  #weigh(unit: U): Weighed<U> {
    return { unit, cost: this.#costOf(unit), lineBytes: Buffer.byteLength(JSON.stringify(unit)) + 1 };
  }

  #hasRoomFor({ cost, lineBytes }: Weighed<U>, sharePacked: number): boolean {
    if (this.#units.length === 0) return true;
    const left = (this.#cost + this.#heldCost) / SHARE_HELD;
    const shared = Math.max(left, this.#packedCost / sharePacked) / this.#sharing.copiers;
    const mostCost = Math.min(MOST_COST, Math.max(LEAST_COST, shared));
    const isWithin = this.#cost + cost <= mostCost && this.#lineBytes + lineBytes <= LINE_BYTES;
    return isWithin && this.#units.length < UNITS;
  }

  #put({ unit, cost, lineBytes }: Weighed<U>): void {
    this.#units.push(unit);
    this.#cost += cost;
    this.#lineBytes += lineBytes;
  }

  #close(): AnyBatch<U> {
    const batch = { batch: this.#next++, units: this.#units };
    this.#packedCost += this.#cost;
    this.#units = [];
    this.#cost = 0;
    this.#lineBytes = 0;
    return batch;
  }
}

/** What copying a unit takes, in bytes: its own, and for its requests as many as could be copied meanwhile. */
export function costOf(unit: Unit): number {
  if (unit.kind === 'chunk') return chunkRange(unit.file, unit.chunk).lengthBytes + FILE_COST;
  const isLeft = unit.decision === 'skip' || unit.decision === 'fail' || isSplit(unit);
  return isLeft ? 0 : unit.lengthBytes + FILE_COST;
}

/** Doublings of the cost: neighbours of about the same cost stay together. A split file, which costs nothing, stays behind its chunks. */
function rankOf({ cost }: Weighed<unknown>): number {
  return cost === 0 ? -1 : Math.floor(Math.log2(cost));
}
