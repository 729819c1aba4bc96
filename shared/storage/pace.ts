/**
 * What each side of a transfer is held to while it is waited for, whichever way the bytes go. What the other side or a limit takes is
 * not its time.
 */
export interface Pace {
  /** For how long no byte of a file may move, ms; 0: without end. Undefined: what is usual for the storage. */
  readonly stallMs?: number | undefined;
  /** Bytes a second that it moves at least, over a minute; 0: any. */
  readonly leastRate: number;
}

/** As long as HDFS may need to go on with a write: it notices after a minute that a datanode is gone, and takes some seconds for each. */
export const STALL_MS = 180_000;

/**
 * What an answer about all bytes of a file may take longer because of its length, ms: whoever computes a checksum asks for each block's, one
 * after the other, and for erasure-coded files may have to read a lost block's stripes; whoever closes a file has its last blocks, or the
 * disk's cache, to write. A second for each 64 MiB: two for a block of the usual size.
 * @see Hadoop FileChecksumHelper
 */
export function blocksMs(lengthBytes: number): number {
  return Math.ceil(lengthBytes / (64 * 1024 * 1024)) * 1000;
}
