import { Batches } from './batches.ts';
import { Files } from './files.ts';
import { oneCopier } from './packer.ts';
import type { Expected, PlanCursor, Planning } from './planning.ts';
import { Roots } from './roots.ts';
import { Splitting } from './splitting.ts';
import { Tally } from './tally.ts';

/**
 * Walks the roots, makes the directories and emits every file as a unit of some batch. Memory does not grow with the tree.
 *
 * Safe to run again from the start: the same trees give the same batches, but for the place of directories that cannot be made.
 *
 * @returns what was planned in all, or the cursor to go on with
 * @throws fail-job errors: a root that cannot be listed, a destination root that cannot be written
 */
export async function planStretch(planning: Planning): Promise<Expected | { readonly cursor: PlanCursor }> {
  const { destination, roots, makeDirectories, signal, emit, sharing = oneCopier, from } = planning;
  const batches = new Batches(emit, sharing, from);
  const splitting = new Splitting(planning, from?.splitting);
  const tally = new Tally(from?.tally);
  const files = new Files(planning, batches, splitting, tally, from?.names ?? 0);
  const planner = new Roots(planning, files);
  if (roots[0] && makeDirectories) await destination.names?.learn?.(roots[0].destination, signal);
  for (const [index, root] of roots.entries()) {
    if (from && index < from.root) continue;
    const walk = await planner.plan(index, root, from?.root === index ? from.walk : undefined);
    if (!walk) continue;
    const settled = await batches.settled();
    const counts = { names: files.namesTaken, splitting: splitting.state, tally: tally.counters };
    return { cursor: { root: index, walk, ...counts, ...settled } };
  }
  const { files: count, bytes, packer } = await batches.end();
  const { split, notSplit } = splitting.state;
  const { counters: planned } = tally;
  return {
    files: count + (planned['files.skipped'] ?? 0),
    bytes: bytes + (planned['bytes.skipped'] ?? 0),
    batches: packer.next,
    split,
    notSplit,
    planned,
  };
}

/** The whole plan in one go. */
export async function plan(planning: Omit<Planning, 'isOver'>): Promise<Expected> {
  const planned = await planStretch(planning);
  if ('cursor' in planned) throw new Error('planning stopped although nothing told it to');
  return planned;
}
