import type { FileStatus, Storage } from '../storage/storage.ts';
import type { NameOrder } from '../storage/order.ts';

/** The entries of a directory one by one, while its pages come. Its first page can be asked for ahead. */
export class Listing implements AsyncIterable<FileStatus> {
  readonly #pages: AsyncIterator<readonly FileStatus[], unknown>;
  #first: Promise<IteratorResult<readonly FileStatus[], unknown>> | undefined;
  #page: readonly FileStatus[] = [];
  #index = 0;

  constructor(pages: AsyncIterable<readonly FileStatus[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** Asks for the first page, for who will iterate later. */
  start(): void {
    this.#first = this.#pages.next();
    this.#first.catch(() => undefined);
  }

  /** Resolves when the first page has come. @throws what the listing throws */
  async ready(): Promise<void> {
    this.start();
    await this.#first;
  }

  /** What comes on this page after the entry that was given last. */
  *upcoming(): Iterable<FileStatus> {
    for (let i = this.#index; i < this.#page.length; i++) {
      const entry = this.#page[i];
      if (entry) yield entry;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FileStatus> {
    for (;;) {
      const result = await (this.#first ?? this.#pages.next());
      this.#first = undefined;
      if (result.done) return;
      this.#page = result.value;
      this.#index = 0;
      for (let entry = this.#page[this.#index++]; entry; entry = this.#page[this.#index++]) yield entry;
    }
  }
}

/**
 * The pages of a directory in the order of another storage, so that both listings can be merged. Where the storage itself lists in that
 * order they are passed on as they come. Where it does not, the directory is listed as a whole and sorted here: memory for one
 * directory at each level of the walk, and the only place where a walk holds more than a page.
 *
 * @param after  only names that come after this one in `order`
 */
export async function* listedIn(
  order: NameOrder,
  storage: Storage,
  directory: string,
  signal: AbortSignal,
  after?: string,
): AsyncGenerator<readonly FileStatus[]> {
  if (storage.order === order) {
    yield* storage.list(directory, signal, after);
    return;
  }
  const all: FileStatus[] = [];
  for await (const page of storage.list(directory, signal)) {
    for (const entry of page) if (after === undefined || order(entry.name, after) > 0) all.push(entry);
  }
  yield all.sort((a, b) => order(a.name, b.name));
}
