import type { Stripe } from '../storage/checksum.ts';
import { join } from '../storage/path.ts';
import type { Attributes } from '../preserve/attributes.ts';
import { type Decision, EXISTS } from './decide.ts';
import type { Existing } from './existing.ts';
import type { Root } from './root.ts';

/**
 * One thing that a copier does. What looks into a unit takes a `FileUnit` or decides by `kind`, so that the compiler names every place that
 * another kind touches.
 */
export type Unit = FileUnit | ChunkUnit;

/** A range of a large file, which is copied into a file of its own. The file itself stands behind all its chunks in the manifest. */
export interface ChunkUnit {
  readonly kind: 'chunk';
  /** Number of the chunk, from 0. */
  readonly chunk: number;
  readonly file: SplitFile;
}

/** How a file is cut into chunks. */
export interface Split {
  /** Number of the file among the job's split ones, from 0. */
  readonly number: number;
  /** Length of every chunk but the last. */
  readonly chunkBytes: number;
  /** Inode of the source file, where its storage tells: chunks of another file of the same length and time are never joined to its own. */
  readonly inode?: number;
}

/** A file that chunks copy, and that is put together of them when the job finishes. */
export type SplitFile = FileUnit & { readonly split: Split };

/** A whole file. Field names are short words: 50 million stand in a manifest. */
export interface FileUnit {
  readonly kind: 'file';
  /** Index of its root in the job's mapping. */
  readonly root: number;
  /** Path below the root; empty when the root is the file. */
  readonly path: string;
  /** In a flattened copy: the file's name directly below the destination root, where that differs from `path`. */
  readonly flatName?: string;
  readonly lengthBytes: number;
  readonly modifiedAtMs: number;
  readonly blockBytes: number;
  readonly decision: Decision['kind'];
  readonly reason?: string;
  /** No second look at the two files can take the refusal back. */
  readonly lasting?: true;
  /** It vanished while the job was planned. */
  readonly vanished?: Decision['vanished'];
  /** The source file lies in an encryption zone. */
  readonly encrypted?: true;
  /** How the source file is erasure-coded. */
  readonly stripe?: Stripe;
  /** How the destination's directory erasure-codes new files. */
  readonly newStripe?: Stripe;
  /** Inode of the file that stood at the destination when the unit was planned: after a crash it tells that file from one of this job. */
  readonly replaces?: number;
  /** The source file's attributes; only under preserve. */
  readonly attributes?: Attributes;
  /** Attributes of the file that stands at the destination; left out where they are equal to `attributes`. */
  readonly stands?: Attributes;
  /** The destination's directory may have a default ACL. */
  readonly inherits?: true;
  /** The new file's permission, as CREATE gives it, would let in somebody whom its attributes shut out. */
  readonly closed?: true;
  /** Copied by the chunks before it: no copier's work. */
  readonly split?: Split;
}

/** One manifest line: the units that one copier gets. */
export type Batch = AnyBatch<Unit>;

/** One line of any manifest. */
export interface AnyBatch<U = object> {
  /** Number of the batch: from 0, in the manifest's order. */
  readonly batch: number;
  readonly units: readonly U[];
}

/**
 * Whether a plan had the last word on a file, as long as no claim came before: the file is not looked at again. A file that was skipped
 * because its name was taken is, once the job has other orders than to skip such files.
 */
export function isFinal(unit: FileUnit, { existing }: { readonly existing: Existing }): boolean {
  return isNeverWritten(unit) || (unit.decision === 'skip' && existing === 'skip');
}

/** Whether no claim writes a file whatever the job's orders are, or were before they changed. */
export function isNeverWritten({ decision, reason, lasting }: FileUnit): boolean {
  switch (decision) {
    case 'skip':
      return reason !== EXISTS;
    case 'fail':
      return lasting === true;
    case 'copy':
    case 'overwrite':
    case 'compare':
      return false;
  }
}

export function isSplit(unit: Unit): unit is SplitFile {
  return unit.kind === 'file' && unit.split !== undefined;
}

/** Number of the split file that a unit is, or is a chunk of. */
export function splitOf(unit: Unit): number | undefined {
  return fileOf(unit).split?.number;
}

/** The file that a unit is, or is a chunk of. */
export function fileOf(unit: Unit): FileUnit {
  return unit.kind === 'chunk' ? unit.file : unit;
}

/** Where a unit's source file lies. */
export function sourcePathOf(roots: readonly Root[], unit: FileUnit): string {
  return join(rootOf(roots, unit).source, unit.path);
}

/** Where a unit's file is to stand at the destination. */
export function destinationPathOf(roots: readonly Root[], unit: FileUnit): string {
  return join(rootOf(roots, unit).destination, unit.flatName ?? unit.path);
}

function rootOf(roots: readonly Root[], { root }: FileUnit): Root {
  const found = roots[root];
  if (!found) throw new Error(`the manifest names root ${root}, and the job has ${roots.length}`);
  return found;
}

/** Reads a manifest line. */
export function parseBatch(line: string): Batch {
  return batchOf(JSON.parse(line) as StoredBatch);
}

/** A manifest line's content, of this version or an earlier one. */
export interface StoredBatch {
  readonly batch: number;
  readonly units: readonly (Unit | FirstUnit)[];
}

/** What a manifest line holds. Those of earlier versions hold files only, without a `kind`, and two of their fields have other names. */
export function batchOf({ batch, units }: StoredBatch): Batch {
  return { batch, units: units.map((unit) => ('kind' in unit ? unit : ofFirst(unit))) };
}

/** A unit as manifests held it before units had kinds. */
type FirstUnit = Omit<FileUnit, 'kind' | 'flatName' | 'newStripe'> & { readonly to?: string; readonly into?: Stripe };

function ofFirst({ to, into, ...unit }: FirstUnit): FileUnit {
  return {
    kind: 'file',
    ...unit,
    ...(to === undefined ? {} : { flatName: to }),
    ...(into === undefined ? {} : { newStripe: into }),
  };
}
