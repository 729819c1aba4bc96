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

test('planning takes the same memory for 2,000,000 files as for 1,000,000, and less than 200 MB', async () => {
  const one = await planOf(1_000_000);
  const two = await planOf(2_000_000);
  expect(one).toMatchObject({ files: 1_000_000, bytes: 1_000_000 * 65_536 });
  expect(two).toMatchObject({ files: 2_000_000, bytes: 2_000_000 * 65_536 });
  expect(two.batches).toBeGreaterThan(one.batches);
  expect(one.rssMb).toBeLessThan(200);
  expect(two.rssMb).toBeLessThan(one.rssMb * 1.1);
}, 300_000);
