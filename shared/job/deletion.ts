import type { BatchLine } from './manifest-lines.ts';
import type { AnyBatch } from './unit.ts';

/**
 * Something that the destination has and the source has not. Deletions stand in a manifest of their own, in the order of the walk, a
 * directory behind all that is in it.
 */
export interface DeleteUnit {
  /** Index of its root in the job's mapping. */
  readonly root: number;
  /** Below the root. */
  readonly path: string;
  /** The uppermost directory above it that the source has not, below the root; left out where that is the path itself. */
  readonly top?: string;
  readonly kind: 'file' | 'directory';
  /** What the source has in place of it, or of the directory above it: that is copied in a second pass. */
  readonly replacedBy?: 'file' | 'directory';
  /** As it was listed: what is another one by now stays. */
  readonly modifiedAtMs: number;
  readonly fileId?: number;
  /** Files that go with it, 1 for a file, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Of a directory that goes whole: what was found in it. Others go only when nothing is in them any more. */
  readonly digest?: string;
}

/** Batches of deletions are numbered from here, behind those of any plan: a job's records know them by their numbers. */
export const FIRST_DELETE_BATCH = 2 ** 30;

/** What a job's deletions are called among the manifests. */
export function deletesOf(id: string): string {
  return `${id}.deletes`;
}

/** What a line of such a manifest holds. */
export function deleteUnitsOf({ units }: BatchLine): readonly DeleteUnit[] {
  return units as AnyBatch['units'] as readonly DeleteUnit[];
}
