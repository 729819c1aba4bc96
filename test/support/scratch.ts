import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Every temporary directory of a test run lies in one that goes with it. */
export default function setup(): () => void {
  const before = process.env['TMPDIR'];
  const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-test-'));
  process.env['TMPDIR'] = scratch;
  return () => {
    process.env['TMPDIR'] = before ?? '';
    if (before === undefined) delete process.env['TMPDIR'];
    rmSync(scratch, { recursive: true, force: true });
  };
}
