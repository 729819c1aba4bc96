import pLimit, { type LimitFunction } from 'p-limit';
import { Checkpoint } from '../checkpoint.ts';
import { FanoutError } from '../errors.ts';
import { NEWER_DIRECTORY, REFUSED_DIRECTORY, VANISHED_DIRECTORY } from '../job/ending.ts';
import { DIRECTORIES_DUE, DIRECTORIES_EQUAL } from '../job/outcome.ts';
import { livePath } from '../job/root.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { hasCode } from '../storage/errors.ts';
import { decorated } from '../storage/decorated.ts';
import { join, parentOf } from '../storage/path.ts';
import { kindOf } from '../preserve/losses.ts';
import type { Entry } from '../plan/entry.ts';
import { hiding, selection } from '../plan/selection.ts';
import { walk, type WalkCursor } from '../plan/walk.ts';
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

/** A directory's path at each end. */
interface DirectoryPaths {
  readonly source: string;
  /** The source's as it is now, where `source` is its image in a snapshot. */
  readonly live: string;
  readonly destination: string;
  /** Whether it is one that the job was asked to copy. */
  readonly isRoot: boolean;
  /** Whether it was made only if something was copied into it. */
  readonly isOptional: boolean;
}

/** Directories whose attributes are set at once, each with one request on its way. */
const AT_ONCE = 40;
/** Listings of the source that are asked for ahead besides. */
const LISTED_AHEAD = 64;
const NOT_LISTED = 'directory not listed';
const GONE = 'directory gone';

/**
 * Sets the directories' attributes, at the end, since everything that was written below them changed their times. Only what differs is sent:
 * the source is walked again, because nothing holds all paths. Safe to run again.
 *
 * @returns what was lost in all, or where it stopped
 */
export async function setDirectories(
  finishing: Finishing,
  from: DirectoriesPosition,
  checkpoint?: Checkpoint<DirectoriesPosition>,
): Promise<{ readonly losses: DirectoryLosses } | { readonly at: DirectoriesPosition }> {
  const { job, isOver, log } = finishing;
  const report = new DirectoryLossReport(from.losses, log);
  const { options } = job.spec;
  if (!options.preserve || options.filesOnly) return { losses: report.losses };
  if (isBeginning(from) && (await areAsPlanned(finishing))) return { losses: report.losses };
  for (let root = from.root; root < job.roots.length; root++) {
    const stopped = await setTree(finishing, root, root === from.root ? from.walk : undefined, report, checkpoint);
    if (stopped) return { at: { root, walk: stopped, losses: report.losses } };
    if (root + 1 === job.roots.length) break;
    const at = { root: root + 1, losses: report.losses };
    if (isOver()) return { at };
    if (checkpoint?.isDue) await checkpoint.keep(at);
  }
  return { losses: report.losses };
}

function isBeginning({ root, walk: at, losses }: DirectoriesPosition): boolean {
  return root === 0 && at === undefined && Object.keys(losses.warnings).length === 0;
}

/** Whether planning found all directories equal, and nothing was written into one since: no file was a copier's work, and nothing was deleted. */
async function areAsPlanned({ job: { id, planned = {}, expectedFiles }, store }: Finishing): Promise<boolean> {
  const isEqual = (planned[DIRECTORIES_EQUAL] ?? 0) > 0 && planned[DIRECTORIES_DUE] === undefined;
  if (!isEqual || expectedFiles !== (planned['files.skipped'] ?? 0)) return false;
  // Deletions were found in this finish, or in an earlier one.
  const deletes = (await store.get(id))?.deletes;
  return deletes === undefined || ('directories' in deletes && deletes.files + deletes.directories === 0);
}

/** @returns where the walk of the tree stopped before its end */
async function setTree(
  finishing: Finishing,
  index: number,
  from: WalkCursor | undefined,
  report: DirectoryLossReport,
  checkpoint: Checkpoint<DirectoriesPosition> | undefined,
): Promise<WalkCursor | undefined> {
  const { job, source, destination, signal, isOver } = finishing;
  const root = job.roots[index];
  if (root?.kind !== 'directory') return undefined;
  const status = await source.stat(root.source, signal);
  if (!status) {
    report.addReason(root.destination, GONE, 'its source is not there any more');
    return undefined;
  }
  const chosen = selection(job.spec.options, livePath(root), finishing.list);
  const most = requestsAtOnce(source, destination);
  const atOnce = Math.min(AT_ONCE, most);
  const work = new ChildrenFirst(atOnce);
  // What a cluster allows is allowed to listings and directories together.
  const request = pLimit(most);
  const leave = ({ path, source: listed }: Entry) =>
    work.add(path, async () => {
      const ends = {
        source: join(root.source, path),
        live: join(livePath(root), path),
        destination: join(root.destination, path),
      };
      const what = { isRoot: path === '', isOptional: chosen.isOptional(path) };
      if (listed) await request(() => setDirectory(finishing, { ...ends, ...what }, listed, report));
    });
  // Nothing but the source is listed: what is not found has vanished there.
  const lost = ({ path }: Entry, error: FanoutError) => {
    const name = hasCode(error, 'not-found') ? VANISHED_DIRECTORY : NOT_LISTED;
    report.addReason(join(root.destination, path), name, error.message, kindOf(error));
  };
  const trees = {
    source: { storage: listedWithin(request, finishing.narrowed?.source ?? source), root: root.source, status },
    // What stands at the destination is asked for directory by directory, many at once: its listings would hold all files.
    destination: { storage: destination, root: root.destination, status: undefined },
  };
  const kept =
    checkpoint &&
    new Checkpoint<WalkCursor>(async (at) => {
      await work.drained();
      await checkpoint.keep({ root: index, walk: at, losses: report.losses });
    });
  let stopped: WalkCursor | undefined;
  try {
    stopped = await walk(trees, { leave, lost, blocked: lost }, signal, {
      isOver,
      from,
      hides: hiding(chosen),
      checkpoint: kept,
      ahead: Math.min(LISTED_AHEAD, 2 * atOnce),
    });
  } finally {
    // Nothing is on its way when this settles.
    await work.rested();
  }
  await work.drained();
  return stopped;
}

async function setDirectory(
  { job, source, destination, signal }: Finishing,
  paths: DirectoryPaths,
  status: FileStatus,
  report: DirectoryLossReport,
): Promise<void> {
  const path = paths.destination;
  const isDirectory = async (at: string) => (await destination.stat(at, signal))?.kind === 'directory';
  try {
    const present = await destination.stat(path, signal);
    if (present?.kind === 'directory') {
      const directory = { ...paths, status, present };
      const unkept = await settleDirectory(directory, job.spec.options, source, destination, signal);
      if (unkept) report.add(path, unkept.names, unkept.reason);
    } else if (paths.isOptional && !paths.isRoot) {
      // Nothing was copied into it, or its files have failed.
      return;
    } else if (paths.isRoot || (await isDirectory(parentOf(path)))) {
      // Of a tree that is gone the uppermost directory tells for all.
      const isNewer = !paths.isRoot && status.modifiedAtMs >= job.startedAtMs;
      if (isNewer)
        report.addReason(path, NEWER_DIRECTORY, 'it is not there, and its source was changed after the job began');
      else report.addReason(path, GONE, 'it is not there any more, or could not be made');
    }
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    report.addReason(path, REFUSED_DIRECTORY, error.message, kindOf(error));
  }
}

/** Pages of listings included. */
function requestsAtOnce(...storages: readonly Storage[]): number {
  const own = AT_ONCE + LISTED_AHEAD;
  return Math.max(1, Math.min(own, ...storages.map(({ maxConcurrency = own }) => maxConcurrency)));
}

/** A storage each page of whose listings waits for its turn. */
function listedWithin(limit: LimitFunction, storage: Storage): Storage {
  return decorated(storage, {
    async *list(directory, signal, after) {
      const pages = storage.list(directory, signal, after)[Symbol.asyncIterator]();
      for (let page = await limit(() => pages.next()); !page.done; page = await limit(() => pages.next())) {
        yield page.value;
      }
    },
  });
}
