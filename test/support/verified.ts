import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a verification of synthetic trees came to, and what it took. */
export interface Verified {
  readonly outcome: string;
  readonly equal: number;
  readonly missing: number;
  readonly extra: number;
  readonly reportBytes: number;
  readonly seconds: number;
  readonly peakExternalBytes: number;
}

/** Verifies trees of so many files in a process of its own with a heap of this size. @throws when the heap does not suffice */
export async function verified(heapMiB: number, sourceFiles: number, destinationFiles: number): Promise<Verified> {
  const program = join(import.meta.dirname, 'verifier.ts');
  const args = [`--max-old-space-size=${heapMiB}`, program, String(sourceFiles), String(destinationFiles)];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as Verified;
}
