import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const support = (file: string) => join(import.meta.dirname, '../support', file);
const run = promisify(execFile);

interface Planned {
  files: number;
  bytes: number;
  batches: number;
  rssMb: number;
}

async function planOf(files: number): Promise<Planned> {
  const namenode = spawn(process.execPath, [support('endless-namenode.ts'), String(files)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(namenode.stdout, 'data')) as [Buffer];
    const { stdout } = await run(process.execPath, [
      support('planner.ts'),
      `http://127.0.0.1:${port.toString().trim()}`,
    ]);
    return JSON.parse(stdout) as Planned;
  } finally {
    namenode.kill();
  }
}

/** The moments at which V8 collects move a peak by some ten MB: the smaller of two runs tells more about what is needed. */
async function peakOf(files: number): Promise<{ smallestMb: number; largestMb: number; batches: number }> {
  const runs = [await planOf(files), await planOf(files)];
  for (const run of runs) expect(run).toMatchObject({ files, bytes: files * 65_536 });
  const peaks = runs.map(({ rssMb }) => rssMb);
  return { smallestMb: Math.min(...peaks), largestMb: Math.max(...peaks), batches: runs[0]?.batches ?? 0 };
}

test('planning takes the same memory for 2,000,000 files as for 1,000,000, and less than 200 MB', async () => {
  const one = await peakOf(1_000_000);
  const two = await peakOf(2_000_000);
  expect(two.batches).toBeGreaterThan(one.batches);
  expect(one.largestMb).toBeLessThan(200);
  expect(two.smallestMb).toBeLessThan(one.smallestMb * 1.1);
}, 600_000);
