import type { Action } from '../job/would-do.ts';
import { chunkRange } from '../job/chunk.ts';
import { type FileUnit, isSplit } from '../job/unit.ts';
import { MIDDLE_BYTES, noWork, sizeClassOf, type Work, type WorkBySize } from '../cost/work.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Lengths up to which the rows of a histogram reach, bytes; the last row has no end. */
const BOUNDS = [0, 64 * 1024, MIDDLE_BYTES - 1, 16 * MIB, 128 * MIB - 1, GIB, 16 * GIB];
const LARGEST = 5;
const EXAMPLES = 5;

/** A row of a histogram. */
export interface Band {
  /** Longest file of it, bytes; undefined in the last one. */
  readonly upTo?: number;
  readonly files: number;
  readonly bytes: number;
  /** Of these, what is to be copied. */
  readonly copied: Work;
}

/** What was collected of a plan. Plain JSON, of bounded size. */
export interface Collected {
  readonly source: Work;
  /** Levels below the source at which the deepest file lies; 1: right in it. */
  readonly depth: number;
  readonly actions: Readonly<Partial<Record<Action, Work>>>;
  /** Why files are skipped. */
  readonly skipped: Readonly<Record<string, number>>;
  /** The first of the files that would fail. */
  readonly failing: readonly { readonly path: string; readonly reason: string }[];
  readonly bands: readonly Band[];
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
  readonly small: Work;
  readonly work: WorkBySize;
  /** Files whose contents a copier has to compare. */
  readonly compared: number;
  /** The longest piece that one transfer copies by itself, bytes. */
  readonly longestBytes: number;
  /** Bytes to be copied, by the replication that the new files get; `usual` for the destination's own, `coded` where they are erasure-coded. */
  readonly byReplication: Readonly<Record<string, number>>;
}

/** Nothing yet. */
const empty: Collected = {
  source: { files: 0, bytes: 0 },
  depth: 0,
  actions: {},
  skipped: {},
  failing: [],
  bands: [...BOUNDS, undefined].map((upTo) => ({
    ...(upTo === undefined ? {} : { upTo }),
    files: 0,
    bytes: 0,
    copied: { files: 0, bytes: 0 },
  })),
  largest: [],
  small: { files: 0, bytes: 0 },
  work: noWork,
  compared: 0,
  longestBytes: 0,
  byReplication: {},
};

/** What is told of a file: what would be done to it, and why. */
export interface Collecting {
  readonly action: Action;
  readonly reason: string;
  /** Of the source. */
  readonly path: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Adds planned files up: what a tree holds, and what is to be done with it. Asks nothing of anybody, and does not grow with the tree. */
export class Collector {
  readonly #keepsReplication: boolean;
  readonly #sums: Mutable<Collected>;

  /**
   * @param keepsReplication  whether new files get the replication of their sources
   * @param from  what an earlier one had collected
   */
  constructor(keepsReplication: boolean, from: Collected = empty) {
    this.#keepsReplication = keepsReplication;
    this.#sums = { ...from };
  }

  get collected(): Collected {
    return { ...this.#sums };
  }

  add(unit: FileUnit, { action, reason, path }: Collecting): void {
    const { lengthBytes: bytes } = unit;
    const sums = this.#sums;
    const isCopied = action === 'copy' || action === 'overwrite';
    sums.source = plus(sums.source, bytes);
    sums.depth = Math.max(sums.depth, unit.path === '' ? 0 : unit.path.split('/').length);
    sums.actions = { ...sums.actions, [action]: plus(sums.actions[action] ?? noWork.small, bytes) };
    if (action === 'skip') sums.skipped = { ...sums.skipped, [reason]: (sums.skipped[reason] ?? 0) + 1 };
    if (action === 'fail' && sums.failing.length < EXAMPLES) sums.failing = [...sums.failing, { path, reason }];
    if (unit.decision === 'compare') sums.compared += 1;
    if (bytes < MIDDLE_BYTES) sums.small = plus(sums.small, bytes);
    this.#band(bytes, isCopied);
    this.#rank(path, bytes);
    if (isCopied) this.#work(unit);
  }

  #band(bytes: number, isCopied: boolean): void {
    const at = BOUNDS.findIndex((upTo) => bytes <= upTo);
    const index = at < 0 ? BOUNDS.length : at;
    const bands = [...this.#sums.bands];
    const band = bands[index];
    if (!band) throw new Error(`no row for ${bytes} bytes`);
    const { files, bytes: before, copied } = band;
    const now = { ...band, files: files + 1, bytes: before + bytes, copied: isCopied ? plus(copied, bytes) : copied };
    bands[index] = now;
    this.#sums.bands = bands;
  }

  #rank(path: string, bytes: number): void {
    const { largest } = this.#sums;
    if (bytes === 0 || (largest.length === LARGEST && bytes <= (largest.at(-1)?.bytes ?? 0))) return;
    this.#sums.largest = [...largest, { path, bytes }].toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
  }

  #work(unit: FileUnit): void {
    const { lengthBytes: bytes } = unit;
    const sums = this.#sums;
    const size = sizeClassOf(bytes);
    sums.work = { ...sums.work, [size]: plus(sums.work[size], bytes) };
    const piece = isSplit(unit) ? chunkRange(unit, 0).lengthBytes : bytes;
    sums.longestBytes = Math.max(sums.longestBytes, piece);
    const kept = this.#replicationOf(unit);
    sums.byReplication = { ...sums.byReplication, [kept]: (sums.byReplication[kept] ?? 0) + bytes };
  }

  /** What a new file is kept with, as far as its plan tells. */
  #replicationOf({ newStripe, attributes }: FileUnit): string {
    if (newStripe) return 'coded';
    const replication = this.#keepsReplication ? (attributes?.replication ?? 0) : 0;
    return replication > 0 ? String(replication) : 'usual';
  }
}

function plus({ files, bytes }: Work, more: number): Work {
  return { files: files + 1, bytes: bytes + more };
}
