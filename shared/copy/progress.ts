import { isOfChunk, type UnitOutcome } from '../job/outcome.ts';

/** How many transfers may run at once, where that number changes. */
export interface AtOnce {
  readonly first: number;
  readonly now: number;
  /** A cluster that has said busy, and the number before it did. */
  readonly busy: { readonly cluster: string; readonly of: number } | undefined;
}

/** Live figures of one process, as a progress bar shows them. Bytes of a try that failed are taken back. */
export class Progress {
  /** The walk goes on: the expected files and bytes still grow. */
  planning = false;
  expectedFiles = 0;
  expectedBytes = 0;
  /** Bytes of the files that have ended, and those that running transfers have moved. */
  bytes = 0;
  transferring = 0;
  /** Undefined where their number is fixed, and no cluster is busy. */
  atOnce: AtOnce | undefined;
  complete = 0;
  failed = 0;
  /** Bytes that this process has moved, failed tries included: their growth is the speed. */
  moved = 0;

  get pending(): number {
    return Math.max(0, this.expectedFiles - this.complete - this.failed - this.transferring);
  }

  /** A chunk's bytes were counted as they were moved, and its file is not done yet. */
  settle(ended: UnitOutcome): void {
    if (isOfChunk(ended)) return;
    const { outcome, chunkBytes = 0 } = ended;
    const bytes = ended.bytes - chunkBytes;
    switch (outcome) {
      case 'copied':
        // A copied file's bytes were counted as they were moved.
        this.complete += 1;
        break;
      case 'skipped':
        this.complete += 1;
        this.bytes += bytes;
        break;
      case 'failed':
        this.failed += 1;
        this.bytes += bytes;
        break;
    }
  }
}
