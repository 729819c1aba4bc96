import type { Root } from '../job/root.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Batch } from '../job/unit.ts';
import type { Storage } from '../storage/storage.ts';
import { Batches, type BatchesState } from './batches.ts';
import { Files } from './files.ts';
import type { NameSet } from './name-set.ts';
import { Roots } from './roots.ts';
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
}

/**
 * Walks the roots, makes the directories and emits every file as a unit of some batch. Memory does not grow with the tree.
 *
 * Safe to run again from the start: the same trees give the same batches, but for the place of directories that cannot be made.
 *
 * @returns what was planned in all, or the cursor to go on with
 * @throws fail-job errors: a root that cannot be listed, a destination root that cannot be written
 */
export async function planStretch(planning: Planning): Promise<Expected | { readonly cursor: PlanCursor }> {
  const { destination, roots, makeDirectories, signal, emit, from } = planning;
  const batches = new Batches(emit, from);
  const files = new Files(planning, batches, from?.names ?? 0);
  const planner = new Roots(planning, files);
  if (roots[0] && makeDirectories) await destination.names?.learn?.(roots[0].destination, signal);
  for (const [index, root] of roots.entries()) {
    if (from && index < from.root) continue;
    const walk = await planner.plan(index, root, from?.root === index ? from.walk : undefined);
    if (walk) return { cursor: { root: index, walk, names: files.namesTaken, ...(await batches.settled()) } };
  }
  const { files: count, bytes, packer } = await batches.end();
  return { files: count, bytes, batches: packer.next };
}

/** The whole plan in one go. */
export async function plan(planning: Omit<Planning, 'isOver' | 'from'>): Promise<Expected> {
  const planned = await planStretch(planning);
  if ('cursor' in planned) throw new Error('planning stopped although nothing told it to');
  return planned;
}
