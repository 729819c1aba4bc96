import type { ChunkStore } from '../job/job-store.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileCopy } from './file-copy.ts';

/** A file that is put together of its chunks. */
export interface Joining {
  readonly file: FileCopy;
  readonly unit: SplitFile;
  readonly store: ChunkStore;
}
