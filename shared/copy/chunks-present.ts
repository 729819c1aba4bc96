import { FanoutError } from '../errors.ts';
import { chunkCount } from '../job/chunk.ts';
import type { ChunkStore } from '../job/job-store.ts';
import type { CopiedChunk, Failure } from '../job/outcome.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileCopy } from './file-copy.ts';

/** The chunks of a file, in order. @throws MissingChunksError when not all were copied */
export async function copiedChunks(
  { context: { job }, sourcePath }: FileCopy,
  unit: SplitFile,
  store: ChunkStore,
): Promise<CopiedChunk[]> {
  const records = await store.chunks(job.id, unit.split.number);
  const chunks = records.filter((record) => record.outcome === 'copied').sort((a, b) => a.chunk - b.chunk);
  const missing = chunkCount(unit) - chunks.length;
  if (missing === 0) return chunks;
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
