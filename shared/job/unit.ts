import type { Stripe } from '../storage/checksum.ts';
import type { Attributes } from '../preserve/attributes.ts';
import type { Decision } from './decide.ts';

/** A whole file to copy; later also a byte range of one. Field names are short words: 50 million stand in a manifest. */
export interface Unit {
  /** Index of its root in the job's mapping. */
  readonly root: number;
  /** Path below the root; empty when the root is the file. */
  readonly path: string;
  /** Path below the destination root where it differs from `path` (flattened copies). */
  readonly to?: string;
  readonly lengthBytes: number;
  readonly modifiedAtMs: number;
  readonly blockBytes: number;
  readonly decision: Decision['kind'];
  readonly reason?: string;
  /** Of a refusal that no second look at the two files can take back. */
  readonly lasting?: true;
  /** In an encryption zone. */
  readonly encrypted?: true;
  /** Erasure-coded. */
  readonly stripe?: Stripe;
  /** What erasure coding the destination's directory gives to new files. */
  readonly into?: Stripe;
  /** Inode that stood at the destination when planned: tells our own file from it after a crash. */
  readonly replaces?: number;
  /** Only under preserve. */
  readonly attributes?: Attributes;
  /** Of the file that stands at the destination; left out where it is as `attributes` say. */
  readonly stands?: Attributes;
  /** The destination's directory may have a default ACL. */
  readonly inherits?: true;
  /** Its permission, as CREATE gives it, would let in somebody whom its attributes shut out. */
  readonly closed?: true;
}

/** One manifest line: the units that one copier gets. */
export interface Batch {
  /** From 0, in the manifest's order. */
  readonly batch: number;
  readonly units: readonly Unit[];
}
