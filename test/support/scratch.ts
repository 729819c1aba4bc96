import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWide } from './run-wide.ts';

/** Every temporary directory of a test run lies in one that goes with it. */
export default async function setup(): Promise<void> {
  await runWide('scratch', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-test-'));
    process.env['TMPDIR'] = scratch;
    // Not at the end of the project that was first: beds of others stand in it.
    process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
    return Promise.resolve({ value: scratch, stop: () => Promise.resolve() });
  });
}
