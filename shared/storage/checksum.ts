import { createHash, type Hash } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';

/**
 * HDFS's file checksum, computed from content alone, so that two files whose block sizes differ can be compared.
 *
 *     chunk   512 bytes         → CRC32C (4 bytes, big endian)
 *     block   its chunks' CRCs  → MD5
 *     file    its blocks' MD5s, zero-padded to a buffer of 32, 64, 128, … bytes → MD5
 *
 * In an erasure-coded file a group of data blocks stands for a block: its MD5 is that of its blocks' MD5s, padded in the same way.
 *
 * The other kind, COMPOSITE-CRC, is the CRC of the whole content, whatever its blocks: here a file of one chunk, whose layout has no bounds.
 *
 * The padding is Hadoop's: it hashes the whole backing array of a DataOutputBuffer. Measured on 3.4.2 daemons.
 * @see Hadoop FileChecksumHelper, MD5MD5CRC32FileChecksum, BlockChecksumHelper
 */
export interface ChecksumLayout {
  readonly crc: 'CRC32' | 'CRC32C';
  /** At least 1; Infinity for a composite CRC. */
  readonly bytesPerCrc: number;
  /**
   * Length of every block but the last; or, for files made by CONCAT or APPEND, of each block in order, where a stripe is
   * given of each group.
   */
  readonly blockBytes: number | readonly number[];
  /** For a file in an erasure-coded directory. */
  readonly stripe?: Stripe;
}

/** How the bytes of an erasure-coded file are dealt out: cell by cell to the data blocks of a group in turn. @see Hadoop ErasureCodingPolicy */
export interface Stripe {
  readonly cellBytes: number;
  readonly dataUnits: number;
}

/** A layout of equal blocks, which every file has that was written in one go. */
export interface RegularLayout extends ChecksumLayout {
  readonly blockBytes: number;
}

/** What GETFILECHECKSUM answered. */
export interface FileChecksum {
  /** As the server spells it: `MD5-of-2048MD5-of-512CRC32C`. */
  readonly algorithm: string;
  /** Hex, lower case, cut to the length that the server states. */
  readonly value: string;
}

/** In which contents are compared where neither side keeps a checksum: HDFS's own defaults. */
export const usualLayout: RegularLayout = { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 128 * 1024 * 1024 };

/** How a cluster computes the CRCs that its checksums are made of. */
export type CrcSettings = Pick<RegularLayout, 'crc' | 'bytesPerCrc'>;

/** The settings of a composite CRC: one chunk without an end. */
export function isComposite({ bytesPerCrc }: CrcSettings): boolean {
  return bytesPerCrc === Infinity;
}

/** The layout of a file with blocks of this length. */
export function layoutWith({ crc, bytesPerCrc }: CrcSettings, blockBytes: number): RegularLayout {
  return { crc, bytesPerCrc, blockBytes: bytesPerCrc === Infinity ? Infinity : blockBytes };
}

/** FileChecksum as WebHDFS sends it. */
export interface JsonChecksum {
  readonly algorithm: string;
  readonly bytes: string;
  readonly length: number;
}

/** `bytes` holds slack after the checksum proper: WebHDFS sends 32 bytes and says 28. */
export function parseFileChecksum(json: JsonChecksum): FileChecksum {
  return { algorithm: json.algorithm, value: json.bytes.slice(0, json.length * 2).toLowerCase() };
}

/**
 * Whether two stored checksums settle a comparison: equal ones prove equal content, unequal ones prove a difference
 * only when both were computed the same way.
 */
export function compareChecksums(a: FileChecksum, b: FileChecksum): 'equal' | 'different' | 'not-comparable' {
  if (a.algorithm !== b.algorithm) return 'not-comparable';
  return a.value === b.value ? 'equal' : 'different';
}

/**
 * Whether a stored checksum is of the content that was digested. Only the MD5 counts: the number of CRCs per
 * block that Hadoop writes before it follows the preferred block size, not the real blocks of a file made by CONCAT.
 */
export function proves(stored: FileChecksum, computed: FileChecksum): boolean {
  if (isOfNothing(stored) || isOfNothing(computed)) return isOfNothing(stored) && isOfNothing(computed);
  const [a, b] = [layoutOf(stored), layoutOf(computed)];
  if (!a || !b || a.crc !== b.crc || a.bytesPerCrc !== b.bytesPerCrc) return false;
  return stored.value.slice(-32) === computed.value.slice(-32);
}

/**
 * The regular layout in which a stored checksum was computed; undefined for algorithms that are not known here, and for an empty file's, which
 * has no chunks. A file of one block says nothing about its block size: any that holds it gives the same value.
 */
export function layoutOf({ algorithm }: FileChecksum): RegularLayout | undefined {
  const [, crcsPerBlock, bytesPerCrc, crcOfChunks, crcOfWhole] =
    /^(?:MD5-of-(\d+)MD5-of-(\d+)(CRC32C?)|COMPOSITE-(CRC32C?))$/.exec(algorithm) ?? [];
  const crc = (crcOfChunks ?? crcOfWhole) === 'CRC32C' ? 'CRC32C' : 'CRC32';
  if (crcOfWhole !== undefined) return { crc, bytesPerCrc: Infinity, blockBytes: Infinity };
  const chunk = Number(bytesPerCrc ?? 0);
  if (chunk === 0) return undefined;
  return { crc, bytesPerCrc: chunk, blockBytes: Number(crcsPerBlock) > 0 ? Number(crcsPerBlock) * chunk : Infinity };
}

/** Whether it is an empty file's checksum, which is the same on every cluster. */
export function isOfNothing({ algorithm }: FileChecksum): boolean {
  return algorithm === emptyFileChecksum.algorithm;
}

export function hasEqualBlocks(layout: ChecksumLayout): layout is RegularLayout {
  return typeof layout.blockBytes === 'number';
}

/** The same layout under erasure coding. A composite CRC is of the content, however it is dealt out. */
export function striped(layout: RegularLayout, stripe: Stripe | undefined): RegularLayout {
  return stripe && !isComposite(layout) ? { ...layout, stripe } : layout;
}

/** Whether both layouts give the same checksum to a file of this length. */
export function sameLayout(a: RegularLayout, b: RegularLayout, lengthBytes: number): boolean {
  const oneBlock = groupBytes(a) >= lengthBytes && groupBytes(b) >= lengthBytes;
  const sameBlocks = oneBlock || a.blockBytes === b.blockBytes;
  return a.crc === b.crc && a.bytesPerCrc === b.bytesPerCrc && sameBlocks && sameStripe(a.stripe, b.stripe);
}

function sameStripe(a: Stripe | undefined, b: Stripe | undefined): boolean {
  return a?.cellBytes === b?.cellBytes && a?.dataUnits === b?.dataUnits;
}

function groupBytes({ blockBytes, stripe }: RegularLayout): number {
  return blockBytes * (stripe?.dataUnits ?? 1);
}

/** Whether blocks are as long as the layout says, which they are not in files made by CONCAT or APPEND. */
export function isRegular(blocks: readonly number[], layout: RegularLayout): boolean {
  const blockBytes = groupBytes(layout);
  return blocks.every(
    (length, index) => length === blockBytes || (index === blocks.length - 1 && length <= blockBytes),
  );
}

/** Computes checksums of one stream in one or more layouts at once; chunks' CRCs are shared where layouts agree on them. */
export class ContentDigest {
  readonly #chunkers: Chunker[] = [];
  readonly #byLayout = new Map<string, BlockHasher>();
  lengthBytes = 0;

  constructor(layouts: readonly ChecksumLayout[]) {
    for (const layout of layouts) {
      if (!(layout.bytesPerCrc >= 1)) throw new Error(`no chunk has ${layout.bytesPerCrc} bytes`);
      const key = keyOf(layout);
      if (this.#byLayout.has(key)) continue;
      const hasher = new BlockHasher(layout);
      this.#byLayout.set(key, hasher);
      const shared = this.#chunkers.find((chunker) => chunker.canShare(layout));
      if (shared) shared.add(hasher);
      else this.#chunkers.push(new Chunker(layout, hasher));
    }
  }

  update(bytes: Uint8Array): void {
    this.lengthBytes += bytes.length;
    for (const chunker of this.#chunkers) chunker.update(bytes);
  }

  /** The file checksum in one of the constructor's layouts, as GETFILECHECKSUM would give it. Ends the digest. */
  checksum(layout: ChecksumLayout): FileChecksum {
    return checksumOfBlocks(layout, this.blocks(layout), this.lengthBytes);
  }

  /** The MD5s of the blocks in one of the constructor's layouts, one after the other; of a composite layout the CRC. Ends the digest. */
  blocks(layout: ChecksumLayout): Buffer {
    for (const chunker of this.#chunkers) chunker.end();
    const hasher = this.#byLayout.get(keyOf(layout));
    if (!hasher) throw new Error(`no digest was computed for the layout ${keyOf(layout)}`);
    return hasher.blocks();
  }
}

/** A file's checksum, made of what `ContentDigest.blocks` gives of all its bytes. */
export function checksumOfBlocks(layout: ChecksumLayout, blocks: Buffer, lengthBytes: number): FileChecksum {
  const { crc, bytesPerCrc, blockBytes } = layout;
  if (lengthBytes === 0) return emptyFileChecksum;
  if (isComposite(layout)) return { algorithm: `COMPOSITE-${crc}`, value: blocks.toString('hex') };
  const preferred = typeof blockBytes === 'number' ? blockBytes : (blockBytes[0] ?? 0);
  const crcsPerBlock = Math.floor(blocks.length > MD5_BYTES ? preferred / bytesPerCrc : 0);
  const head = Buffer.alloc(12);
  head.writeUInt32BE(bytesPerCrc, 0);
  head.writeBigUInt64BE(BigInt(crcsPerBlock), 4);
  return {
    algorithm: `MD5-of-${crcsPerBlock}MD5-of-${bytesPerCrc}${crc}`,
    value: Buffer.concat([head, md5OfMd5s(blocks)]).toString('hex'),
  };
}

/** Tells layouts apart. */
export function keyOf(layout: ChecksumLayout): string {
  const { crc, bytesPerCrc, blockBytes, stripe } = layout;
  return `${crc}/${bytesPerCrc}/${String(blockBytes)}/${stripe ? `${stripe.dataUnits}*${stripe.cellBytes}` : ''}`;
}

/** Cuts a stream into chunks and hands each chunk's CRC to its hashers. */
class Chunker {
  readonly #layout: ChecksumLayout;
  readonly #crc: (bytes: Uint8Array, previous?: number) => number;
  readonly #hashers: BlockHasher[];
  #partial = 0;
  #filled = 0;

  constructor(layout: ChecksumLayout, hasher: BlockHasher) {
    this.#layout = layout;
    this.#hashers = [hasher];
    this.#crc = layout.crc === 'CRC32C' ? crc32c : zlibCrc32;
  }

  /** HDFS requires that chunks divide a block and a cell, so regular layouts of any block size share their chunks. */
  canShare(layout: ChecksumLayout): boolean {
    const regular = (blocks: ChecksumLayout['blockBytes']) => typeof blocks === 'number';
    return (
      layout.crc === this.#layout.crc &&
      layout.bytesPerCrc === this.#layout.bytesPerCrc &&
      regular(layout.blockBytes) &&
      regular(this.#layout.blockBytes)
    );
  }

  add(hasher: BlockHasher): void {
    this.#hashers.push(hasher);
  }

  update(bytes: Uint8Array): void {
    const size = this.#layout.bytesPerCrc;
    for (let at = 0; at < bytes.length;) {
      // A chunk ends at its size or at the end of an irregular block, whichever comes first.
      const room = Math.min(size - this.#filled, this.#blockRoom() - this.#filled);
      const end = Math.min(bytes.length, at + room);
      const piece = bytes.subarray(at, end);
      this.#partial = this.#filled === 0 ? this.#crc(piece) : this.#crc(piece, this.#partial);
      this.#filled += end - at;
      at = end;
      if (this.#filled === size || this.#filled === this.#blockRoom()) this.#flush();
    }
  }

  end(): void {
    if (this.#filled > 0) this.#flush();
  }

  #blockRoom(): number {
    return this.#hashers[0]?.roomBytes ?? Infinity;
  }

  #flush(): void {
    for (const hasher of this.#hashers) hasher.add(this.#partial, this.#filled);
    this.#filled = 0;
  }
}

const MD5_BYTES = 16;
const CRC_BUFFER_BYTES = 16 * 1024;

/** A file that is not striped: the whole block is one cell. */
const UNSTRIPED: Stripe = { cellBytes: Infinity, dataUnits: 1 };

/** Hashes the CRCs of each block, then the blocks' MD5s. Of a striped file what is called a block here is a group of them. */
class BlockHasher {
  readonly #layout: ChecksumLayout;
  readonly #stripe: Stripe;
  readonly #digests: Buffer[] = [];
  #composite = 0;
  readonly #crcs = Buffer.allocUnsafe(CRC_BUFFER_BYTES);
  #buffered = 0;
  /** Of the current block: one for each of its data units that has got a cell. */
  #units: Hash[] = [];
  #unit = 0;
  #cellRoom: number;
  #blockIndex = 0;
  /** Bytes until the current block is full. */
  roomBytes: number;

  constructor(layout: ChecksumLayout) {
    this.#layout = layout;
    this.#stripe = layout.stripe ?? UNSTRIPED;
    this.#cellRoom = this.#stripe.cellBytes;
    this.roomBytes = this.#blockLength(0);
  }

  add(crc: number, lengthBytes: number): void {
    if (isComposite(this.#layout)) {
      this.#composite = crc >>> 0;
      return;
    }
    if (this.#buffered === CRC_BUFFER_BYTES) this.#spill();
    this.#crcs.writeUInt32BE(crc >>> 0, this.#buffered);
    this.#buffered += 4;
    this.roomBytes -= lengthBytes;
    this.#cellRoom -= lengthBytes;
    if (this.roomBytes <= 0) this.#endBlock();
    else if (this.#cellRoom <= 0) this.#endCell();
  }

  blocks(): Buffer {
    if (this.#buffered > 0 || this.#units.length > 0) this.#endBlock();
    if (!isComposite(this.#layout)) return Buffer.concat(this.#digests);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#composite);
    return crc;
  }

  #blockLength(index: number): number {
    const { blockBytes } = this.#layout;
    return typeof blockBytes === 'number' ? blockBytes * this.#stripe.dataUnits : (blockBytes[index] ?? Infinity);
  }

  #spill(): void {
    if (this.#buffered === 0) return;
    const unit = (this.#units[this.#unit] ??= createHash('md5'));
    unit.update(this.#crcs.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #endCell(): void {
    this.#spill();
    this.#unit = (this.#unit + 1) % this.#stripe.dataUnits;
    this.#cellRoom = this.#stripe.cellBytes;
  }

  #endBlock(): void {
    this.#spill();
    const units = this.#units.map((unit) => unit.digest());
    const all = Buffer.concat(units);
    this.#digests.push(this.#layout.stripe ? md5OfMd5s(all) : all);
    this.#units = [];
    this.#unit = 0;
    this.#cellRoom = this.#stripe.cellBytes;
    this.#blockIndex += 1;
    this.roomBytes = this.#blockLength(this.#blockIndex);
  }
}

function md5OfMd5s(digests: Buffer): Buffer {
  let capacity = 32;
  while (capacity < digests.length) capacity *= 2;
  return createHash('md5')
    .update(Buffer.concat([digests], capacity))
    .digest();
}

/** Every empty file's checksum: CRC32 and zeros, whatever the cluster's settings. Measured on 3.4.2. */
const emptyFileChecksum: FileChecksum = {
  algorithm: 'MD5-of-0MD5-of-0CRC32',
  value: `${'00'.repeat(12)}70bc8f4b72a86921468bf8e8441dce51`,
};
