import { randomUUID } from 'node:crypto';
import { FanoutError } from '../errors.ts';
import { probeName } from '../job/temporary.ts';
import { join } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { cleaningUp } from '../storage/urgent.ts';

/** How long removing the probe may take, ms: also when the job was stopped meanwhile. */
const CLEANUP_MS = 30_000;

/**
 * Makes an empty directory, has somebody look for it, and removes it.
 *
 * @param look  gets the probe's path and name
 * @param refused  what it means that the directory cannot be made
 */
export async function withProbe<T>(
  storage: Storage,
  directory: string,
  look: (path: string, name: string) => Promise<T>,
  refused: (error: FanoutError) => T,
  signal: AbortSignal,
): Promise<T> {
  const name = probeName(randomUUID());
  const probe = join(directory, name);
  try {
    await storage.makeDirectory(probe, '700', signal);
  } catch (error) {
    // The probe may have been made although its answer was lost, or not waited for.
    await storage.delete(probe, cleaningUp(CLEANUP_MS)).catch(() => undefined);
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return refused(error);
  }
  try {
    return await look(probe, name);
  } finally {
    await storage.delete(probe, cleaningUp(CLEANUP_MS));
  }
}
