import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What the program itself takes, and some MiB for the walk: whatever is kept of 100,000 deletions takes more. */
const HEAP_MIB = 36;
const EXTERNAL_BYTES = 32 * 1024 * 1024;

test('listing and deleting 100,000 files keeps nothing of those that are done', async () => {
  const program = join(import.meta.dirname, '../../../support/deleting-job.ts');
  const args = [`--max-old-space-size=${HEAP_MIB}`, program, '100000'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { peakExternalBytes, ...ended } = JSON.parse(stdout) as Record<string, number>;
  // The files, and the directories that held them.
  expect(ended).toEqual({ outcome: 'Successful', files: 100_000, deleted: 100_100 });
  expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
});
