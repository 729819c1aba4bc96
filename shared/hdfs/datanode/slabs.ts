/** Big enough that what happens once a slab (a write, a turn of the event loop, a digest's call) costs nothing beside its bytes. */
export const SLAB_BYTES = 256 * 1024;
/** Kept for the next download, over the whole process. */
const KEPT_BYTES = 32 * 1024 * 1024;

const kept: Buffer[] = [];

/**
 * Memory that a socket is read into: a slab, or less where less will come.
 * @param bytes  how many are wanted at most
 */
export function takeSlab(bytes: number): Buffer {
  if (bytes < SLAB_BYTES) return Buffer.allocUnsafeSlow(bytes);
  return kept.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** Gives memory back that nobody reads from any more. */
export function giveSlab(slab: Buffer): void {
  if (slab.length === SLAB_BYTES && kept.length < KEPT_BYTES / SLAB_BYTES) kept.push(slab);
}
