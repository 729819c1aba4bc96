import { FanoutError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { join } from '../storage/path.ts';
import { namenodeOrder } from '../storage/order.ts';
import { isTemporary } from '../job/temporary.ts';

/** A tree to walk, and the tree to hold it against. */
export interface Trees {
  readonly source: Storage;
  readonly root: string;
  /** Left out when only the source is of interest. */
  readonly destination?: { readonly storage: Storage; readonly root: string; readonly exists: boolean };
}

/** One entry of the source and its namesake at the destination. */
export interface Pair {
  /** Below the root; empty for the root itself. */
  readonly path: string;
  readonly status: FileStatus;
  readonly destination: FileStatus | undefined;
}

export interface Visitor {
  /** Before anything in the directory is visited. The root comes once it could be listed, and without its namesake. */
  enter?(directory: Pair): Promise<void> | void;
  /** A file, or something that is neither file nor directory; also what has a temporary name, as the latter. */
  file?(pair: Pair): Promise<void> | void;
  /** After everything in the directory was visited. */
  leave?(directory: Pair): Promise<void> | void;
  /** A directory below the root that cannot be walked: its listing was refused, it vanished, or a file stands in its place. */
  lost?(directory: Pair, error: FanoutError): Promise<void> | void;
}

/**
 * Where a walk stopped: the open directories from the root down, each with the last name that was visited in it. Plain JSON.
 * Directories that are open here were entered and not yet left.
 */
export interface WalkCursor {
  readonly open: readonly { readonly directory: Pair; readonly after: string | undefined }[];
}

/** When to stop, and where an earlier walk stopped. */
export interface Stretch {
  /** Asked after each entry. */
  readonly isOver?: () => boolean;
  readonly from?: WalkCursor | undefined;
}

/** First pages of sibling directories that are asked for ahead, over the whole walk. */
const AHEAD = 8;

/**
 * Visits a tree depth first, names in the order of `namenodeOrder`, so that the order is always the same and both listings merge
 * as sorted streams. Holds a page of each listing per level, never a whole directory. Nothing below a temporary name is
 * visited, on either side.
 *
 * @param stretch  a part of the walk: a walk in several stretches visits the same as one in a single one
 * @returns where it stopped, or undefined when it came to its end
 * @throws what the listing of a root throws, and what the visitor throws
 */
export async function walk(
  trees: Trees,
  rootStatus: FileStatus,
  visitor: Visitor,
  signal: AbortSignal,
  { isOver = () => false, from }: Stretch = {},
): Promise<WalkCursor | undefined> {
  const { source, destination } = trees;
  const open: Open = {
    source: (path, after) => new Entries(source.list(join(trees.root, path), signal, after)),
    destination: ({ path, destination: there }, after) => {
      if (!destination?.exists || (path !== '' && there?.kind !== 'directory')) return undefined;
      return new Entries(destination.storage.list(join(destination.root, path), signal, after));
    },
  };
  const ahead = { left: AHEAD };
  const stack: Level[] = [];
  for (const { directory, after } of from?.open ?? []) {
    stack.push(new Level(directory, open.source(directory.path, after), open, ahead, after));
  }
  if (!from) {
    const rootPair = { path: '', status: rootStatus, destination: undefined };
    const entries = open.source('');
    await entries.ready();
    const root = new Level(rootPair, entries, open, ahead);
    await visitor.enter?.(root.directory);
    stack.push(root);
  }
  for (let level = stack.at(-1); level; level = stack.at(-1)) {
    signal.throwIfAborted();
    const { directory } = level;
    let pair: Pair | undefined;
    try {
      pair = await level.next();
    } catch (error) {
      if (!(error instanceof FanoutError) || error.disposition === 'fail-job' || stack.length === 1) throw error;
      stack.pop();
      await visitor.lost?.(directory, error);
      continue;
    }
    if (!pair) {
      stack.pop();
      await visitor.leave?.(directory);
    } else if (pair.status.kind !== 'directory') {
      await visitor.file?.(pair);
    } else if (refusalOf(pair, trees) !== undefined) {
      await visitor.lost?.(pair, new BlockedError(pair.path, refusalOf(pair, trees) ?? '', 'rename it at the source'));
    } else if (pair.destination && pair.destination.kind !== 'directory') {
      await visitor.lost?.(pair, new BlockedError(pair.path, 'a file stands where it is needed', 'remove it'));
    } else {
      await visitor.enter?.(pair);
      stack.push(level.descend(pair));
    }
    // After an entry, never before the first: each stretch gets somewhere.
    if (stack.length > 0 && isOver()) return { open: stack.map(({ directory, after }) => ({ directory, after })) };
  }
  return undefined;
}

/** Why a directory cannot be made at the destination, as far as that is known without trying. */
function refusalOf({ path }: Pair, { destination }: Trees): string | undefined {
  return destination?.storage.names?.unwritable(join(destination.root, path));
}

/** A directory that cannot be made. */
class BlockedError extends FanoutError {
  override readonly name = 'BlockedError';
  constructor(path: string, reason: string, remedy: string) {
    super(reason, { disposition: 'fail-unit', where: { operation: 'MKDIRS', path }, remedy });
  }
}

/** Begins listings; the destination has one only where the directory stood before. */
interface Open {
  readonly source: (path: string, after?: string) => Entries;
  readonly destination: (directory: Pair, after?: string) => Entries | undefined;
}

/** A directory being walked. */
class Level {
  readonly directory: Pair;
  /** The last name that was given out. */
  after: string | undefined;
  readonly #source: Entries;
  readonly #destination: Entries | undefined;
  readonly #open: Open;
  readonly #ahead: { left: number };
  /** Directories on this page whose listing is on its way, by name. */
  readonly #opened = new Map<string, Entries>();
  #page: readonly FileStatus[] = [];
  #index = 0;

  constructor(directory: Pair, source: Entries, open: Open, ahead: { left: number }, after?: string) {
    this.directory = directory;
    this.after = after;
    this.#source = source;
    this.#destination = open.destination(directory, after);
    this.#open = open;
    this.#ahead = ahead;
  }

  async next(): Promise<Pair | undefined> {
    for (;;) {
      while (this.#index >= this.#page.length) {
        const page = await this.#source.page();
        if (!page) return undefined;
        this.#page = page;
        this.#index = 0;
      }
      const status = this.#page[this.#index++];
      if (!status) continue;
      this.after = status.name;
      if (isTemporary(status.name)) {
        const path = childOf(this.directory.path, status.name);
        return { path, status: { ...status, kind: 'other', lengthBytes: 0 }, destination: undefined };
      }
      const destination = this.#destination && (await this.#destination.namesake(status.name));
      return { path: childOf(this.directory.path, status.name), status, destination };
    }
  }

  descend(pair: Pair): Level {
    const { name } = pair.status;
    const opened = this.#opened.get(name);
    if (this.#opened.delete(name)) this.#ahead.left += 1;
    this.#openAhead();
    return new Level(pair, opened ?? this.#open.source(pair.path), this.#open, this.#ahead);
  }

  /** Asks for the listings of the next sibling directories, so that deep trees do not wait for one answer after the other. */
  #openAhead(): void {
    for (let i = this.#index; i < this.#page.length && this.#ahead.left > 0; i++) {
      const status = this.#page[i];
      if (status?.kind !== 'directory' || this.#opened.has(status.name) || isTemporary(status.name)) continue;
      const entries = this.#open.source(childOf(this.directory.path, status.name));
      entries.start();
      this.#opened.set(status.name, entries);
      this.#ahead.left -= 1;
    }
  }
}

function childOf(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** A listing taken page by page, its first page asked for at will. */
class Entries {
  readonly #pages: AsyncIterator<readonly FileStatus[], unknown>;
  #first: Promise<IteratorResult<readonly FileStatus[], unknown>> | undefined;
  #page: readonly FileStatus[] = [];
  #index = 0;
  #ended = false;

  constructor(pages: AsyncIterable<readonly FileStatus[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  start(): void {
    this.#first = this.#pages.next();
    this.#first.catch(() => undefined);
  }

  /** @throws what the listing throws */
  async ready(): Promise<void> {
    this.start();
    await this.#first;
  }

  async page(): Promise<readonly FileStatus[] | undefined> {
    const next = this.#first ?? this.#pages.next();
    this.#first = undefined;
    const result = await next;
    return result.done ? undefined : result.value;
  }

  /** The entry of this name. Must be asked in ascending order. */
  async namesake(name: string): Promise<FileStatus | undefined> {
    while (!this.#ended) {
      for (; this.#index < this.#page.length; this.#index++) {
        const entry = this.#page[this.#index];
        const order = entry ? namenodeOrder(entry.name, name) : -1;
        if (order === 0) return entry;
        if (order > 0) return undefined;
      }
      const page = await this.page();
      this.#ended = page === undefined;
      this.#page = page ?? [];
      this.#index = 0;
    }
    return undefined;
  }
}
