import type { FileStatus } from '../storage/storage.ts';

interface Named {
  /** Below both roots; empty for the roots themselves. */
  readonly path: string;
  /** Last component of the path; empty for the roots. */
  readonly name: string;
}

export interface SourceOnly extends Named {
  readonly source: FileStatus;
  readonly destination: undefined;
}

/** A name on both sides: of one kind, or a file here and a directory there. */
export interface Both extends Named {
  readonly source: FileStatus;
  readonly destination: FileStatus;
}

export interface DestinationOnly extends Named {
  readonly source: undefined;
  readonly destination: FileStatus;
}

/** What the source has, with its namesake if there is one. */
export type SourceEntry = SourceOnly | Both;

/** One name of two trees that are walked together. */
export type Entry = SourceEntry | DestinationOnly;

type Status = FileStatus | undefined;

/** An entry of the directory at `parent`. At least one side has it. */
export function entryOf(parent: string, name: string, source: FileStatus, destination: Status): SourceEntry;
export function entryOf(parent: string, name: string, source: Status, destination: Status): Entry;
export function entryOf(parent: string, name: string, source: Status, destination: Status): Entry {
  return { path: childOf(parent, name), name, source, destination } as Entry;
}

/** Paths below a root, where the root's own is empty. */
export function childOf(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** The directory of a path below a root; that of the root's own children is the empty one. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
