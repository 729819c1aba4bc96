import { FanoutError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import type { Rename } from '../job/snapshot.ts';
import type { JobOptions } from '../job/spec.ts';
import { isTemporary } from '../job/temporary.ts';
import { Once } from '../once.ts';
import { compareChecksums } from '../storage/checksum.ts';
import { isWithin, join } from '../storage/path.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import type { Renamed } from './changes.ts';
import { directoryOf } from './entry.ts';
import { Moves } from '../job/moves.ts';
import type { Selection } from './selection.ts';
import { hiddenBy } from './survey.ts';

const AT_ONCE = 40;
/** Where the user's trash lies in a home directory: it is nobody's to move. */
const TRASH = '.Trash';

/** Why a rename of the source is a copy and a deletion at the destination. */
const reasons = {
  many: 'more than 500 renames',
  chain: 'an earlier job did not succeed',
  existing: 'files that exist are not compared by content or time',
  mounts: 'other namespaces begin in the destination',
  server: "the destination's server may move what is renamed into a directory",
  hidden: 'filters',
  name: 'the destination does not take its new name',
  changed: 'the file has changed as well',
  other: 'the destination has something else under the old name',
  taken: 'its new name is taken',
  elsewhere: 'its new directory is not there',
  unknown: 'it could not be looked at',
} as const;

/** A source in two snapshots, and the destination as the job of the earlier one has left it. */
export interface Mirroring {
  readonly source: Storage;
  /** The tree in the earlier snapshot, and in the later one. */
  readonly before: string;
  readonly now: string;
  readonly destination: Storage;
  readonly root: string;
  readonly options: JobOptions;
  readonly selection: Selection;
  /** How many snapshots are looked at that are older than the later one. */
  readonly since: number;
}

/** What is renamed, in this order, and why the rest is not. */
export interface RenamePlan {
  readonly renames: readonly Rename[];
  readonly notRenamed: Readonly<Record<string, number>>;
}

/**
 * Which renames of the source can be made at the destination: of an entry that still is what the earlier snapshot has, to a name that nothing has, in
 * the directory that has it at the source. All else is copied and deleted, and so is what trades places. Nothing is changed.
 *
 * All at the new names is compared afterwards as anything else that has changed: what a rename moves wrongly costs a copy, and no file its content.
 *
 * @see Hadoop DistCpSync, which moves whatever has the name through a temporary directory
 */
export async function planRenames(
  mirroring: Mirroring,
  { renames, more }: Renamed,
  signal: AbortSignal,
): Promise<RenamePlan> {
  const counts = new Map<string, number>();
  const leave = (reason: string, many = 1) => void counts.set(reason, (counts.get(reason) ?? 0) + many);
  const told = (planned: readonly Rename[]) => ({ renames: planned, notRenamed: Object.fromEntries(counts) });
  if (more > 0) leave(reasons.many, more);
  if (renames.length === 0) return told([]);
  const why = await whyNone(mirroring, signal);
  if (why !== undefined) {
    leave(why, renames.length);
    return told([]);
  }
  const trees = new Trees(mirroring, signal);
  const candidates: Candidate[] = [];
  await forEach(renames, AT_ONCE, signal, async ({ path, target }) => {
    const found = await candidateOf(mirroring, trees, path, target).catch(unknown);
    if (typeof found === 'string') leave(found);
    else candidates.push(found);
  });
  const { planned, left } = await inOrder(trees, candidates);
  for (const reason of left) leave(reason);
  return told(planned);
}

async function whyNone(
  { destination, root, options, since }: Mirroring,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (since > 1) return reasons.chain;
  // Where another file of the same name is skipped or fails, a name that has been free until now is not the same.
  if (options.existing !== 'update' || options.compare === 'size') return reasons.existing;
  if (destination.isSpanned?.(root)) return reasons.mounts;
  return (await destination.replacesAtOnce?.(root, signal)) ? undefined : reasons.server;
}

interface Candidate extends Rename {
  readonly from: string;
}

/** @returns why it is copied and deleted, where it is */
async function candidateOf(mirroring: Mirroring, trees: Trees, from: string, to: string): Promise<Candidate | string> {
  const { destination, root } = mirroring;
  if (destination.names?.unwritable(join(root, to)) !== undefined) return reasons.name;
  const [before, now, there] = await Promise.all([trees.before(from), trees.now(to), trees.destination(from)]);
  if (!before || !now || before.kind !== now.kind || before.fileId === undefined || before.fileId !== now.fileId) {
    return reasons.unknown;
  }
  if (isHidden(mirroring, from, before) || isHidden(mirroring, to, now)) return reasons.hidden;
  if (there?.fileId === undefined || there.kind !== before.kind || there.isSnapshottable) return reasons.other;
  if (before.kind === 'directory') {
    const isHome = await trees.destination(join(from, TRASH));
    return isHome ? reasons.other : { from, to, fileId: there.fileId };
  }
  if (before.lengthBytes !== now.lengthBytes || before.modifiedAtMs !== now.modifiedAtMs) return reasons.changed;
  return (await trees.isSameFile(from, before, there)) ? { from, to, fileId: there.fileId } : reasons.other;
}

/** Of a directory, whether something in it may be hidden as well. */
function isHidden({ selection, options }: Mirroring, path: string, status: FileStatus): boolean {
  if (path.split('/').some(isTemporary)) return true;
  return hiddenBy(selection)(path, status) || (status.kind === 'directory' && hasFilters(options));
}

function hasFilters(options: JobOptions): boolean {
  const { include, exclude, filters, includePattern, minSize, maxSize, modifiedAfter, modifiedBefore } = options;
  return (
    [include, exclude, filters].some(({ length }) => length > 0) ||
    includePattern !== '*' ||
    minSize > 0 ||
    [maxSize, modifiedAfter, modifiedBefore].some((choice) => choice !== 'off')
  );
}

/** What stands in the trees before the first rename; each name is asked for once. */
class Trees {
  readonly #mirroring: Mirroring;
  readonly #signal: AbortSignal;
  readonly #asked = new Once<FileStatus | undefined>();

  constructor(mirroring: Mirroring, signal: AbortSignal) {
    this.#mirroring = mirroring;
    this.#signal = signal;
  }

  before(path: string): Promise<FileStatus | undefined> {
    const { source, before } = this.#mirroring;
    return this.#stat('before', source, join(before, path));
  }

  now(path: string): Promise<FileStatus | undefined> {
    const { source, now } = this.#mirroring;
    return this.#stat('now', source, join(now, path));
  }

  destination(path: string): Promise<FileStatus | undefined> {
    const { destination, root } = this.#mirroring;
    return this.#stat('destination', destination, join(root, path));
  }

  /** Whether the destination has what the earlier snapshot has: of one length and time, or by stored checksums. */
  async isSameFile(path: string, before: FileStatus, there: FileStatus): Promise<boolean> {
    const { source, destination, root } = this.#mirroring;
    if (before.lengthBytes !== there.lengthBytes) return false;
    if (before.lengthBytes === 0 || before.modifiedAtMs === there.modifiedAtMs) return true;
    if (before.encrypted || there.encrypted) return false;
    const length = before.lengthBytes;
    const [one, other] = await Promise.all([
      source.checksums?.stored(join(this.#mirroring.before, path), this.#signal, undefined, length),
      destination.checksums?.stored(join(root, path), this.#signal, undefined, length),
    ]);
    return one !== undefined && other !== undefined && compareChecksums(one, other) === 'equal';
  }

  #stat(tree: string, storage: Storage, path: string): Promise<FileStatus | undefined> {
    return this.#asked.of(`${tree} ${path}`, () => storage.stat(path, this.#signal));
  }
}

/** Takes what can be renamed until nothing more can: one rename may free the name of another, or bring its directory. */
async function inOrder(
  trees: Trees,
  candidates: readonly Candidate[],
): Promise<{ readonly planned: Rename[]; readonly left: string[] }> {
  const planned: Rename[] = [];
  const moves = new Moves();
  // A directory before what goes into it.
  let waiting = [...candidates].sort((a, b) => depthOf(a.to) - depthOf(b.to) || (a.to < b.to ? -1 : 1));
  let left: string[] = [];
  for (let made = -1; made < planned.length;) {
    made = planned.length;
    left = [];
    const targets = new Set(waiting.map(({ to }) => to));
    const still: Candidate[] = [];
    for (const candidate of waiting) {
      const from = moves.after(candidate.from);
      const { to } = candidate;
      const why = await whyNotYet(trees, moves, from, to, targets).catch(unknown);
      if (why === undefined) {
        const rename = { from, to, fileId: candidate.fileId };
        planned.push(rename);
        moves.add(rename);
        targets.delete(to);
      } else {
        still.push(candidate);
        left.push(why);
      }
    }
    waiting = still;
  }
  return { planned, left };
}

async function whyNotYet(
  trees: Trees,
  moves: Moves,
  from: string,
  to: string,
  targets: ReadonlySet<string>,
): Promise<string | undefined> {
  const origin = moves.before(to);
  if (origin !== undefined && (await trees.destination(origin))) return reasons.taken;
  if (isWithin(to, from)) return reasons.elsewhere;
  return (await isRightDirectory(trees, moves, directoryOf(to), targets)) ? undefined : reasons.elsewhere;
}

/**
 * Whether the destination has at this name the directory that the source has there, or nothing, and the source's is a new one: what is to be in that is
 * made as far as it is needed.
 *
 * @param targets  names that something is still to be renamed to
 */
async function isRightDirectory(
  trees: Trees,
  moves: Moves,
  path: string,
  targets: ReadonlySet<string>,
): Promise<boolean> {
  if (path === '') return true;
  const origin = moves.before(path);
  const [now, there, before] = await Promise.all([
    trees.now(path),
    origin === undefined ? undefined : trees.destination(origin),
    origin === undefined ? undefined : trees.before(origin),
  ]);
  if (now?.kind !== 'directory') return false;
  const isThatOne = before?.fileId === now.fileId;
  if (there) return there.kind === 'directory' && isThatOne;
  if (isThatOne || targets.has(path)) return false;
  return isRightDirectory(trees, moves, directoryOf(path), targets);
}

function depthOf(path: string): number {
  return path.split('/').length;
}

/** @throws what is no failure of one entry alone */
function unknown(error: unknown): string {
  if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
  return reasons.unknown;
}
