/** Numbers of a batch's units. */
export type UnitSet = Pick<ReadonlySet<number>, 'has' | 'size' | typeof Symbol.iterator>;

/** A set of small numbers, one bit each. */
export class Bitmap implements UnitSet {
  bytes: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.bytes = Uint8Array.from(bytes);
  }

  get size(): number {
    let size = 0;
    for (let byte of this.bytes) for (; byte !== 0; byte &= byte - 1) size += 1;
    return size;
  }

  has(number: number): boolean {
    return ((this.bytes[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  add(number: number): void {
    const index = number >> 3;
    if (index >= this.bytes.length) {
      const longer = new Uint8Array(index + 1);
      longer.set(this.bytes);
      this.bytes = longer;
    }
    this.bytes[index] = (this.bytes[index] ?? 0) | (1 << (number & 7));
  }

  delete(number: number): void {
    const index = number >> 3;
    if (index < this.bytes.length) this.bytes[index] = (this.bytes[index] ?? 0) & ~(1 << (number & 7));
  }

  *[Symbol.iterator](): SetIterator<number> {
    for (let number = 0; number < this.bytes.length * 8; number++) if (this.has(number)) yield number;
  }
}
