import { FanoutError } from '../errors.ts';
import { retry } from '../retry.ts';
import { promoting } from './budget.ts';
import { isExists, StorageError } from './errors.ts';
import { basename, join, parentOf } from './path.ts';
import type { Storage } from './storage.ts';
import { urgently } from './urgent.ts';

/** Directories that are remembered: neighbours are replaced one after the other. */
const REMEMBERED = 1000;
/** Names that are tried for one entry where each is taken. */
const NAMES = 10;

/** Where a job keeps what it replaces and deletes: under the paths that those had, by rename alone. */
export class Backup {
  readonly #storage: Storage;
  readonly #root: string;
  readonly #directory: string;
  readonly #made = new Set<string>();

  /**
   * @param root  which the entries lie in
   * @param directory  of this job alone, in the same namespace and encryption zone; made when it is first needed
   */
  constructor(storage: Storage, root: string, directory: string) {
    this.#storage = storage;
    this.#root = root;
    this.#directory = directory;
  }

  /** Where the entry of a path is kept, unless something was kept under that name before. */
  pathOf(path: string): string {
    return join(this.#directory, path.slice(this.#root === '/' ? 1 : this.#root.length + 1));
  }

  /**
   * Moves a file, or a directory with all that is in it, in one step. What was kept under its name before stays, and the time is added to the
   * name. An answer that was lost is settled by looking.
   *
   * @returns where it is now
   * @throws StorageError not-found
   */
  async keep(path: string, signal: AbortSignal): Promise<string> {
    const storage = this.#storage;
    if (!storage.relocation)
      throw new StorageError('unsupported', 'no backup', `${storage.name} keeps none`, { operation: 'RENAME', path });
    const { relocation } = storage;
    const first = this.pathOf(path);
    let target = first;
    let mayHaveWorked = false;
    let taken = 0;
    const again = (error: unknown) => {
      if (!(error instanceof FanoutError)) return 'no';
      return error.disposition === 'retry' || (isExists(error) && taken < NAMES) ? 'soon' : 'no';
    };
    return retry(promoting, signal, again, async () => {
      await this.#make(parentOf(first), signal);
      try {
        await relocation.move(path, target, signal);
        return target;
      } catch (error) {
        if (!(error instanceof FanoutError)) throw error;
        mayHaveWorked ||= error.mayHaveWorked;
        if (mayHaveWorked && !(await storage.stat(path, signal)) && (await storage.stat(target, signal))) return target;
        if (isExists(error)) {
          taken += 1;
          // No other name while a rename may be on its way: it could come late, and move what stands there by then.
          if (!mayHaveWorked) target = join(parentOf(first), `${basename(first)}.${Date.now() + taken}`);
        } else this.#made.delete(parentOf(first));
        throw error;
      }
    });
  }

  /** Where an entry that was kept may be, likeliest first: under its own name, or with the time behind it. */
  async *candidates(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const first = this.pathOf(path);
    yield first;
    const directory = parentOf(first);
    if ((await this.#storage.stat(directory, signal))?.kind !== 'directory') return;
    for await (const page of this.#storage.list(directory, signal)) {
      for (const { name } of page) if (name.startsWith(`${basename(first)}.`)) yield join(directory, name);
    }
  }

  /** Gives a file that was kept its name again, unless something has that name. @returns whether it did */
  async giveBack(path: string, signal: AbortSignal): Promise<boolean> {
    const storage = this.#storage;
    const from = this.pathOf(path);
    const kept = await storage.stat(from, signal);
    if (kept?.kind !== 'file' || (await storage.stat(path, signal))) return false;
    try {
      await storage.relocation?.move(from, path, urgently(signal));
      return true;
    } catch (error) {
      if (isExists(error)) return false;
      throw error;
    }
  }

  /** For the job's user alone, as the directories of the trash are: nobody reads here what the old place did not show. */
  async #make(directory: string, signal: AbortSignal): Promise<void> {
    if (this.#made.has(directory)) return;
    await this.#storage.makeDirectory(directory, '700', signal);
    if (this.#made.size >= REMEMBERED) this.#made.clear();
    this.#made.add(directory);
  }
}
