import { hasCode } from '../storage/errors.ts';
import type { RemoteChecksums } from './checksums.ts';
import { OptionalOperations } from './optional-operations.ts';
import type { NamenodeRest } from './rest.ts';
import { askServed } from './served.ts';

// The answer also holds block tokens: nothing else of it is kept.
interface Located {
  readonly LocatedBlocks?: { readonly fileLength: number; readonly isUnderConstruction: boolean };
}

/** Tells whether somebody writes a file: a namenode by its blocks, HttpFS by refusing its checksum. */
export class ClosedLength {
  readonly #rest: NamenodeRest;
  readonly #checksums: RemoteChecksums;
  readonly #optional = new OptionalOperations();

  constructor(rest: NamenodeRest, checksums: RemoteChecksums) {
    this.#rest = rest;
    this.#checksums = checksums;
  }

  /** @returns bytes; `open` while it is written; undefined where the server tells only that nobody writes it: its status has the length */
  async of(path: string, signal: AbortSignal): Promise<number | 'open' | undefined> {
    const range = { offset: 0, length: 1 };
    const json = await this.#optional.run(this.#rest.keyOf(path), () =>
      this.#rest.json<Located>('GET', 'GET_BLOCK_LOCATIONS', path, range, signal),
    );
    const located = json?.LocatedBlocks;
    if (located) return located.isUnderConstruction ? 'open' : located.fileLength;
    try {
      await this.#checksums.answer(path, signal, undefined, 0);
    } catch (error) {
      if (hasCode(error, 'open')) return 'open';
      if (!hasCode(error, 'no-checksum', 'no-block')) throw error;
    }
    return undefined;
  }

  /**
   * Whether somebody writes a file, wherever it is now. One that this user may not see there counts as open; one that is gone does not.
   * @param served  a path of the nameservice that has it
   */
  async isOpen(served: string, fileId: number, signal: AbortSignal): Promise<boolean> {
    const path = `/.reserved/.inodes/${fileId}`;
    const ask = (operation: string, parameters = {}) =>
      askServed(this.#rest, served, 'GET', operation, path, parameters, signal);
    try {
      const answer = await this.#optional.run(this.#rest.keyOf(served), () =>
        ask('GET_BLOCK_LOCATIONS', { offset: 0, length: 1 }),
      );
      if (answer) return !/"isUnderConstruction"\s*:\s*false/.test(answer.text);
      // Only HttpFS lacks the operation, and it answers this one itself.
      await ask('GETFILECHECKSUM');
      return false;
    } catch (error) {
      if (hasCode(error, 'no-checksum', 'no-block', 'not-found')) return false;
      if (hasCode(error, 'open', 'denied')) return true;
      throw error;
    }
  }
}
