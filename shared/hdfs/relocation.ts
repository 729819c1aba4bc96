import { printable } from '../errors.ts';
import type { Relocation } from '../storage/capabilities.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { join } from '../storage/path.ts';
import { untrimmed } from './names.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { askServed } from './served.ts';

/** RENAME from one directory to another one of the same nameservice and encryption zone. */
export class RemoteRelocation implements Relocation {
  readonly #rest: NamenodeRest;
  /** Whether a path's server heeds `renameoptions`: HttpFS does not. */
  readonly #isNamenode: (path: string, signal: AbortSignal) => Promise<boolean>;
  /** The trash of what lies beside a path: each encryption zone has its own. */
  readonly #trashOf: (path: string, signal: AbortSignal) => Promise<string>;

  constructor(
    rest: NamenodeRest,
    isNamenode: (path: string, signal: AbortSignal) => Promise<boolean>,
    trashOf: (path: string, signal: AbortSignal) => Promise<string>,
  ) {
    this.#rest = rest;
    this.#isNamenode = isNamenode;
    this.#trashOf = trashOf;
  }

  async obstacle(root: string, directory: string, signal: AbortSignal): Promise<string | undefined> {
    const [from, to] = [
      await this.#trashOf(join(root, 'any'), signal),
      await this.#trashOf(join(directory, 'any'), signal),
    ];
    return from === to ? undefined : 'one of them lies in an encryption zone in which the other one does not';
  }

  /** HttpFS would move an entry into a directory that has its name. */
  async move(path: string, target: string, signal: AbortSignal): Promise<void> {
    const where = { operation: 'RENAME', path };
    if (!(await this.#isNamenode(path, signal)) && (await this.#isTaken(path, target, signal)))
      throw new StorageError('exists', 'not moved', `${printable(target)} exists`, where);
    const parameters = { destination: untrimmed(target), renameoptions: 'NONE' };
    const nameservice = this.#rest.nameservice(path);
    const { text } = await this.#rest.once(nameservice, 'PUT', 'RENAME', path, parameters, signal);
    if (text.trim() === '' || /"boolean"\s*:\s*true/.test(text)) return;
    if (/"boolean"\s*:\s*false/.test(text))
      throw new StorageError('not-found', 'not moved', `the server did not move it to ${printable(target)}`, where);
    // What a gateway says in place of its server proves nothing.
    throw remoteErrorOf(200, text, where);
  }

  async #isTaken(served: string, target: string, signal: AbortSignal): Promise<boolean> {
    try {
      await askServed(this.#rest, served, 'GET', 'GETFILESTATUS', target, {}, signal);
      return true;
    } catch (error) {
      if (hasCode(error, 'not-found', 'not-a-directory')) return false;
      throw error;
    }
  }
}
