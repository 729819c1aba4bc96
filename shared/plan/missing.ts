import { namenodeOrder } from '../storage/order.ts';
import type { Entry } from './entry.ts';
import { childOf } from './entry.ts';
import { listedAt, type ListedName, type PathList } from './path-list.ts';
import type { Visitor } from './walk.ts';

/**
 * A visitor that is told besides of listed paths that the source does not have: names of the list are merged with those that a walk comes by in each
 * directory. Of a directory that could not be listed nothing is missed.
 *
 * @param onMissing  called for each in the walk's order
 */
export function missing(visitor: Visitor, list: PathList, onMissing: (path: string) => Promise<void>): Visitor {
  const open: Expected[] = [];
  const tell = async (directory: string, { name, isListed }: ListedName) => {
    for (const path of listedAt(list, childOf(directory, name), isListed)) await onMissing(path);
  };
  const enter = (directory: string, after?: string) => open.push(new Expected(list, directory, after));
  const pass = async ({ path, name, source }: Entry) => {
    if (path === '' || !source) return;
    const expected = open.at(-1);
    if (!expected) return;
    for (const one of expected.upTo(name)) await tell(expected.directory, one);
    const here = expected.take(name);
    // Nothing lies below a file.
    if (here && source.kind !== 'directory') {
      for (const below of list.namesIn(path)) await tell(path, below);
    }
  };
  return {
    ...visitor,
    sourceOnly: async (entry) => {
      await pass(entry);
      await visitor.sourceOnly?.(entry);
      if (entry.source.kind === 'directory') enter(entry.path);
    },
    both: async (entry) => {
      await pass(entry);
      await visitor.both?.(entry);
      if (entry.source.kind === 'directory') enter(entry.path);
    },
    hidden: async (entry, why) => {
      await pass(entry);
      await visitor.hidden?.(entry, why);
    },
    temporary: async (entry) => {
      await pass(entry);
      await visitor.temporary?.(entry);
    },
    blocked: async (entry, error) => {
      await pass(entry);
      await visitor.blocked?.(entry, error);
    },
    leave: async (directory) => {
      // What only the destination has is no list's to miss.
      const expected = directory.source && open.pop();
      for (const one of expected?.upTo() ?? []) await tell(directory.path, one);
      await visitor.leave?.(directory);
    },
    lost: async (directory, error) => {
      if (directory.source) open.pop();
      await visitor.lost?.(directory, error);
    },
    again: async (directory, after) => {
      if (directory.source) enter(directory.path, after);
      await visitor.again?.(directory, after);
    },
  };
}

/** The names of a list that a directory should have, from one that was passed on. */
class Expected {
  readonly directory: string;
  readonly #names: Iterator<ListedName, undefined>;
  #next: ListedName | undefined;

  constructor(list: PathList, directory: string, after?: string) {
    this.directory = directory;
    this.#names = list.namesIn(directory, after)[Symbol.iterator]();
    this.#advance();
  }

  /** Those before a name, or all that are left. */
  *upTo(name?: string): Generator<ListedName> {
    while (this.#next && (name === undefined || namenodeOrder(this.#next.name, name) < 0)) {
      const one = this.#next;
      this.#advance();
      yield one;
    }
  }

  /** @returns whether the next one is this name, which is then passed */
  take(name: string): boolean {
    if (this.#next?.name !== name) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    const next = this.#names.next();
    this.#next = next.done ? undefined : next.value;
  }
}
