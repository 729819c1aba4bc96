import { FanoutError, type Where } from '../errors.ts';
import type { FileStatus } from '../storage/storage.ts';
import { namenodeOrder } from '../storage/order.ts';
import { type JsonStatus, listedStatusOf } from './file-status.ts';
import { OptionalOperations } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

interface JsonPage {
  DirectoryListing?: {
    partialListing: { FileStatuses: { FileStatus: JsonStatus[] } };
    remainingEntries: number;
  } | null;
}

interface Statuses {
  FileStatuses: { FileStatus: JsonStatus[] };
}

/** The last character of ASCII. */
const DEL = '\u007f';

/** Listings of directories as their own nameservice gives them: in pages, and in the namenode's order whoever answers. */
export class Listing {
  readonly #rest: NamenodeRest;
  readonly #cluster: string;
  readonly #optional = new OptionalOperations();
  /** Nameservices whose listings come in another order. */
  readonly #unsorted = new Set<string>();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
    this.#cluster = rest.cluster.name;
  }

  async *of(directory: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly FileStatus[]> {
    const key = this.#rest.keyOf(directory);
    if (this.#unsorted.has(key)) {
      yield await this.#whole(directory, signal, after);
      return;
    }
    let page = this.#page(directory, signal, after);
    let previous = after;
    for (let pages = 0; ; pages++) {
      const { entries, more } = await page;
      const sorted =
        isSorted(entries, previous) &&
        !(pages === 0 && more && (await this.#sortsOtherwise(directory, entries, signal)));
      if (!sorted) {
        this.#unsorted.add(key);
        if (pages > 0)
          throw new ListingError(directory, this.#cluster, 'lists names in another order than a namenode does');
        yield await this.#whole(directory, signal, after);
        return;
      }
      // A router that merges the listings of several namenodes may repeat a name.
      const fresh = entries.filter(({ name }, i) => name !== (i === 0 ? previous : entries[i - 1]?.name));
      const last = fresh.at(-1)?.name;
      if (more && last === undefined)
        throw new ListingError(directory, this.#cluster, 'sent a page without names, and says that more remain');
      // The next page is asked for while the caller works on this one.
      if (more) page = this.#page(directory, signal, last);
      page.catch(() => undefined);
      yield fresh;
      if (!more) return;
      previous = last;
    }
  }

  /** Everything at once, sorted here: for servers that sort in another order. */
  async #whole(directory: string, signal: AbortSignal, after?: string): Promise<readonly FileStatus[]> {
    const listed = await this.#rest.json<Partial<Statuses> | null>('GET', 'LISTSTATUS', directory, {}, signal);
    const statuses = statusesIn(listed, { operation: 'LISTSTATUS', path: directory });
    const named = new Map(statuses.map((status) => [status.pathSuffix, listedStatusOf(status)]));
    return [...named.values()]
      .filter(({ name }) => after === undefined || namenodeOrder(name, after) > 0)
      .sort((a, b) => namenodeOrder(a.name, b.name));
  }

  /**
   * Whether a server whose first page looks well sorts names outside ASCII behind the others, as object stores do: in a namenode's
   * order they come first, and nothing is behind DEL. Only what is no HDFS is asked: it knows no inodes.
   */
  async #sortsOtherwise(directory: string, entries: readonly FileStatus[], signal: AbortSignal): Promise<boolean> {
    if (entries.some(({ name, fileId }) => fileId !== undefined || name.charCodeAt(0) >= 0x80)) return false;
    const { entries: behind } = await this.#page(directory, signal, DEL);
    return behind.some(({ name }) => name.charCodeAt(0) >= 0x80);
  }

  /** One page of a listing: LISTSTATUS_BATCH, or everything at once from servers that lack it. */
  async #page(
    directory: string,
    signal: AbortSignal,
    after?: string,
  ): Promise<{ entries: FileStatus[]; more: boolean }> {
    const page = await this.#optional.run(this.#rest.keyOf(directory), () =>
      this.#rest.json<JsonPage>('GET', 'LISTSTATUS_BATCH', directory, startAfter(after), signal),
    );
    const where = { operation: page ? 'LISTSTATUS_BATCH' : 'LISTSTATUS', path: directory };
    const listed = page
      ? page.DirectoryListing?.partialListing
      : await this.#rest.json<Partial<Statuses> | null>('GET', 'LISTSTATUS', directory, {}, signal);
    const all = statusesIn(listed, where).map(listedStatusOf);
    // HttpFS ignores startAfter and gives everything; who heeds it, and gives names that come before it, has another order.
    const ignored = !page || all.some(({ name }) => name === after);
    const entries = ignored ? all.filter(({ name }) => after === undefined || namenodeOrder(name, after) > 0) : all;
    if (!page) entries.sort((a, b) => namenodeOrder(a.name, b.name));
    return { entries, more: (page?.DirectoryListing?.remainingEntries ?? 0) > 0 };
  }
}

function statusesIn(listed: Partial<Statuses> | null | undefined, where: Where): readonly JsonStatus[] {
  const statuses = listed?.FileStatuses?.FileStatus;
  if (!Array.isArray(statuses)) throw remoteErrorOf(200, JSON.stringify(listed ?? null), where);
  return statuses.map((status) => complete(status, where));
}

/** @throws StorageError when JSON came that is none of HDFS's: something else answers at the URL */
export function complete(status: JsonStatus | null | undefined, where: Where): JsonStatus {
  if (typeof status?.type === 'string') return status;
  throw remoteErrorOf(200, JSON.stringify(status ?? null), where);
}

/**
 * A namenode that finds a capital letter among the names of parameters spells them all anew, and thereby decodes `%65` a second time and takes
 * `{x}` for something to fill in. The same parameter in small letters is read as it is sent; HttpFS and its relatives know only the other one.
 * @see Hadoop ParamFilter
 */
function startAfter(name: string | undefined): Parameters {
  return name !== undefined && /[%{}]/.test(name) ? { startafter: name } : { startAfter: name };
}

/** Whether names only go up; a name may come twice. @param previous  the last one of the page before */
function isSorted(entries: readonly FileStatus[], previous: string | undefined): boolean {
  return entries.every(({ name }, i) => {
    const before = i === 0 ? previous : entries[i - 1]?.name;
    return before === undefined || namenodeOrder(before, name) <= 0;
  });
}

/** Going on with a listing that cannot be trusted would lose files in silence: two of them are merged by their order. */
class ListingError extends FanoutError {
  override readonly name = 'ListingError';
  constructor(path: string, cluster: string, what: string) {
    super(`cluster ${cluster} ${what}`, {
      disposition: 'fail-unit',
      where: { operation: 'LISTSTATUS_BATCH', path },
      remedy: 'copy this directory through another address of the cluster: a namenode, or HttpFS before it',
    });
  }
}
