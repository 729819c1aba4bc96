import { setFlagsFromString } from 'node:v8';

/**
 * Runs a walk of a tree with V8 told to collect early instead of growing its heap: a page of a listing lives for
 * milliseconds, and V8 would let such garbage grow to some 300 MB before it looked. Not for the copying, where that costs
 * time and the garbage is small.
 */
export async function withSmallHeap<T>(walk: () => Promise<T>): Promise<T> {
  setFlagsFromString('--optimize-for-size');
  try {
    return await walk();
  } finally {
    setFlagsFromString('--no-optimize-for-size');
  }
}
