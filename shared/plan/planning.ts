import type { Root } from '../job/root.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Batch } from '../job/unit.ts';
import type { Storage } from '../storage/storage.ts';
import type { BatchesState } from './batches.ts';
import type { NameSet } from './name-set.ts';
import type { SplitCounts, SplittingState } from './splitting.ts';
import type { WalkCursor } from './walk.ts';

/** What planning needs, and what it tells. */
export interface Planning {
  readonly source: Storage;
  readonly destination: Storage;
  readonly roots: readonly Root[];
  readonly options: JobOptions;
  readonly signal: AbortSignal;
  /** Where batches go, in order and one at a time; awaited, so that a slow manifest slows the walk. */
  readonly emit: (batch: Batch) => Promise<void>;
  /** False for a dry run: nothing is made. */
  readonly makeDirectories: boolean;
  /** Empty where a plan begins; where one goes on, it holds the names that were taken when the cursor was made. */
  readonly names: NameSet;
  /** Asked after each name of a walk; planning then stops with a cursor. Default: never. */
  readonly isOver?: () => boolean;
  /** Where an earlier invocation stopped. */
  readonly from?: PlanCursor | undefined;
}

export interface Expected {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  /** Files that chunks copy, by how they are cut. */
  readonly split: SplitCounts['split'];
  /** Files that are long enough and go as one stream, by the reason. */
  readonly notSplit: SplitCounts['notSplit'];
}

/**
 * What planning stopped with: everything but the names of flattened files that a next invocation needs to go on as if planning had never
 * stopped. Plain JSON.
 */
export interface PlanCursor extends BatchesState {
  /** Index of the root that was being walked. */
  readonly root: number;
  readonly walk: WalkCursor;
  /** How many names flattened files have taken; the first so many that were added to `names`. */
  readonly names: number;
  readonly splitting: SplittingState;
}
