import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../errors.ts';
import { listLines } from '../plan/list-lines.ts';
import { ListOnDisk } from './list-on-disk.ts';
import { toldLater } from './told.ts';

/** The lists of this machine's jobs: what a job was told once, a resume and a finish read again. */
export class KeptLists {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Keeps a list, whole or not at all.
   * @param root  of the source: absolute lines lie in it
   * @throws SpecError for a line that is no path below the root
   */
  async keep(job: string, chunks: AsyncIterable<Uint8Array>, root: string): Promise<void> {
    await toldLater(() => mkdir(this.#directory, { recursive: true, mode: 0o700 }));
    const unfinished = `${this.#file(job)}.unfinished`;
    // What a process that was killed has left may be broken, and was of what another run was told.
    await rm(unfinished, { force: true });
    try {
      using list = new ListOnDisk(unfinished);
      await list.fill(listLines(chunks), root);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await rename(unfinished, this.#file(job));
  }

  /** An empty list, to which is added while the job is planned: it is whole once the job's record says how many it has. */
  async begin(job: string): Promise<ListOnDisk> {
    await toldLater(() => mkdir(this.#directory, { recursive: true, mode: 0o700 }));
    await this.remove(job);
    return new ListOnDisk(this.#file(job));
  }

  /** @throws StateError when it is gone */
  open(job: string): ListOnDisk {
    if (existsSync(this.#file(job))) return new ListOnDisk(this.#file(job));
    throw new StateError(`the job ${job} has lost its list`, 'copy anew with --force: what is equal is skipped');
  }

  async remove(job: string): Promise<void> {
    await rm(this.#file(job), { force: true });
  }

  #file(job: string): string {
    return join(this.#directory, `${job}.db`);
  }
}
