import { FanoutError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { chunkCount } from '../job/chunk.ts';
import type { ChunkRecord, ChunkStore } from '../job/job-store.ts';
import type { CopiedChunk, Failure } from '../job/outcome.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileCopy } from './file-copy.ts';
import { weaker } from './verify.ts';

/** The chunks of a file that were copied, in order. */
export function copiedChunks(records: readonly ChunkRecord[]): CopiedChunk[] {
  return records.filter((record) => record.outcome === 'copied').sort((a, b) => a.chunk - b.chunk);
}

/** Whether it is known of a chunk by itself that its file holds the bytes that were read. Otherwise only the whole file can tell. */
export function isProvedAlone({ verification }: CopiedChunk): boolean {
  return weaker(verification, 'read-back') === 'read-back';
}

/** @throws MissingChunksError when not all were copied */
export function requireAllChunks(sourcePath: string, unit: SplitFile, records: readonly ChunkRecord[]): void {
  const missing = chunkCount(unit) - copiedChunks(records).length;
  if (missing === 0) return;
  const failure = records.find((record) => record.outcome === 'failed')?.failure;
  throw new MissingChunksError(sourcePath, missing, chunkCount(unit), failure);
}

/** Chunks of a file could not be copied, each for its own reason, of which the first is told. */
class MissingChunksError extends FanoutError {
  override readonly name = 'MissingChunksError';
  constructor(path: string, missing: number, of: number, failure: Failure | undefined) {
    const { operation = 'COPY', host = '', reason = 'no copier came to them' } = failure ?? {};
    super(`${missing} of its ${of} chunks are missing: ${reason}`, {
      disposition: 'fail-unit',
      where: { operation, path, ...(host ? { host } : {}) },
      remedy: 'resume the job: it copies what is missing',
    });
  }
}

/** Chunks that are stat at once. */
const AT_ONCE = 16;

/**
 * Looks at chunks before they are appended. Those whose file is not the one that was recorded are taken back, alone.
 * @param chunks  those that are not appended yet
 * @param paths  where they stand, in the same order
 * @throws OtherChunksError when there are such
 */
export async function requireSameChunks(
  file: FileCopy,
  { split }: SplitFile,
  store: ChunkStore,
  chunks: readonly CopiedChunk[],
  paths: readonly string[],
): Promise<void> {
  const { destination, context, sourcePath } = file;
  const others = new Set<number>();
  await forEach(chunks.entries(), AT_ONCE, context.signal, async ([index, { chunk, bytes, fileId }], both) => {
    const there = await destination.stat(paths[index] ?? '', both);
    // A server that tells no inodes has only lengths.
    const isTold = fileId !== undefined && there?.fileId !== undefined;
    const isSame = there?.lengthBytes === bytes && (!isTold || there.fileId === fileId);
    if (!isSame) others.add(chunk);
  });
  if (others.size === 0) return;
  // Another finish may have taken them in.
  await file.requireOwner();
  await store.reopenChunks(context.job.id, split.number, others);
  throw new OtherChunksError(sourcePath, others.size);
}

/** Files that hold chunks are gone, or somebody else's. */
class OtherChunksError extends FanoutError {
  override readonly name = 'OtherChunksError';
  constructor(path: string, count: number) {
    super(`${count} of its chunks are not the files that were written`, {
      disposition: 'fail-unit',
      where: { operation: 'GETFILESTATUS', path },
      remedy: 'resume the job: it copies these again',
    });
  }
}
