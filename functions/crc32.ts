import crc32cTable from 'crc-32/crc32c.js';

/**
 * Stands in for @node-rs/crc32 in the Lambdas' bundles: plain JavaScript, so that one bundle runs on both of Lambda's
 * architectures. On Lambda it is faster than the network.
 */
export function crc32c(bytes: Uint8Array, initial = 0): number {
  return crc32cTable.buf(bytes, initial) >>> 0;
}
