import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A small warehouse: partitions of Hive tables, logs, an empty marker file in each, a few large files. */
function* sampleFiles(): Generator<{ path: string; content: Buffer }> {
  for (let day = 1; day <= 28; day++) {
    const partition = `warehouse/events/dt=2026-10-${String(day).padStart(2, '0')}`;
    yield { path: `${partition}/_SUCCESS`, content: Buffer.alloc(0) };
    for (let part = 0; part < 10; part++) {
      yield {
        path: `${partition}/part-${String(part).padStart(5, '0')}.parquet`,
        content: randomBytes(300 * KIB + part * KIB),
      };
    }
  }
  for (let hour = 0; hour < 24; hour++) {
    yield { path: `logs/web ${String(hour).padStart(2, '0')}h.log`, content: randomBytes(700 * KIB) };
  }
  for (let dump = 1; dump <= 3; dump++) yield { path: `dumps/größe+${dump}.bin`, content: randomBytes(33 * MIB) };
}

export async function writeSample(root: string): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const { path, content } of sampleFiles()) {
    const file = join(root, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
    files += 1;
    bytes += content.length;
  }
  return { files, bytes };
}
