import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect early instead of growing its heap. What lives here is small and short-lived (a page of a listing, a
 * batch, buffers on their way), and V8 would let its garbage grow to some 300 MB before it looked.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
}
