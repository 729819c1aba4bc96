import type { UnitOutcome } from '../job/outcome.ts';

/** Live figures of one process: what a progress bar shows. Bytes of a try that failed are taken back. */
export class Progress {
  /** Until the walk ends, what is expected still grows. */
  planning = false;
  expectedFiles = 0;
  expectedBytes = 0;
  /** Of settled files, plus what is on its way. */
  bytes = 0;
  transferring = 0;
  complete = 0;
  failed = 0;
  /** Bytes really moved by this process, tries that failed included: for speed. */
  moved = 0;

  get pending(): number {
    return Math.max(0, this.expectedFiles - this.complete - this.failed - this.transferring);
  }

  settle({ outcome, bytes }: UnitOutcome): void {
    switch (outcome) {
      case 'copied':
        // Its bytes were counted as they went by.
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
