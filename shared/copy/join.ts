import { FanoutError, IntegrityError } from '../errors.ts';
import { type Again, retry } from '../retry.ts';
import { promoting } from '../storage/budget.ts';
import { hasCode } from '../storage/errors.ts';
import { chunkRange } from '../job/chunk.ts';
import type { CopiedChunk } from '../job/outcome.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { FileCopy } from './file-copy.ts';

/** Tries that are refused in words that may be of the moment: a restart or a failover behind HttpFS is over by then. */
const REFUSALS = 5;

/**
 * Appends the chunks of a file to its first one, as many at once as go into a request. Goes on where an earlier assembly was cut off: the
 * length of the first chunk's file tells which chunks it has taken in, since a request appends all of its chunks or none.
 *
 * @param target  where the first chunk stands
 * @param others  where the others stand, in order
 * @throws IntegrityError when the first chunk's file has the length of no number of chunks; StorageError when the server refuses
 */
export async function join(file: FileCopy, unit: SplitFile, target: string, others: readonly string[]): Promise<void> {
  const { destination } = file;
  const { signal } = file.context;
  const { concatenation } = destination;
  let joined = await chunksIn(file, unit, target);
  while (joined <= others.length) {
    await file.requireOwner();
    let refusals = 0;
    let hasFailed = false;
    const left = others.slice(joined - 1);
    const again = (error: unknown): Again => {
      // What has no number of chunks will not get one.
      if (error instanceof IntegrityError) return 'no';
      if (isDoubtful(error)) return ++refusals < REFUSALS ? 'late' : 'no';
      return error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no';
    };
    try {
      joined = await retry(promoting, signal, again, async () => {
        // A request whose answer was lost, or one of another finish, may have come first.
        if (hasFailed) {
          const now = await chunksIn(file, unit, target);
          if (now > joined) return now;
        }
        hasFailed = true;
        if (!concatenation) throw new Error(`${destination.name} cannot put files together, and was to do so`);
        return joined + (await concatenation.concatenate(target, left, signal));
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isDoubtful(error) && !(error instanceof FanoutError && error.disposition === 'fail-unit')) throw error;
      const now = await chunksIn(file, unit, target);
      if (now <= joined) throw new NotJoinedError(error as FanoutError);
      joined = now;
    }
  }
}

/** @throws IntegrityError when the file that has taken chunks in is not the first chunk's */
export function requireSameTarget(
  standing: FileStatus | undefined,
  [first]: readonly CopiedChunk[],
  target: string,
): void {
  if (standing?.fileId === undefined || first?.fileId === undefined || standing.fileId === first.fileId) return;
  throw new IntegrityError('another file has its name', { operation: 'CONCAT', path: target });
}

/** How many chunks the first one's file holds. @throws IntegrityError */
export async function chunksIn(file: FileCopy, unit: SplitFile, target: string): Promise<number> {
  const where = { operation: 'CONCAT', path: target };
  const status = await file.destination.stat(target, file.context.signal);
  const { split, lengthBytes } = unit;
  if (status?.lengthBytes === lengthBytes) return Math.ceil(lengthBytes / split.chunkBytes);
  const chunks = (status?.lengthBytes ?? 0) / split.chunkBytes;
  if (Number.isInteger(chunks) && chunks > 0 && chunkRange(unit, chunks).lengthBytes > 0) return chunks;
  throw new IntegrityError(`it has ${status?.lengthBytes ?? 'no'} bytes, which no number of chunks has`, where);
}

/** A refusal in the server's own words that may be of the moment: HttpFS passes refusals on without their class. */
function isDoubtful(error: unknown): boolean {
  return hasCode(error, 'not-found', 'io', 'other') && !(error as FanoutError).mayHaveWorked;
}

/** A refusal of what other files are allowed: a snapshot was taken of the chunks, rules that are not known here. */
export class NotJoinedError extends FanoutError {
  override readonly name = 'NotJoinedError';
  /** The same chunks will be refused again. */
  readonly isLasting: boolean;
  /** They will be if they are refused once more, in a later finish: words that may have been of the moment. */
  readonly isLastingNextTime: boolean;

  constructor(error: FanoutError) {
    const { reason, where, cause } = error;
    const isUnclear = hasCode(error, 'io', 'other');
    const remedy = isUnclear
      ? 'resume the job: its chunks are kept, and it goes as one stream where they are refused once more'
      : 'resume the job, or copy the file with --split-above 0: it then goes as one stream';
    super(reason, { disposition: 'fail-unit', where, remedy, cause });
    this.isLasting = hasCode(error, 'invalid');
    this.isLastingNextTime = isUnclear;
  }
}
