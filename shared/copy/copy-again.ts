import type { LimitFunction } from 'p-limit';
import { IntegrityError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { takeChunksBack } from '../job/chunk-leftovers.ts';
import type { ChunkRecord, Claim } from '../job/job-store.ts';
import type { CopiedChunk } from '../job/outcome.ts';
import { copyChunk } from './chunk-copy.ts';
import { copiedChunks, isProvedAlone } from './chunks-present.ts';
import type { HeldBatches } from '../job/held-batches.ts';
import type { Joining } from './joining.ts';

/** Batches whose chunks are copied again at once. */
const AT_ONCE = 4;

/** What is shared by all files of a finish that are put together at once. */
export interface Sharing {
  readonly held: HeldBatches;
  /** Each transfer waits here for its turn: together they are no more than the job may have at once. */
  readonly transfer: LimitFunction;
}

/** A file whose bytes differ, or are not proved, and of whose chunks nobody knows which are wrong: not all were proved by themselves. */
export class UnprovedError extends IntegrityError {
  constructor({ reason, where, remedy }: IntegrityError, path: string) {
    super(reason, where ?? { operation: 'CONCAT', path }, remedy);
  }
}

/** What to throw when a file that was put together is not the source's. */
export function ofChunks(error: unknown, chunks: readonly CopiedChunk[], path: string): unknown {
  return error instanceof IntegrityError && !chunks.every(isProvedAlone) ? new UnprovedError(error, path) : error;
}

/**
 * Copies all chunks of a file again, each proved by itself this time, under a claim of its own: a finish has no copier at work beside it. What is
 * cut off, or fails, is copied by a resumed job.
 *
 * @param batch  of the file
 * @param claim  under which the file is put together
 * @throws SupersededError when another finish has taken the file over
 */
export async function copyAgain(
  joining: Joining,
  batch: number,
  claim: Claim,
  { held, transfer }: Sharing,
): Promise<void> {
  const { file, unit, store } = joining;
  const { context, destination } = file;
  const { job, owner, signal, progress } = context;
  const chunks = copiedChunks(await store.chunks(job.id, unit.split.number)) as (CopiedChunk & ChunkRecord)[];
  await file.requireOwner();
  // The records first: a crash then leaves files that nobody counts on.
  await store.reopenChunks(job.id, unit.split.number);
  progress.bytes -= chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  await takeChunksBack(destination, job, unit, signal);
  const batches = Map.groupBy(chunks, (chunk) => chunk.batch);
  await forEach(batches, AT_ONCE, signal, async ([number, some], both) => {
    const again = { ...context, signal: both };
    const copy = async (under: Claim) => {
      for (const { chunk, unit: index } of some) {
        const of = { kind: 'chunk', chunk, file: unit } as const;
        const outcome = await transfer(() => copyChunk(again, number, index, of, under));
        await context.store.record(job.id, number, owner, [{ ...outcome, retries: outcome.retries + 1 }]);
      }
    };
    if (number === batch) await copy(claim);
    else await held.claimed(number, () => context.store.claim(job.id, number, owner), copy);
  });
}
