// HDFS's file checksum in several block sizes at once, with as little as it takes.
import { createHash, type Hash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';

const bytesPerCrc = 512;
/** CRCs that are hashed at once: those of 2 MiB, which every block size here is a multiple of. */
const crcsAtOnce = 4096;

const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();

interface Layout {
  readonly blockBytes: number;
  /** MD5s of the blocks that are whole. */
  readonly blocks: Buffer[];
  block: Hash | undefined;
}

/** @see shared/storage/checksum.ts, which tells how Hadoop computes it */
export class BlockDigest {
  readonly #layouts: readonly Layout[];
  readonly #crcs = Buffer.allocUnsafeSlow(crcsAtOnce * 4);
  #buffered = 0;
  #hashedBytes = 0;
  #partial = 0;
  #partialBytes = 0;

  constructor(blockBytes: readonly number[]) {
    this.#layouts = blockBytes.map((each) => ({ blockBytes: each, blocks: [], block: undefined }));
  }

  update(bytes: Buffer): void {
    let at = 0;
    if (this.#partialBytes > 0) {
      at = Math.min(bytes.length, bytesPerCrc - this.#partialBytes);
      this.#partial = crc32c(bytes.subarray(0, at), this.#partial);
      this.#partialBytes += at;
      if (this.#partialBytes < bytesPerCrc) return;
      this.#add(this.#partial);
      this.#partialBytes = 0;
    }
    for (; at + bytesPerCrc <= bytes.length; at += bytesPerCrc) this.#add(crc32c(bytes.subarray(at, at + bytesPerCrc)));
    this.#partialBytes = bytes.length - at;
    if (this.#partialBytes > 0) this.#partial = crc32c(bytes.subarray(at));
  }

  /** The file's MD5 in each block size, hex. Ends the digest. */
  end(): string[] {
    if (this.#partialBytes > 0) this.#add(this.#partial);
    this.#hash();
    return this.#layouts.map(({ blocks, block }) => {
      const all = block ? [...blocks, block.digest()] : blocks;
      let capacity = 32;
      while (capacity < all.length * 16) capacity *= 2;
      return md5(Buffer.concat(all, capacity)).toString('hex');
    });
  }

  #add(crc: number): void {
    this.#crcs.writeUInt32BE(crc, this.#buffered);
    this.#buffered += 4;
    if (this.#buffered === this.#crcs.length) this.#hash();
  }

  #hash(): void {
    if (this.#buffered === 0) return;
    const crcs = this.#crcs.subarray(0, this.#buffered);
    this.#hashedBytes += (this.#buffered / 4) * bytesPerCrc;
    this.#buffered = 0;
    for (const layout of this.#layouts) {
      layout.block = (layout.block ?? createHash('md5')).update(crcs);
      if (this.#hashedBytes % layout.blockBytes > 0) continue;
      layout.blocks.push(layout.block.digest());
      layout.block = undefined;
    }
  }
}
