import { TransportError, type Where } from '../errors.ts';
import { STALL_MS } from '../storage/pace.ts';
import { localError } from './disk-error.ts';

/** Does what the system is asked to do with a path. @param limitMs  as for `inTime`. @throws StorageError; TransportError when it was not done in time */
export async function attempt<T>(where: Where, work: () => Promise<T>, limitMs?: number): Promise<T> {
  try {
    return await inTime(where, work, limitMs);
  } catch (error) {
    throw localError(error, where);
  }
}

/**
 * Waits for the system, whose disk may be another machine's that is gone. What never ends cannot be stopped: it stays behind, and keeps one of
 * the few threads by which Node reaches disks.
 * @param limitMs  0: without end
 * @throws the system's error; TransportError when it was not done in time
 */
export async function inTime<T>(where: Where, work: () => Promise<T>, limitMs = STALL_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // What was done while this process slept is seen first.
    const end = () => setImmediate(() => reject(stalled(where, limitMs)));
    if (limitMs > 0) timer = setTimeout(end, limitMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function stalled(where: Where, limitMs: number): TransportError {
  return new TransportError(`the disk did nothing for ${limitMs / 1000} s`, where, {
    remedy: 'check it, or the server of a network file system',
  });
}
