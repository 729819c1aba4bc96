import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a planning came to, and what it took. */
export interface Planned {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  /** Directories that were asked to be made, of a synthetic destination. */
  readonly made?: number;
  readonly seconds: number;
  readonly peakExternalBytes: number;
}

/**
 * Plans in a process of its own with a heap of this size.
 * @param what  as `planner.ts` takes it
 * @throws when the heap does not suffice
 */
export async function planned(heapMiB: number, ...what: readonly string[]): Promise<Planned> {
  const planner = join(import.meta.dirname, 'planner.ts');
  const { stdout } = await run(process.execPath, [`--max-old-space-size=${heapMiB}`, planner, ...what]);
  return JSON.parse(stdout) as Planned;
}
