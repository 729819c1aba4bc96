import type { Job } from '../job/job.ts';
import { Moves } from '../job/moves.ts';
import { isWithin, join } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import type { Step, Undoing } from './undoing.ts';

/** An entry that a job has renamed at its destination, or was about to when it was killed; paths are whole. */
interface Renamed {
  readonly from: string;
  readonly to: string;
  readonly fileId: number;
}

/** The renames of a job, in their order, and what is called by its old name again because an earlier undo was here. */
export class Renames {
  readonly #destination: Storage;
  readonly #all: readonly Renamed[];
  readonly #back = new Moves();

  private constructor(destination: Storage, all: readonly Renamed[]) {
    this.#destination = destination;
    this.#all = all;
  }

  static async of({ roots, snapshot }: Job, destination: Storage, signal: AbortSignal): Promise<Renames> {
    const root = roots[0]?.destination ?? '/';
    const all = (snapshot?.renames ?? []).map(({ from, to, fileId }) => ({
      from: join(root, from),
      to: join(root, to),
      fileId,
    }));
    const renames = new Renames(destination, all);
    for (const one of all)
      if ((await destination.stat(one.from, signal))?.fileId === one.fileId) renames.#back.add(one);
    return renames;
  }

  /** What is now at a path of the job's. @returns undefined where what the job had there is gone: something has its old name there again */
  placeOf(path: string): string | undefined {
    return this.#back.before(path);
  }

  /** The first of the renames that brought something into a directory, which is not empty before that is taken back; undefined where none did. */
  firstInto(directory: string): number | undefined {
    const first = this.#all.findIndex(({ to }) => isWithin(to, directory));
    return first < 0 ? undefined : first;
  }

  /** Numbers and names, the last one first, in which order they are taken back. */
  get reversed(): readonly { readonly number: number; readonly path: string }[] {
    return this.#all.map(({ from }, number) => ({ number, path: from })).reverse();
  }

  /**
   * Decides what is done about a rename once those after it are taken back.
   * @returns undefined where nothing is to be done: it has its old name
   */
  async step(number: number, { dryRun }: Pick<Undoing, 'dryRun'>, signal: AbortSignal): Promise<Step | undefined> {
    const one = this.#all[number];
    if (!one) throw new Error(`the job has no rename ${number}`);
    const { from, to, fileId } = one;
    const later = new Moves();
    // In a dry run those after it still stand, and what took its old name does too.
    if (dryRun) for (const other of this.#all.slice(number + 1)) later.add(other);
    const [old, now] = await Promise.all([
      this.#destination.stat(from, signal),
      this.#destination.stat(later.after(to), signal),
    ]);
    if (old?.fileId === fileId) return undefined;
    if (now?.fileId !== fileId)
      return {
        action: 'leave',
        path: to,
        reason: `the job renamed it from ${from}, and it was changed or moved since`,
      };
    if (old && !dryRun)
      return { action: 'leave', path: to, reason: `its old name ${from} is taken by something else by now` };
    return { action: 'rename', path: from, from: to };
  }
}
