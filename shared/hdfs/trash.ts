import { FanoutError, printable } from '../errors.ts';
import type { Relocation, Trash } from '../storage/capabilities.ts';
import { hasCode, isExists, StorageError } from '../storage/errors.ts';
import { basename, isWithin, join, parentOf } from '../storage/path.ts';
import type { JsonStatus } from './file-status.ts';
import type { Answer } from './http.ts';
import { quotedNameBytes } from './name-limits.ts';
import { isUnknownOperation } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { askServed } from './served.ts';
import { ServerDefaults } from './server-defaults.ts';
import { timedName } from './timed-name.ts';

/** Directories that are remembered: what is deleted comes directory by directory. */
const REMEMBERED = 1000;
/** Names that are tried for one entry, and directories for one path, where each is taken. */
const NAMES = 10;

/**
 * The trash of the user, where `hdfs dfs -rm` puts what it deletes: below `Current` of the trash's root, under the full path. The root is the
 * one of the path's own namespace and encryption zone: everything is asked of the nameservice that serves the path, whatever the mounts say
 * of the trash's own path.
 *
 * @see Hadoop TrashPolicyDefault.moveToTrash, DistributedFileSystem.getTrashRoot
 */
export class RemoteTrash implements Trash {
  readonly #rest: NamenodeRest;
  readonly #defaults: ServerDefaults;
  readonly #relocation: Pick<Relocation, 'move'>;
  /** Roots of the trash, by the directory of what goes there. */
  readonly #roots = new Map<string, string>();
  /** Directories that hold a root of the trash, and stand. */
  readonly #homes = new Set<string>();
  /** Directories of the trash that stand, by the directory of what goes there. */
  readonly #made = new Map<string, string>();

  constructor(rest: NamenodeRest, relocation: Pick<Relocation, 'move'>) {
    this.#rest = rest;
    this.#relocation = relocation;
    this.#defaults = new ServerDefaults(rest);
  }

  async obstacle(root: string, signal: AbortSignal): Promise<string | undefined> {
    const { trashMinutes } = await this.#defaults.of(root, signal);
    if (trashMinutes === 0) return 'the trash is off (fs.trash.interval is 0)';
    const trash = await this.rootOf(join(root, 'any'), signal);
    if (isWithin(root, trash)) return 'it lies in the trash itself';
    let above = join(trash, 'Current');
    let status = await this.#status(root, above, signal);
    for (; !status && above !== '/'; status = await this.#status(root, above, signal)) above = parentOf(above);
    if (status && status.type !== 'DIRECTORY') return `${printable(above)}, where the trash belongs, is no directory`;
    try {
      await askServed(this.#rest, root, 'GET', 'CHECKACCESS', above, { fsaction: '-wx' }, signal);
      return undefined;
    } catch (error) {
      if (isUnknownOperation(error)) return undefined;
      if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
      return `the trash cannot be written: ${error.message}`;
    }
  }

  async put(path: string, signal: AbortSignal): Promise<string> {
    const root = await this.rootOf(path, signal);
    const where = { operation: 'RENAME', path };
    if (isWithin(path, root)) throw new StorageError('invalid', 'not moved', 'it is in the trash already', where);
    if (isWithin(root, path)) throw new StorageError('invalid', 'not moved', 'the trash is in it', where);
    const key = parentOf(path);
    const current = join(root, 'Current');
    let directory = this.#made.get(key);
    let name = basename(path);
    let mostBytes = Infinity;
    for (let tries = 1; ; tries++) {
      if (directory === undefined) {
        directory = await this.#make(path, current, signal);
        remember(this.#made, key, directory);
      }
      const target = join(directory, name);
      try {
        await this.#relocation.move(path, target, signal);
        return target;
      } catch (error) {
        const limit = limitIn(error);
        const isTooLong = limit < Infinity;
        mostBytes = Math.min(mostBytes, limit);
        if (tries >= NAMES || !(isTooLong || hasCode(error, 'exists', 'not-found'))) throw error;
        if (isTooLong || isExists(error)) name = timedName(basename(path), Date.now() + tries, mostBytes);
        else {
          // The emptier gives `Current` another name now and then.
          if (!(await this.#status(path, path, signal))) throw error;
          directory = undefined;
        }
      }
    }
  }

  async *candidates(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const root = await this.rootOf(path, signal);
    const below = path.slice(1);
    yield join(join(root, 'Current'), below);
    const days = await this.#names(path, root, signal);
    // The emptier names them by their time: the newest first.
    const all = [
      'Current',
      ...days
        .filter((name) => name !== 'Current')
        .sort()
        .reverse(),
    ];
    for (const day of all.slice(1)) yield join(join(root, day), below);
    for (const day of all) {
      const directory = parentOf(join(join(root, day), below));
      for (const name of await this.#names(path, directory, signal))
        if (name !== basename(path) && name.startsWith(basename(path))) yield join(directory, name);
    }
  }

  /** Of what lies beside a path. In an encryption zone it is the zone's own. Of servers that do not say it is the one in the home directory. */
  async rootOf(path: string, signal: AbortSignal): Promise<string> {
    const known = this.#roots.get(parentOf(path));
    if (known !== undefined) return known;
    let root: string;
    try {
      root = await this.#path(path, 'GETTRASHROOT', path, signal);
    } catch (error) {
      if (!isUnknownOperation(error)) throw error;
      root = join(await this.#path(path, 'GETHOMEDIRECTORY', '/', signal), '.Trash');
    }
    remember(this.#roots, parentOf(path), root);
    return root;
  }

  async #path(served: string, operation: string, path: string, signal: AbortSignal): Promise<string> {
    const answer = await askServed(this.#rest, served, 'GET', operation, path, {}, signal);
    const { Path: told } = jsonIn(answer, operation, path) as { Path?: unknown };
    if (typeof told !== 'string') throw remoteErrorOf(answer.status, answer.text, { operation, path });
    return told.replace(/^[a-z]+:\/\/[^/]*/, '');
  }

  /**
   * Makes the directory of the trash that a path belongs in, for its user alone. Where something that is no directory has the name of one, the
   * time is added to that name.
   */
  async #make(path: string, current: string, signal: AbortSignal): Promise<string> {
    const given = parentOf(path).split('/').filter(Boolean);
    const names = [...given];
    let mostBytes = Infinity;
    let taken: number | undefined;
    const home = parentOf(parentOf(current));
    const key = `${home} ${this.#rest.keyOf(path)}`;
    if (!this.#homes.has(key)) {
      // One that is missing is made as others are: what MKDIRS makes on the way to a directory is as closed as that.
      await askServed(this.#rest, path, 'PUT', 'MKDIRS', home, {}, signal);
      this.#homes.add(key);
    }
    for (let tries = 1; ; tries++) {
      const directory = names.reduce(join, current);
      try {
        await askServed(this.#rest, path, 'PUT', 'MKDIRS', directory, { permission: '700' }, signal);
        return directory;
      } catch (error) {
        const limit = limitIn(error);
        const isTooLong = limit < Infinity;
        mostBytes = Math.min(mostBytes, limit);
        if (tries >= NAMES || !(isTooLong || hasCode(error, 'exists', 'not-a-directory'))) throw error;
        if (!isTooLong) taken = await this.#firstFile(path, current, names, signal);
        if (taken === undefined) throw error;
        names[taken] = timedName(given[taken] ?? '', Date.now() + tries, mostBytes);
      }
    }
  }

  /** Which of the names leads to something that is no directory. */
  async #firstFile(
    served: string,
    current: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<number | undefined> {
    let at = current;
    for (const [index, name] of names.entries()) {
      at = join(at, name);
      const status = await this.#status(served, at, signal);
      if (!status) return undefined;
      if (status.type !== 'DIRECTORY') return index;
    }
    return undefined;
  }

  /** None of a directory that is not there. */
  async #names(served: string, directory: string, signal: AbortSignal): Promise<string[]> {
    const operation = 'LISTSTATUS';
    try {
      const answer = await askServed(this.#rest, served, 'GET', operation, directory, {}, signal);
      const { FileStatuses } = jsonIn(answer, operation, directory) as { FileStatuses: { FileStatus: JsonStatus[] } };
      return FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix);
    } catch (error) {
      if (hasCode(error, 'not-found', 'not-a-directory')) return [];
      throw error;
    }
  }

  async #status(served: string, path: string, signal: AbortSignal): Promise<JsonStatus | undefined> {
    const operation = 'GETFILESTATUS';
    try {
      const answer = await askServed(this.#rest, served, 'GET', operation, path, {}, signal);
      return (jsonIn(answer, operation, path) as { FileStatus: JsonStatus }).FileStatus;
    } catch (error) {
      if (hasCode(error, 'not-found', 'not-a-directory')) return undefined;
      throw error;
    }
  }
}

function jsonIn({ text, status }: Answer, operation: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw remoteErrorOf(status, text, { operation, path });
  }
}

function remember(known: Map<string, string>, key: string, value: string): void {
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, value);
}

/** How long a name may be, where it was too long. */
function limitIn(error: unknown): number {
  return error instanceof StorageError ? (quotedNameBytes(error.reason) ?? Infinity) : Infinity;
}
