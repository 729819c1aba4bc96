import type { FanoutError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { isWithin, join } from '../storage/path.ts';
import { type Pair, walk, type WalkCursor } from '../plan/walk.ts';
import { ChildrenFirst } from './children-first.ts';
import { settleDirectory } from './directory-attributes.ts';
import { type DirectoryLosses, DirectoryLossReport } from './directory-losses.ts';
import type { Finishing } from './finishing.ts';

/** How far the directories' attributes are set. Plain JSON. */
export interface DirectoriesPosition {
  /** Index of the root that is being walked; those before it are done. */
  readonly root: number;
  /** Where the walk of that root goes on; undefined at its beginning. */
  readonly walk?: WalkCursor | undefined;
  readonly losses: DirectoryLosses;
}

export const directoriesStart: DirectoriesPosition = { root: 0, losses: { warnings: {}, examples: [] } };

/** Directories whose attributes are set at once, each with one request on its way. */
const AT_ONCE = 40;
const NOT_LISTED = 'directory not listed';
const GONE = 'directory gone';

/**
 * Sets the directories' attributes, at the end, since everything that was written below them changed their times. Only what differs is sent:
 * both trees are walked again, because nothing holds all paths. Safe to run again.
 *
 * @returns what was lost in all, or where it stopped
 */
export async function setDirectories(
  finishing: Finishing,
  from: DirectoriesPosition,
): Promise<{ readonly losses: DirectoryLosses } | { readonly at: DirectoriesPosition }> {
  const { job, isOver, log } = finishing;
  const report = new DirectoryLossReport(from.losses, log);
  const { options } = job.spec;
  if (!options.preserve || options.filesOnly) return { losses: report.losses };
  for (let root = from.root; root < job.roots.length; root++) {
    const stopped = await setTree(finishing, root, root === from.root ? from.walk : undefined, report);
    if (stopped) return { at: { root, walk: stopped, losses: report.losses } };
    if (root + 1 < job.roots.length && isOver()) return { at: { root: root + 1, losses: report.losses } };
  }
  return { losses: report.losses };
}

/** @returns where the walk of the tree stopped before its end */
async function setTree(
  { job, source, destination, signal, isOver }: Finishing,
  index: number,
  from: WalkCursor | undefined,
  report: DirectoryLossReport,
): Promise<WalkCursor | undefined> {
  const root = job.roots[index];
  if (root?.kind !== 'directory') return undefined;
  const status = await source.stat(root.source, signal);
  const there = await destination.stat(root.destination, signal);
  const lose = (path: string, name: string, reason: string) =>
    report.add(join(root.destination, path), [name, `reasons.${name}: ${reason}`], reason);
  if (!status || there?.kind !== 'directory') {
    lose('', GONE, status ? 'it is not there any more' : 'its source is not there any more');
    return undefined;
  }
  const work = new ChildrenFirst(directoriesAtOnce(source, destination));
  let gone: string | undefined;
  const enter = ({ path, destination: present }: Pair) => {
    if (path === '' || present || (gone !== undefined && isWithin(`/${path}`, `/${gone}`))) return;
    gone = path;
    lose(path, GONE, 'it is not there any more, or could not be made');
  };
  const leave = async (pair: Pair) => {
    const present = pair.path === '' ? there : pair.destination;
    if (!present) return;
    await work.add(pair.path, async () => {
      const path = join(root.destination, pair.path);
      const attributes = { source: join(root.source, pair.path), status: pair.status, destination: path, present };
      const unkept = await settleDirectory(attributes, job.spec.options, source, destination, signal);
      if (unkept) report.add(path, unkept.names, unkept.reason);
    });
  };
  const lost = (pair: Pair, error: FanoutError) => lose(pair.path, NOT_LISTED, error.message);
  const trees = {
    source,
    root: root.source,
    destination: { storage: destination, root: root.destination, exists: true },
  };
  let stopped: WalkCursor | undefined;
  try {
    stopped = await walk(trees, status, { enter, leave, lost }, signal, { isOver, from });
  } finally {
    // Nothing is on its way when this settles.
    await work.rested();
  }
  await work.drained();
  return stopped;
}

function directoriesAtOnce(...storages: readonly Storage[]): number {
  return Math.max(1, Math.min(AT_ONCE, ...storages.map(({ maxConcurrency = AT_ONCE }) => maxConcurrency)));
}
