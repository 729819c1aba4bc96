import { FanoutError, IntegrityError } from '../errors.ts';
import { retry } from '../retry.ts';
import { promoting } from '../storage/budget.ts';
import { hasCode } from '../storage/errors.ts';
import { chunkRange } from '../job/chunk.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileCopy } from './file-copy.ts';

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
    let isLost = false;
    const left = others.slice(joined - 1);
    joined = await retry(promoting, signal, again, async () => {
      if (isLost) {
        const now = await chunksIn(file, unit, target);
        if (now > joined) return now;
      }
      try {
        if (!concatenation) throw new Error(`${destination.name} cannot put files together, and was to do so`);
        return joined + (await concatenation.concatenate(target, left, signal));
      } catch (error) {
        isLost ||= error instanceof FanoutError && error.mayHaveWorked;
        throw isLost ? error : refused(error);
      }
    });
  }
}

/** How many chunks the first one's file holds. */
async function chunksIn(file: FileCopy, unit: SplitFile, target: string): Promise<number> {
  const where = { operation: 'CONCAT', path: target };
  const status = await file.destination.stat(target, file.context.signal);
  const { split, lengthBytes } = unit;
  if (status?.lengthBytes === lengthBytes) return Math.ceil(lengthBytes / split.chunkBytes);
  const chunks = (status?.lengthBytes ?? 0) / split.chunkBytes;
  if (Number.isInteger(chunks) && chunks > 0 && chunkRange(unit, chunks).lengthBytes > 0) return chunks;
  throw new IntegrityError(`it has ${status?.lengthBytes ?? 'no'} bytes, which no number of chunks has`, where);
}

function again(error: unknown): 'soon' | 'no' {
  const isRetried = error instanceof FanoutError && error.disposition === 'retry' && !hasCode(error, 'other');
  return isRetried ? 'soon' : 'no';
}

function refused(error: unknown): unknown {
  const isRefusal = error instanceof FanoutError && (error.disposition === 'fail-unit' || hasCode(error, 'other'));
  return isRefusal ? new NotJoinedError(error) : error;
}

/** A refusal of what other files are allowed: a snapshot was taken of the chunks, one of them is gone, rules that are not known here. */
export class NotJoinedError extends FanoutError {
  override readonly name = 'NotJoinedError';
  /** The same chunks will be refused again. */
  readonly isLasting: boolean;

  constructor(error: FanoutError) {
    const { reason, where, cause } = error;
    const remedy = 'resume the job, or copy the file with --split-above 0: it then goes as one stream';
    super(reason, { disposition: 'fail-unit', where, remedy, cause });
    this.isLasting = hasCode(error, 'not-found', 'invalid', 'other');
  }
}
