import { isOfChunk, type UnitOutcome } from '../job/outcome.ts';

/** How many transfers may run at once, where that number changes. */
export interface AtOnce {
  readonly first: number;
  readonly now: number;
  /** A cluster that has said busy, and the number before it did. */
  readonly busy: { readonly cluster: string; readonly of: number } | undefined;
}

/** Live figures of one process and its copier processes, as a progress bar shows them. Bytes of a try that failed are taken back. */
export class Progress {
  /** The walk goes on: the expected files and bytes still grow. */
  planning = false;
  /** Entries of the source that planning has listed. */
  readonly listed = { files: 0, directories: 0 };
  expectedFiles = 0;
  expectedBytes = 0;
  /** Bytes of the files that have ended, and those that running transfers have moved. */
  bytes = 0;
  transferring = 0;
  /** Undefined where their number is fixed, and no cluster is busy. */
  atOnce: AtOnce | undefined;
  complete = 0;
  failed = 0;
  /** Bytes that were moved since this process began, failed tries included: their growth is the speed. */
  moved = 0;
  /** Processes that copy. */
  copiers = 1;
  /** Which limit holds the job up, for a person; undefined while none does. */
  limit: () => string | undefined = () => undefined;
  /** The same, as the copier processes told last. */
  limitOfCopiers: string | undefined;

  /** Numbers of split files of which a chunk has failed. */
  readonly #failing = new Set<number>();

  /** Files that have failed, and those that will, for a chunk of them has. */
  get failures(): number {
    return this.failed + this.#failing.size;
  }

  get pending(): number {
    return Math.max(0, this.expectedFiles - this.complete - this.failed - this.transferring);
  }

  settle(outcome: UnitOutcome): void {
    this.count(outcome);
    // A copied file's bytes were counted as they were moved, and so were a chunk's.
    if (outcome.outcome !== 'copied' && !isOfChunk(outcome)) this.bytes += outcome.bytes - (outcome.chunkBytes ?? 0);
  }

  /** Counts a file whose bytes are counted already. A chunk's is not done yet. */
  count(ended: UnitOutcome): void {
    if (isOfChunk(ended)) {
      if (ended.outcome === 'failed') this.#failing.add(ended.split);
      return;
    }
    const { outcome } = ended;
    switch (outcome) {
      case 'copied':
      case 'skipped':
      case 'vanished':
      case 'changed':
        this.complete += 1;
        break;
      case 'failed':
        this.failed += 1;
        break;
    }
  }
}
