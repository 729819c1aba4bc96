import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Planned, planned } from '../support/planned.ts';

const support = (file: string) => join(import.meta.dirname, '../support', file);

/** A million paths alone need more: a plan that held them would end for want of memory. */
const HEAP_MIB = 64;
/** Some pages of listings on their way and a batch take 16 MiB; the bodies of all pages would take 300 MiB a million files. */
const EXTERNAL_BYTES = 64 * 1024 * 1024;

async function planOf(files: number): Promise<Planned> {
  const namenode = spawn(process.execPath, [support('endless-namenode.ts'), String(files)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(namenode.stdout, 'data')) as [Buffer];
    return await planned(HEAP_MIB, `http://127.0.0.1:${port.toString().trim()}`);
  } finally {
    namenode.kill();
  }
}

test.each([1_000_000, 2_000_000])(
  `%i files are planned in a heap of ${HEAP_MIB} MiB, and with little memory outside of it`,
  async (files) => {
    const { peakExternalBytes, batches, ...plan } = await planOf(files);
    expect(plan).toMatchObject({ files, bytes: files * 65_536 });
    expect(batches).toBeGreaterThan(files / 1000);
    expect(peakExternalBytes).toBeLessThan(EXTERNAL_BYTES);
  },
  600_000,
);
