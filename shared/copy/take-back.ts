import { messageOf } from '../errors.ts';
import { cleaningUp } from '../storage/urgent.ts';
import type { FileCopy } from './file-copy.ts';

/**
 * Takes a failed try back, also when the job was aborted. A temporary file that cannot be deleted now is swept by name later. Never throws but
 * for another copier that has taken the batch over.
 *
 * @param path  what the try wrote
 * @param work  deletes it
 * @throws SupersededError
 */
export async function takeBack(
  file: FileCopy,
  number: number,
  path: string,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const { log, signal } = file.context;
  try {
    await work(cleaningUp());
  } catch (error) {
    file.hasRemains = true;
    log.warn({ path, error: messageOf(error) }, 'a temporary file is left for the sweep');
    // A batch of which something was tried again is swept at the end, but for the units that are known to have left nothing.
    if (!signal.aborted) await file.noteAttempt(number + 1);
  }
}
