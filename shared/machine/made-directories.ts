import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decorated } from '../storage/decorated.ts';
import type { Storage } from '../storage/storage.ts';
import { told } from './told.ts';

const READ_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Which directories a job has made at its destination, in that order: each stands in the file before it is asked for. */
export class MadeDirectories {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** A destination whose directories are noted. */
  noting(storage: Storage): Storage {
    told(() => mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 }));
    return decorated(storage, {
      makeDirectory: (path, permission, signal) => {
        told(() => appendFileSync(this.#file, `${JSON.stringify(path)}\n`, { mode: 0o600 }));
        return storage.makeDirectory(path, permission, signal);
      },
    });
  }

  /** The last one first, so that each comes before the one that it lies in. One that is in two plans comes twice. */
  *reversed(): Generator<string> {
    if (!existsSync(this.#file)) return;
    const handle = openSync(this.#file, 'r');
    try {
      let rest = Buffer.alloc(0);
      for (let end = statSync(this.#file).size; end > 0;) {
        const begin = Math.max(0, end - READ_BYTES);
        const piece = Buffer.alloc(end - begin);
        readSync(handle, piece, 0, piece.length, begin);
        end = begin;
        rest = Buffer.concat([piece, rest]);
        // What stands before the first newline may have begun in the piece before.
        for (let cut = rest.lastIndexOf(NEWLINE, -2); cut >= 0; cut = rest.lastIndexOf(NEWLINE, -2)) {
          yield* pathIn(rest.subarray(cut + 1));
          rest = rest.subarray(0, cut + 1);
        }
      }
      yield* pathIn(rest);
    } finally {
      closeSync(handle);
    }
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

/** None in a line that a power failure has cut. */
function* pathIn(line: Buffer): Generator<string> {
  try {
    yield JSON.parse(line.toString()) as string;
  } catch {
    // The directory was not asked for.
  }
}
