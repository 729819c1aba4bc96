import { childOf } from './entry.ts';

/** One name in a directory of a list: listed itself, or the beginning of a longer path that is. */
export interface ListedName {
  readonly name: string;
  readonly isListed: boolean;
}

/** Paths that a user has listed, below the root. Not in memory, where there may be millions. */
export interface PathList {
  /** Names in a directory, in the namenode's order. @param after  only names after this one */
  namesIn(directory: string, after?: string): Iterable<ListedName, undefined>;
  /** What the list says of a path by itself; undefined where it says nothing. */
  find(path: string): ListedName | undefined;
}

/** Whether a path is listed, or lies in a directory that is. */
export function isCovered(list: PathList, path: string): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (list.find(path.slice(0, end))?.isListed) return true;
  }
  return false;
}

/** All that is listed at a path and below it. */
export function* listedAt(list: PathList, path: string, isListed: boolean): Generator<string> {
  if (isListed) yield path;
  for (const { name, isListed: isToo } of list.namesIn(path)) yield* listedAt(list, childOf(path, name), isToo);
}

/** A path, and whether all that is below it belongs to it. */
export interface ListedPath {
  readonly path: string;
  readonly isListed: boolean;
}

/** A list that is being gathered. */
export interface GrowingList extends PathList {
  /** Adds paths below the root, and all that lead to them. One that was listed stays listed. */
  addAll(paths: AsyncIterable<ListedPath> | Iterable<ListedPath>): Promise<void>;
  add(path: ListedPath): void;
  /** The paths that are not listed by themselves, a directory before what is in it. May be added to meanwhile. */
  unlisted(): Iterable<string>;
}
