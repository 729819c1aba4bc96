import { bytesText } from '../bytes.ts';
import { chosenAttributes } from '../preserve/attributes.ts';
import type { JobOptions } from '../job/spec.ts';
import { readBytesOf, strideOf } from '../job/stride.ts';
import type { FileUnit, Split } from '../job/unit.ts';
import { parentOf } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import type { Inherited } from './inherited.ts';

const GIB = 1024 ** 3;
/** Files of fewer bytes go as one stream unless told otherwise, and so do those of fewer than four blocks. */
const LEAST_BYTES = GIB;
const LEAST_BLOCKS = 4;
/** Hadoop's default of dfs.namenode.fs-limits.max-blocks-per-file. */
const MOST_BLOCKS = 10_000;
/**
 * Blocks of both sides in one chunk: their digests are 16 bytes each, in two layouts at most and in base64, and an item of the job's table holds
 * 400 KB.
 */
const MOST_BLOCKS_OF_CHUNK = 8000;

/** How many files are split and how many cannot be, each by a text for a person. */
export interface SplitCounts {
  readonly split: Readonly<Record<string, number>>;
  readonly notSplit: Readonly<Record<string, number>>;
}

/** What a plan that goes on needs to know. Plain JSON. */
export interface SplittingState extends SplitCounts {
  /** Number of the next split file. */
  readonly next: number;
}

export interface SplitPlanning {
  readonly source: Storage;
  readonly destination: Storage;
  readonly options: JobOptions;
  readonly signal: AbortSignal;
}

/** Decides which files are copied in chunks, and how they are cut. */
export class Splitting {
  readonly #planning: SplitPlanning;
  readonly #split: Record<string, number>;
  readonly #notSplit: Record<string, number>;
  #next: number;

  /** @param from  what an earlier planner stopped with */
  constructor(planning: SplitPlanning, from?: SplittingState) {
    this.#planning = planning;
    this.#split = { ...from?.split };
    this.#notSplit = { ...from?.notSplit };
    this.#next = from?.next ?? 0;
  }

  get state(): SplittingState {
    return { next: this.#next, split: { ...this.#split }, notSplit: { ...this.#notSplit } };
  }

  /**
   * How a file is cut; undefined where it goes as one stream. Short files cost no request, and long ones one or two in all.
   * @param path  where it goes
   * @param inherited  what its directory gives to new files
   */
  async of(unit: FileUnit, path: string, inherited: Inherited | undefined): Promise<Split | undefined> {
    const { destination, signal, options } = this.#planning;
    const { splitAbove } = options;
    const { lengthBytes, decision } = unit;
    if (splitAbove === 0 || lengthBytes <= (splitAbove === 'auto' ? LEAST_BYTES : splitAbove)) return undefined;
    if (decision !== 'copy' && decision !== 'overwrite') return undefined;
    const { concatenation } = destination;
    if (!concatenation) return this.#refuse(`${destination.name} cannot put files together`);
    if (options.direct) return this.#refuse('--direct writes to the final name');
    if (inherited?.encrypted) return this.#refuse('an encryption zone at the destination');
    const blockBytes = this.#keptBlockBytes(unit, path) ?? (await concatenation.blockBytes(path, signal));
    if (splitAbove === 'auto' && lengthBytes <= LEAST_BLOCKS * blockBytes) return undefined;
    if (lengthBytes > MOST_BLOCKS * blockBytes) return this.#refuse(`more than ${MOST_BLOCKS} blocks`);
    const { chunkBytes, isAlignedToSource } = this.#cut(unit, blockBytes * (unit.newStripe?.dataUnits ?? 1));
    if (chunkBytes === 0) return this.#refuse(`more than ${MOST_BLOCKS_OF_CHUNK} blocks in a chunk`);
    if (chunkBytes >= lengthBytes) return undefined;
    const obstacle = await concatenation.obstacle(parentOf(path), signal);
    if (obstacle !== undefined) return this.#refuse(obstacle);
    const how = `chunks of ${bytesText(chunkBytes)}${isAlignedToSource ? '' : ', read back once'}`;
    this.#split[how] = (this.#split[how] ?? 0) + 1;
    return { number: this.#next++, chunkBytes };
  }

  /** Length of the new file's blocks where it gets those of the source. */
  #keptBlockBytes({ attributes, blockBytes, newStripe }: FileUnit, path: string): number | undefined {
    const { source, destination, options } = this.#planning;
    const isKept = attributes && source.hadoop && chosenAttributes(options).has('blocksize');
    if (!isKept || blockBytes <= 0 || blockBytes < (newStripe?.cellBytes ?? 0)) return undefined;
    return destination.hadoop?.takenLayout(path, { blockBytes, replication: undefined }).blockBytes;
  }

  /**
   * @param writtenBytes  length of a block, or group of blocks, of the new file
   * @returns no bytes where even the shortest chunk has too many blocks
   */
  #cut(unit: FileUnit, writtenBytes: number) {
    const { source, options } = this.#planning;
    const readBytes = readBytesOf(unit, source);
    const { strideBytes, isAlignedToSource } = strideOf(readBytes, writtenBytes);
    const blocksInStride =
      strideBytes / writtenBytes + (isAlignedToSource && readBytes > 1 ? strideBytes / readBytes : 0);
    const most = Math.floor(MOST_BLOCKS_OF_CHUNK / blocksInStride);
    const strides = Math.min(Math.ceil(options.chunkSize / strideBytes), most);
    return { chunkBytes: strides * strideBytes, isAlignedToSource };
  }

  #refuse(reason: string): undefined {
    this.#notSplit[reason] = (this.#notSplit[reason] ?? 0) + 1;
  }
}
