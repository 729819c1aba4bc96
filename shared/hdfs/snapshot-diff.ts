import { StorageError } from '../storage/errors.ts';
import { join } from '../storage/path.ts';
import { OptionalOperations, isUnknownOperation } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { type SnapshotChanges, directoryOf } from './snapshot-changes.ts';

/** What a report, or a page of a listing, may have: some 100,000 changes. It is in memory as a whole. */
const ANSWER_BYTES = 16 * 1024 * 1024;

interface JsonEntry {
  readonly sourcePath: string;
  /** HttpFS sends an empty one where there is none. */
  readonly targetPath?: string;
  readonly fileId: number;
}

interface JsonPage {
  readonly modifyList: readonly JsonEntry[];
  readonly createList: readonly JsonEntry[];
  readonly deleteList: readonly JsonEntry[];
  /** Where the next page begins: '' and -1 behind the last one. */
  readonly lastPath: string;
  /** How much of the directory at `lastPath` was told, or -1: nothing of it. */
  readonly lastIndex: number;
  readonly isFromEarlier: boolean;
}

interface JsonReport {
  readonly diffList: readonly {
    readonly type: string;
    readonly sourcePath: string;
    readonly targetPath?: string;
  }[];
}

/** Two snapshots of a root, and the directory below it that they are held against each other in. */
export interface Compared {
  readonly root: string;
  readonly from: string;
  readonly to: string;
  readonly within: string;
}

/**
 * Asks a server how two snapshots differ: in pages where it has them, and as one report of Hadoop 3.3.
 * @see Hadoop SnapshotDiffReportListing, SnapshotDiffReport
 */
export class SnapshotDiff {
  readonly #rest: NamenodeRest;
  readonly #optional = new OptionalOperations();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
  }

  /**
   * @returns what it was read from. A report does not tell whether `from` is the earlier one, a listing that is not is refused
   * @throws StorageError limit, not-found, denied, unsupported, invalid
   */
  async read(compared: Compared, changes: SnapshotChanges, signal: AbortSignal): Promise<'listing' | 'report'> {
    if (await this.#readListing(compared, changes, signal)) return 'listing';
    await this.#readReport(compared, changes, signal);
    return 'report';
  }

  /** @returns false where the server has no such operation */
  async #readListing(compared: Compared, changes: SnapshotChanges, signal: AbortSignal): Promise<boolean> {
    const where = { operation: 'GETSNAPSHOTDIFFLISTING', path: join(compared.root, compared.within) };
    let place = { path: '', index: -1 };
    const indices = new Set<number>();
    for (let pages = 0; ; pages++) {
      const page = await this.#page(compared, place, signal);
      if (!page) return false;
      if (!page.isFromEarlier) throw notEarlier(compared.root, compared.from, compared.to);
      if (pages > 0 && !goesOn(page, place)) throw lost(where, 'begins elsewhere than where the last one ended');
      for (const { sourcePath } of page.modifyList) changes.addModified(sourcePath);
      for (const { sourcePath, fileId } of page.createList) changes.addMade(sourcePath, fileId);
      for (const { sourcePath, targetPath, fileId } of page.deleteList)
        changes.addGone(sourcePath, targetPath === '' ? undefined : targetPath, fileId);
      const { lastPath: path, lastIndex: index } = page;
      if (path === '' && index === -1) return true;
      if (path !== place.path) indices.clear();
      // With so many more new names in a directory than it lost, a namenode goes round and round: it takes the place for one among the new.
      if (indices.has(index)) throw lost(where, 'comes again and again');
      indices.add(index);
      place = { path, index };
    }
  }

  async #page(
    { root, from, to, within }: Compared,
    { path: lastPath, index }: { readonly path: string; readonly index: number },
    signal: AbortSignal,
  ): Promise<JsonPage | undefined> {
    const path = join(root, within);
    const operation = 'GETSNAPSHOTDIFFLISTING';
    const parameters = {
      oldsnapshotname: from,
      snapshotname: to,
      snapshotdiffstartpath: lastPath,
      snapshotdiffindex: index,
    };
    const ask = () =>
      this.#rest.json<{ SnapshotDiffReportListing?: Partial<JsonPage> } | null>(
        'GET',
        operation,
        path,
        parameters,
        signal,
        ANSWER_BYTES,
      );
    const answer = await this.#optional.run(this.#rest.keyOf(root), ask, hasNoListing);
    if (answer === undefined) return undefined;
    const page = answer?.SnapshotDiffReportListing;
    if (page && isPage(page)) return page;
    throw remoteErrorOf(200, JSON.stringify(answer), { operation, path });
  }

  async #readReport(
    { root, from, to, within }: Compared,
    changes: SnapshotChanges,
    signal: AbortSignal,
  ): Promise<void> {
    const path = join(root, within);
    const operation = 'GETSNAPSHOTDIFF';
    const parameters = { oldsnapshotname: from, snapshotname: to };
    const answer = await this.#rest.json<{ SnapshotDiffReport?: Partial<JsonReport> } | null>(
      'GET',
      operation,
      path,
      parameters,
      signal,
      ANSWER_BYTES,
    );
    const entries: JsonReport['diffList'] | undefined = answer?.SnapshotDiffReport?.diffList;
    if (entries === undefined) throw remoteErrorOf(200, JSON.stringify(answer), { operation, path });
    for (const { type, sourcePath, targetPath } of entries) {
      if (type === 'MODIFY') changes.addModified(sourcePath);
      else if (type === 'CREATE') changes.addMade(sourcePath);
      else if (type === 'DELETE') changes.addGone(sourcePath, undefined);
      else if (type === 'RENAME' && targetPath !== undefined) changes.addGone(sourcePath, targetPath);
      else throw remoteErrorOf(200, JSON.stringify({ type, targetPath }), { operation, path });
    }
  }
}

/** Where the directory is not snapshottable the server knows the operation all the same. */
function hasNoListing(error: StorageError): boolean {
  return error.exception !== 'SnapshotException' && isUnknownOperation(error);
}

function isPage(page: Partial<JsonPage>): page is JsonPage {
  const { modifyList, createList, deleteList, lastPath, lastIndex, isFromEarlier } = page;
  return (
    [modifyList, createList, deleteList].every(Array.isArray) &&
    typeof lastPath === 'string' &&
    typeof lastIndex === 'number' &&
    typeof isFromEarlier === 'boolean'
  );
}

/**
 * Whether a page begins where it was asked to. A server that does not find the place, because a gateway or HttpFS spells its name another
 * way (white space at its ends), goes on somewhere behind it and says nothing.
 */
function goesOn(page: JsonPage, { path, index }: { readonly path: string; readonly index: number }): boolean {
  if (index === -1) return page.modifyList.some(({ sourcePath }) => sourcePath === path);
  return [...page.createList, ...page.deleteList].some(({ sourcePath }) => directoryOf(sourcePath) === path);
}

export function notEarlier(root: string, from: string, to: string): StorageError {
  const where = { operation: 'GETSNAPSHOTDIFF', path: root };
  return new StorageError('invalid', 'invalid', '', where, { reason: `the snapshot ${from} is not older than ${to}` });
}

function lost(where: { readonly operation: string; readonly path: string }, what: string): StorageError {
  return new StorageError('limit', 'lost', '', where, { reason: `a page of the list of changes ${what}` });
}
