import type { BatchLine, ManifestPosition } from './manifest-lines.ts';
import type { AnyBatch } from './unit.ts';

/** Keeps a job's planned batches, one JSON line each. Two implementations: a file, an S3 object. */
export interface ManifestStore {
  /** Starts anew: what an interrupted planning wrote is gone. */
  create(jobId: string): Promise<ManifestWriter>;
  /**
   * The batches in the order in which they were appended, which is that of their numbers. A slow reader holds no connection open.
   * @param from  where an earlier reading stopped: nothing before it is read again
   * @throws when the manifest was not closed
   */
  read(jobId: string, from?: ManifestPosition): AsyncIterable<BatchLine>;
  remove(jobId: string): Promise<void>;
}

export interface ManifestWriter {
  /** Needs not be awaited before the next: lines come whole, in the order of the calls. */
  append(batch: AnyBatch): Promise<void>;
  /** Readable from here on, whole or not at all. */
  close(): Promise<void>;
  discard(): Promise<void>;
  /**
   * Parks what is there, for another process to go on with. Nothing may be appended afterwards. Absent where no other process could.
   * @param cursor  where the next writer goes on, plain JSON
   */
  suspend?(cursor: object): Promise<void>;
}
