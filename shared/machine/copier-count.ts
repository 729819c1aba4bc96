const MIB = 1024 * 1024;
/** What a file costs besides its bytes, in bytes: about seven requests. */
const FILE_COST = 2 * MIB;
/** What one process copies while another one starts. */
const WORTH_COST = 256 * MIB;

/** How many processes so many files and bytes are worth: Node takes some time to start, and a small job is over by then. */
export function copierCount(files: number, bytes: number): number {
  return 1 + Math.floor((bytes + files * FILE_COST) / WORTH_COST);
}

/** What one process takes of memory, in bytes. */
const COPIER_BYTES = 150 * MIB;
/** More help few clusters, and what else runs on the machine the less. */
const MOST_USUAL = 8;

/** Processes where the user does not say: what copying leaves idle, of cores and of memory, serves whatever else runs on the machine. */
export function usualCopiers(cores: number, memoryBytes: number): number {
  const byMemory = Math.floor(memoryBytes / 4 / COPIER_BYTES);
  return Math.max(1, Math.min(Math.floor(cores / 2), byMemory, MOST_USUAL));
}
