import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What ending a generated job in a process of its own came to. */
export interface EndedJob {
  readonly invocations: number;
  readonly outcome: string;
  readonly failed?: number;
  /** Batches that queries gave. */
  readonly read?: number;
  readonly closed?: number;
  /** Lines of the manifest that were read. */
  readonly lines: number;
  readonly swept: number;
  readonly expectedSwept?: number;
  readonly peakExternalBytes: number;
  readonly seconds: number;
  readonly peakRssMiB: number;
}

/** The claims of 2,000 batches alone, each a set of 1,000 units, would need more. */
export const ENDING_HEAP_MIB = 64;
/** Ranges of the manifest, some batches and the stores' pages. */
export const ENDING_EXTERNAL_BYTES = 64 * 1024 * 1024;

/** Ends a job of batches of 1,000 units. @param steps  after which each invocation stops */
export async function endJob(how: 'sqlite' | 'dynamo' | 'close', batches: number, steps: number): Promise<EndedJob> {
  const program = join(import.meta.dirname, 'ending-job.ts');
  const args = [`--max-old-space-size=${ENDING_HEAP_MIB}`, program, how, String(batches), String(steps)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as EndedJob;
}
