import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestStore, ManifestWriter } from '../job/manifest.ts';
import { type BatchLine, LINE_END, lineHead, linesOf, manifestStart } from '../job/manifest-lines.ts';
import { messageOf, StateError } from '../errors.ts';
import { toldLater } from './told.ts';
import type { AnyBatch } from '../job/unit.ts';

/** The embedded manifest: one JSON Lines file per job, which gets its name when it is whole. */
export class ManifestFile implements ManifestStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  create(jobId: string): Promise<ManifestWriter> {
    return this.#create(jobId, () => Promise.resolve());
  }

  /**
   * Starts behind the first batches of a manifest that is there, which stays as it is until the new one is closed. Lines behind them, which an
   * earlier writer may have closed, are gone then.
   */
  extend(jobId: string, batches: number): Promise<ManifestWriter> {
    return this.#create(jobId, async (handle) => {
      let end = 0;
      for await (const { batch, next } of this.read(jobId)) {
        if (batch >= batches) break;
        end = next.offsetBytes;
      }
      if (end === 0) return;
      for await (const chunk of createReadStream(this.#file(jobId), { end: end - 1 })) {
        await handle.writeFile(chunk as Uint8Array);
      }
    });
  }

  /** @param begin  writes what is to stand before the first line that is appended */
  async #create(jobId: string, begin: (handle: FileHandle) => Promise<void>): Promise<ManifestWriter> {
    const file = this.#file(jobId);
    const unfinished = `${file}.unfinished`;
    const handle = await toldLater(async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const opened = await open(unfinished, 'w', 0o600);
      try {
        await begin(opened);
        return opened;
      } catch (error) {
        await opened.close();
        throw error;
      }
    });
    const lines = new LineBuffer();
    const write = async (batch: AnyBatch) => {
      // Written unit by unit into one buffer: a long line as one string would be garbage that is collected late.
      lines.begin(lineHead(batch));
      for (const [index, unit] of batch.units.entries()) lines.add(`${index > 0 ? ',' : ''}${JSON.stringify(unit)}`);
      await handle.writeFile(lines.end(LINE_END));
    };
    // Each write begins when the one before it has ended, and none comes after one that failed: the buffer is one.
    let written = Promise.resolve();
    return {
      append(batch) {
        written = written.then(() => toldLater(() => write(batch)));
        return written;
      },
      async close() {
        await written;
        await toldLater(() => handle.datasync());
        await handle.close();
        await rename(unfinished, file);
      },
      async discard() {
        await handle.close();
        await rm(unfinished, { force: true });
      },
    };
  }

  async *read(jobId: string, { offsetBytes } = manifestStart): AsyncIterable<BatchLine> {
    const unreadable = (cause: unknown) => {
      const remedy = 'copy anew with --force: what is equal is skipped';
      return new StateError(`the manifest of the job ${jobId} cannot be read: ${messageOf(cause)}`, remedy, cause);
    };
    yield* linesOf(createReadStream(this.#file(jobId), { start: offsetBytes }), offsetBytes, unreadable);
  }

  /** Whether a whole manifest is there: not before planning has ended, and not after `clean`. */
  has(jobId: string): boolean {
    return existsSync(this.#file(jobId));
  }

  /** The names under which whole manifests are there. */
  names(): string[] {
    if (!existsSync(this.#directory)) return [];
    return readdirSync(this.#directory).flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -6)] : []));
  }

  async remove(jobId: string): Promise<void> {
    await rm(this.#file(jobId), { force: true });
    await rm(`${this.#file(jobId)}.unfinished`, { force: true });
  }

  #file(jobId: string): string {
    return join(this.#directory, `${jobId}.jsonl`);
  }
}

/** Puts one line after the other together in the same memory. */
class LineBuffer {
  #bytes = Buffer.allocUnsafe(256 * 1024);
  #length = 0;

  begin(text: string): void {
    this.#length = 0;
    this.add(text);
  }

  add(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    const needed = this.#length + text.length * 3;
    if (needed > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], needed * 2);
    this.#length += this.#bytes.write(text, this.#length);
  }

  end(text: string): Buffer {
    this.add(text);
    return this.#bytes.subarray(0, this.#length);
  }
}
