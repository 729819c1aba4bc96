import type { Batch } from '../job/unit.ts';
import type { FilePlanning } from './files.ts';
import type { BatchesState } from './batches.ts';
import type { Sharing } from './packer.ts';
import type { PathList } from './path-list.ts';
import type { SplitCounts, SplittingState } from './splitting.ts';
import type { Tally } from './tally.ts';
import type { TypeChange } from './type-change.ts';
import type { WalkCursor } from './walk.ts';

/** What planning needs, and what it tells. */
export interface Planning extends FilePlanning {
  /** Where batches go, in order and one at a time; awaited, so that a slow manifest slows the walk. */
  readonly emit: (batch: Batch) => Promise<void>;
  /** Default: one copier, who begins while planning goes on. */
  readonly sharing?: Sharing;
  /** False for a dry run: nothing is made. */
  readonly makeDirectories: boolean;
  /** Of `filesFrom`, where the job has one. */
  readonly list?: PathList | undefined;
  /**
   * Told of each type change. `later`: it is not planned, nor is anything in it; `replaced`: it is planned as though what stands there were gone.
   * Left out: it fails.
   */
  readonly onTypeChange?: ((change: TypeChange) => 'later' | 'replaced') | undefined;
  /** Asked after each name of a walk; planning then stops with a cursor. Default: never. */
  readonly isOver?: () => boolean;
  /** Where an earlier invocation stopped, or an earlier pass ended. */
  readonly from?: PlanCursor | undefined;
}

export interface Expected {
  /** What was settled at once included, as are its bytes. */
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  /** Files that chunks copy, by how they are cut. */
  readonly split: SplitCounts['split'];
  /** Files that are long enough and go as one stream, by the reason. */
  readonly notSplit: SplitCounts['notSplit'];
  /** What was settled at once, as counters of the job. */
  readonly planned: Tally['counters'];
}

/**
 * What planning stopped with: everything but the names of flattened files that a next invocation needs to go on as if planning had never
 * stopped. Plain JSON.
 */
export interface PlanCursor extends BatchesState {
  /** Index of the root that was being walked. */
  readonly root: number;
  /** Undefined: from the root's beginning. */
  readonly walk: WalkCursor | undefined;
  /** How many names flattened files have taken; the first so many that were added to `names`. */
  readonly names: number;
  readonly splitting: SplittingState;
  readonly tally: Tally['counters'];
}
