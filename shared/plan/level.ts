import type { FileStatus, Storage } from '../storage/storage.ts';
import { join } from '../storage/path.ts';
import { type Merged, mergeSorted } from '../storage/order.ts';
import { childOf, type Entry, entryOf } from './entry.ts';
import { listedIn, Listing } from './listing.ts';

/** A directory of a storage, with all that is below it. */
export interface Tree {
  readonly storage: Storage;
  readonly root: string;
}

/** Begins the listings of a walk, and counts those that are begun ahead. */
export class Listings {
  readonly #source: Tree;
  readonly #destination: Tree | undefined;
  readonly #wanted: 'left' | 'all';
  /** Whether a directory that only the source's listing has shown so far is to be walked. */
  readonly isWalked: (entry: Entry) => boolean;
  readonly #signal: AbortSignal;
  /** How many more first pages may be asked for ahead. */
  aheadLeft: number;

  /** @param wanted  `all`: also what only the destination has */
  constructor(
    source: Tree,
    destination: Tree | undefined,
    wanted: 'left' | 'all',
    isWalked: (entry: Entry) => boolean,
    ahead: number,
    signal: AbortSignal,
  ) {
    this.#source = source;
    this.#destination = destination;
    this.#wanted = wanted;
    this.isWalked = isWalked;
    this.#signal = signal;
    this.aheadLeft = ahead;
  }

  /** @param after  only names after this one */
  ofSource(path: string, after?: string): Listing {
    const { storage, root } = this.#source;
    return new Listing(storage.list(join(root, path), this.#signal, after));
  }

  /** Both listings of a directory, merged in the source's order; that of the destination only where it has the directory. */
  merged({ path, destination }: Entry, source: Listing | undefined, after?: string): AsyncIterator<Merged<FileStatus>> {
    const { order } = this.#source.storage;
    const tree = destination && this.#destination;
    const there = tree && new Listing(listedIn(order, tree.storage, join(tree.root, path), this.#signal, after));
    return mergeSorted(source ?? none(), there ?? none(), (a, b) => order(a.name, b.name), this.#wanted);
  }
}

async function* none(): AsyncGenerator<FileStatus> {}

/** A directory that is being walked. */
export class Level {
  readonly directory: Entry;
  /** The last name that was given out. */
  after: string | undefined;
  readonly #listings: Listings;
  #source: Listing | undefined;
  #entries: AsyncIterator<Merged<FileStatus>> | undefined;
  /** Subdirectories whose first page was asked for ahead, by name. */
  readonly #ahead = new Map<string, Listing>();
  /** How many of them at most: half of what is left, so that something is left for the directories below. */
  readonly #share: number;

  /**
   * @param source  the source's listing of the directory, if it was begun already
   * @param after  the last name that an earlier stretch gave out
   */
  constructor(directory: Entry, listings: Listings, source?: Listing, after?: string) {
    this.directory = directory;
    this.after = after;
    this.#listings = listings;
    this.#share = Math.ceil(listings.aheadLeft / 2);
    this.#source = source;
  }

  /** The next name, or undefined at the end. @throws what the listings throw */
  async next(): Promise<Entry | undefined> {
    // Asked for ahead and not walked: something stands in its way.
    if (this.after !== undefined) this.#takeAhead(this.after);
    this.#entries ??= this.#list();
    const result = await this.#entries.next();
    if (result.done) return undefined;
    const { left, right } = result.value;
    this.after = left?.name ?? right?.name ?? '';
    return entryOf(this.directory.path, this.after, left, right);
  }

  /** @param directory  the entry that was given last, or what it is taken for */
  descend(directory: Entry): Level {
    const source = directory.source && this.#takeAhead(directory.name);
    this.#askAhead();
    return new Level(directory, this.#listings, source);
  }

  /** Gives up the listings and what was asked for ahead. The next name is then listed anew, behind the last one that was given. */
  close(): void {
    for (const name of this.#ahead.keys()) this.#takeAhead(name);
    this.#source = undefined;
    this.#entries = undefined;
  }

  #list(): AsyncIterator<Merged<FileStatus>> {
    const { source, path } = this.directory;
    this.#source ??= source && this.#listings.ofSource(path, this.after);
    return this.#listings.merged(this.directory, this.#source, this.after);
  }

  /** Asks for the listings of the next sibling directories, so that deep trees do not wait for one answer after the other. */
  #askAhead(): void {
    for (const status of this.#source?.upcoming() ?? []) {
      const { name, kind } = status;
      if (this.#listings.aheadLeft === 0 || this.#ahead.size >= this.#share) return;
      if (kind !== 'directory' || this.#ahead.has(name)) continue;
      if (!this.#listings.isWalked(entryOf(this.directory.path, name, status, undefined))) continue;
      const listing = this.#listings.ofSource(childOf(this.directory.path, name));
      listing.start();
      this.#ahead.set(name, listing);
      this.#listings.aheadLeft -= 1;
    }
  }

  #takeAhead(name: string): Listing | undefined {
    const listing = this.#ahead.get(name);
    if (this.#ahead.delete(name)) this.#listings.aheadLeft += 1;
    return listing;
  }
}
