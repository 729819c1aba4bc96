import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Batch } from '../copy/batch.ts';
import type { ManifestStore, ManifestWriter } from '../copy/manifest.ts';

/** The embedded manifest: one JSON Lines file per job, which gets its name when it is whole. */
export class ManifestFile implements ManifestStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async create(jobId: string): Promise<ManifestWriter> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = this.#file(jobId);
    const unfinished = `${file}.unfinished`;
    const handle = await open(unfinished, 'w', 0o600);
    return {
      async append(batch) {
        await handle.write(`${JSON.stringify(batch)}\n`);
      },
      async close() {
        await handle.datasync();
        await handle.close();
        await rename(unfinished, file);
      },
      async discard() {
        await handle.close();
        await rm(unfinished, { force: true });
      },
    };
  }

  async *read(jobId: string): AsyncIterable<Batch> {
    const input = createReadStream(this.#file(jobId), 'utf8');
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) yield JSON.parse(line) as Batch;
    } finally {
      input.destroy();
    }
  }

  async remove(jobId: string): Promise<void> {
    await rm(this.#file(jobId), { force: true });
    await rm(`${this.#file(jobId)}.unfinished`, { force: true });
  }

  #file(jobId: string): string {
    return join(this.#directory, `${jobId}.jsonl`);
  }
}
