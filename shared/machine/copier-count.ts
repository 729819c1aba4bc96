const MIB = 1024 * 1024;
/** What a file costs besides its bytes, in bytes: about seven requests. */
const FILE_COST = 2 * MIB;
/** What one process copies while another one starts. */
const WORTH_COST = 256 * MIB;

/** How many processes so many files and bytes are worth: Node takes some time to start, and a small job is over by then. */
export function copierCount(files: number, bytes: number): number {
  return 1 + Math.floor((bytes + files * FILE_COST) / WORTH_COST);
}
