import type { ByteRange } from '../storage/storage.ts';
import { chunkPath } from './temporary.ts';
import type { Job } from './job.ts';
import { destinationPathOf, type SplitFile } from './unit.ts';

/** How many chunks a file has. */
export function chunkCount({ lengthBytes, split }: SplitFile): number {
  return Math.ceil(lengthBytes / split.chunkBytes);
}

/** The bytes of a chunk. */
export function chunkRange({ lengthBytes, split }: SplitFile, chunk: number): ByteRange {
  const offset = chunk * split.chunkBytes;
  return { offset, lengthBytes: Math.min(split.chunkBytes, lengthBytes - offset), fileBytes: lengthBytes };
}

/** Where the chunks of a file stand, in order. The first one becomes the file. */
export function chunkPaths({ id, roots }: Pick<Job, 'id' | 'roots'>, file: SplitFile): string[] {
  const finalPath = destinationPathOf(roots, file);
  return Array.from({ length: chunkCount(file) }, (_, chunk) => chunkPath(finalPath, id, file.split.number, chunk));
}
