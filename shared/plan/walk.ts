import type { Checkpoint } from '../checkpoint.ts';
import { FanoutError } from '../errors.ts';
import type { FileStatus } from '../storage/storage.ts';
import { join } from '../storage/path.ts';
import { isTemporary } from '../job/temporary.ts';
import { type Both, type DestinationOnly, type Entry, entryOf, type SourceEntry, type SourceOnly } from './entry.ts';
import { Level, Listings, type Tree } from './level.ts';

/** The trees to walk, with what stands at their roots. */
export interface Trees {
  readonly source: Tree & { readonly status: FileStatus };
  /** Left out when only the source is of interest. Where nothing stands at its root, nothing is listed there. */
  readonly destination?: Tree & { readonly status: FileStatus | undefined };
}

/**
 * What a walk tells, each name once: the directory first, then what is in it. A directory that the source has is walked; the roots come
 * once the source's could be listed.
 */
export interface Visitor {
  sourceOnly?(entry: SourceOnly): Promise<void> | void;
  /** Also for a file of the source where a directory stands at the destination; that directory is not walked. */
  both?(entry: Both): Promise<void> | void;
  /**
   * Asked for by being there: without it, the destination is listed no further than the source needs. A name comes only once the
   * source's listing has gone past it, so that nothing comes of a directory that could not be listed so far.
   *
   * @returns `walk` for a directory whose content is to be given too, name by name
   */
  destinationOnly?(entry: DestinationOnly): Promise<'walk' | undefined> | 'walk' | undefined;
  /**
   * Asked of each name below the roots that is neither hidden nor temporary, before anything is told of it: what it is to be taken for, which is
   * itself by default, or itself without what one side has; nothing where the walk is to pass it by.
   */
  takenFor?(entry: Entry): Entry | undefined;
  /** What has the name of a temporary file, on whichever side: it is no other visitor's, and nothing below it is walked. */
  temporary?(entry: Entry): Promise<void> | void;
  /** In place of all others: what `hides` has hidden, on whichever side, and nothing below it is walked. @param why  what `hides` said */
  hidden?(entry: Entry, why: string): Promise<void> | void;
  /** After everything in a directory that was walked. */
  leave?(directory: Entry): Promise<void> | void;
  /** In place of the others: a directory of the source that cannot be one at the destination, where a file stands in its place or its name is refused. */
  blocked?(directory: SourceEntry, error: FanoutError): Promise<void> | void;
  /** In place of `leave`: a directory below the root whose listing was refused, or that vanished. Some of its names may have been given. */
  lost?(directory: Entry, error: FanoutError): Promise<void> | void;
  /**
   * A directory that an earlier stretch visited and did not leave; from the root down, before anything else.
   * @param after  the last name in it that was given
   */
  again?(directory: Entry, after?: string): Promise<void> | void;
}

/**
 * Where a walk stopped: the directories that were visited and not left, from the root down, each with the last name that was given in
 * it. Plain JSON, of a size that grows with the depth alone.
 */
export interface WalkCursor {
  readonly open: readonly {
    readonly name: string;
    readonly source?: FileStatus | undefined;
    readonly destination?: FileStatus | undefined;
    readonly after?: string | undefined;
  }[];
}

/** Deep trees do not wait for one answer after the other, and a namenode hardly notices. */
const AHEAD = 16;

/** What of the trees to walk, when to stop, and where an earlier walk stopped. */
export interface Stretch {
  /** Why the walk has nothing to do with an entry, as a word for the visitor; undefined when it has. Pure. */
  readonly hides?: (entry: Entry) => string | undefined;
  /** Asked after each name. */
  readonly isOver?: () => boolean;
  readonly from?: WalkCursor | undefined;
  /** Told, when it is due, where another walk would go on. This one goes on with its open listings. */
  readonly checkpoint?: Checkpoint<WalkCursor> | undefined;
  /** First pages of the source's directories that are asked for ahead, over the whole walk; half of them of one directory's children. */
  readonly ahead?: number;
}

/** Levels whose listings are kept open. Those above are listed anew when the walk comes back to them: few trees are deeper. */
const OPEN_LEVELS = 50;

/**
 * Visits two trees side by side, depth first, names in the order of the source's storage, so that the order is always the same and
 * both listings merge as sorted streams. Holds a page of each listing for the innermost levels, never a whole directory (but see `listedIn`).
 *
 * @param stretch  a part of the walk: a walk in several stretches visits the same as one in a single one
 * @returns where it stopped, or undefined when it came to its end
 * @throws what the listing of a root throws, and what the visitor throws
 */
export async function walk(
  trees: Trees,
  visitor: Visitor,
  signal: AbortSignal,
  { hides = () => undefined, isOver = () => false, from, checkpoint, ahead = AHEAD }: Stretch = {},
): Promise<WalkCursor | undefined> {
  const wanted = visitor.destinationOnly ? 'all' : 'left';
  const isWalked = (entry: Entry) => !isTemporary(entry.name) && hides(entry) === undefined;
  const listings = new Listings(trees.source, trees.destination, wanted, isWalked, ahead, signal);
  const stack = from ? await reopened(from, listings, visitor) : [await rootLevel(trees, listings, visitor)];
  for (let level = stack.at(-1); level; level = stack.at(-1)) {
    signal.throwIfAborted();
    let entry: Entry | undefined;
    try {
      entry = await level.next();
    } catch (error) {
      if (!(error instanceof FanoutError) || error.disposition === 'fail-job' || stack.length === 1) throw error;
      stack.pop()?.close();
      await visitor.lost?.(level.directory, error);
      continue;
    }
    if (!entry) {
      stack.pop()?.close();
      await visitor.leave?.(level.directory);
    } else {
      const directory = await visit(entry, trees, visitor, hides);
      if (directory) {
        stack.push(level.descend(directory));
        stack.at(-1 - OPEN_LEVELS)?.close();
      }
    }
    // After a name, never before the first: each stretch gets somewhere.
    if (stack.length === 0) continue;
    if (isOver()) return cursorOf(stack);
    if (checkpoint?.isDue) await checkpoint.keep(cursorOf(stack));
  }
  return undefined;
}

async function rootLevel({ source, destination }: Trees, listings: Listings, visitor: Visitor): Promise<Level> {
  const root = entryOf('', '', source.status, destination?.status);
  const listing = listings.ofSource('');
  await listing.ready();
  await give(root, visitor);
  return new Level(root, listings, listing);
}

async function reopened({ open }: WalkCursor, listings: Listings, visitor: Visitor): Promise<Level[]> {
  let path = '';
  const levels: Level[] = [];
  for (const { name, source, destination, after } of open) {
    const directory = entryOf(path, name, source, destination);
    ({ path } = directory);
    await visitor.again?.(directory, after);
    levels.push(new Level(directory, listings, undefined, after));
  }
  return levels;
}

function cursorOf(stack: readonly Level[]): WalkCursor {
  return {
    open: stack.map(({ directory: { name, source, destination }, after }) => ({ name, source, destination, after })),
  };
}

/** @returns the directory that the walk goes on into, as what it was taken for */
async function visit(
  named: Entry,
  trees: Trees,
  visitor: Visitor,
  hides: NonNullable<Stretch['hides']>,
): Promise<Entry | undefined> {
  const why = hides(named);
  if (why !== undefined) {
    await visitor.hidden?.(named, why);
    return undefined;
  }
  if (isTemporary(named.name)) {
    await visitor.temporary?.(named);
    return undefined;
  }
  const entry = visitor.takenFor ? visitor.takenFor(named) : named;
  if (!entry) return undefined;
  if (!entry.source) {
    const isWalked = (await visitor.destinationOnly?.(entry)) === 'walk';
    return isWalked && entry.destination.kind === 'directory' ? entry : undefined;
  }
  const error = blockOf(entry, trees);
  if (error) {
    await visitor.blocked?.(entry, error);
    return undefined;
  }
  await give(entry, visitor);
  return entry.source.kind === 'directory' ? entry : undefined;
}

async function give(entry: SourceEntry, visitor: Visitor): Promise<void> {
  await (entry.destination ? visitor.both?.(entry) : visitor.sourceOnly?.(entry));
}

/** Why a directory cannot be one at the destination, as far as that is known without trying. */
function blockOf(entry: SourceEntry, { destination }: Trees): FanoutError | undefined {
  const { path, source, destination: there } = entry;
  if (source.kind !== 'directory') return undefined;
  const refusal = destination?.storage.names?.unwritable(join(destination.root, path));
  if (refusal !== undefined) return new BlockedError(path, refusal, 'rename it at the source');
  if (there && there.kind !== 'directory')
    return new BlockedError(
      path,
      'a file stands where it is needed',
      'remove it; --exact --delete does, unless it has to be kept',
    );
  return undefined;
}

/** A directory that cannot be made. */
class BlockedError extends FanoutError {
  override readonly name = 'BlockedError';
  constructor(path: string, reason: string, remedy: string) {
    super(reason, { disposition: 'fail-unit', where: { operation: 'MKDIRS', path }, remedy });
  }
}
