import { allOrAbort } from '../all-or-abort.ts';
import { FanoutError, RefusedError } from '../errors.ts';
import type { Pair } from '../job/pair.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Summary, VerifyLevel } from '../job/verification.ts';
import { attributeNames, chosenAttributes } from '../preserve/attributes.ts';
import type { Both, Entry } from '../plan/entry.ts';
import { missing } from '../plan/missing.ts';
import type { PathList } from '../plan/path-list.ts';
import { hiding, NOT_LISTED, type Selection, selection } from '../plan/selection.ts';
import { hiddenBy } from '../plan/survey.ts';
import { type Visitor, walk, type WalkCursor } from '../plan/walk.ts';
import { basename, join, parentOf } from '../storage/path.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { compareEntry, isUntold } from './compare-entry.ts';
import type { Comparisons } from './comparisons.ts';
import { comparable, needsAsking, type SharedEntry } from './drift.ts';
import type { Difference, Finding } from './finding.ts';
import type { Tally } from './tally.ts';

/** Two trees, or several pairs of them, and how closely to look. */
export interface Verifying {
  readonly source: Storage;
  readonly destination: Storage;
  readonly roots: readonly Pair[];
  /** What is chosen of the trees, and the attributes that are compared: those that a job with these options would carry over. */
  readonly options: JobOptions;
  readonly level: VerifyLevel;
  /** Whether what only the destination has is no difference, and is not even listed. */
  readonly oneWay: boolean;
  readonly list?: PathList | undefined;
  readonly comparisons: Comparisons;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** Told of each finding as it is found, in no order; awaited, so that a slow report slows the walk. */
  readonly onFinding: (finding: Finding) => Promise<void> | void;
  /** Takes over the files that are more than a look at both listings. Left out: they are compared while the walk goes on. */
  readonly defer?: (file: DeferredFile) => Promise<void>;
  /** Asked after each name of the walk. Default: it goes on to its end. */
  readonly isOver?: () => boolean;
}

/** A file that both sides have, to be compared elsewhere. */
export interface DeferredFile {
  /** Index of its pair of roots. */
  readonly root: number;
  /** Below the root. */
  readonly path: string;
  readonly status: FileStatus;
  readonly there: FileStatus;
}

/** Where a verification stopped. Plain JSON. */
export interface VerifyCursor {
  /** Index of the pair of roots that was being walked. */
  readonly root: number;
  readonly walk: WalkCursor;
  /** What is known of the directories that the walk is in, by their paths. */
  readonly open: readonly (readonly [string, Known])[];
  readonly hasNamesake: boolean;
  readonly hasShared: boolean;
}

/** Why an entry is left out that no copy would make. */
const NOT_REGULAR = 'not a regular file';
const TEMPORARY = 'temporary file of a copy';

/**
 * Holds destinations against their sources, changes nothing on either side and makes nothing there. Trees are walked side by side, and files are
 * compared while the walk goes on: memory does not grow with the trees.
 *
 * @throws RefusedError when the one source is not there, and what the listing of its root throws; what fails the job. Nothing is on its way by then
 */
export async function verifyTrees(verifying: Verifying): Promise<Summary> {
  if (await verifyStretch(verifying)) throw new Error('the verification stopped although nothing told it to');
  return verifying.tally.summary(verifying.level);
}

/**
 * A part of it: several stretches tell the same as one.
 * @param from  where an earlier stretch stopped
 * @returns where it stopped, if it did before the end
 */
export async function verifyStretch(verifying: Verifying, from?: VerifyCursor): Promise<VerifyCursor | undefined> {
  const { roots, comparisons, tally } = verifying;
  let stopped: VerifyCursor | undefined;
  try {
    for (const [index, root] of roots.entries()) {
      if (from && index < from.root) continue;
      try {
        stopped = await new RootVerification(verifying, index, root, from?.root === index ? from : undefined).run();
      } catch (error) {
        // Of many pairs, one that cannot be looked at hides nothing of the others.
        if (roots.length === 1 || !(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
        const found = { type: 'unknown', reason: error.message, ...root } as const;
        tally.find(found);
        await verifying.onFinding(found);
      }
      if (stopped) break;
    }
  } catch (error) {
    comparisons.abandon(error);
  }
  // What is known of a directory is what its comparison says.
  await comparisons.settled();
  return stopped;
}

/** What is known so far of a file or directory that both sides have. */
interface Known {
  /** Whether all of a directory was listed. Nothing is of a file. */
  isListed: boolean;
  /** Whether all that was compared of it is alike. */
  isAlike: boolean;
  /** Whether it was told of it that something could not be: once is enough. */
  isUntold: boolean;
}

/** One pair of roots. */
class RootVerification {
  readonly #of: Verifying;
  readonly #index: number;
  readonly #root: Pair;
  readonly #from: VerifyCursor | undefined;
  readonly #chosen: ReturnType<typeof comparable>;
  /** Directories of both sides that the walk is in, by their paths. */
  readonly #open: Map<string, Known>;
  /** Whether the destination alone has a directory of the source's own name. */
  #hasNamesake: boolean;
  /** Whether both sides have some file. */
  #hasShared: boolean;

  constructor(verifying: Verifying, index: number, root: Pair, from: VerifyCursor | undefined) {
    this.#of = verifying;
    this.#index = index;
    this.#root = root;
    this.#from = from;
    this.#open = new Map(from?.open);
    this.#hasNamesake = from?.hasNamesake ?? false;
    this.#hasShared = from?.hasShared ?? false;
    const { source, destination, options, tally } = verifying;
    this.#chosen = comparable(chosenAttributes(options), source, destination);
    const lacking = attributeNames.filter((name) => options.attributes.includes(name) && !this.#chosen.has(name));
    if (lacking.length > 0) tally.note(`of ${lacking.join(', ')} the local disk keeps nothing: not compared`);
  }

  /** @returns where it stopped */
  async run(): Promise<VerifyCursor | undefined> {
    const { source, destination, options, list, signal, roots, tally, isOver } = this.#of;
    const { source: from, destination: to } = this.#root;
    const [status, there] = await allOrAbort(signal, [
      (both) => source.stat(from, both),
      (both) => destination.stat(to, both),
    ]);
    if (!status || status.kind === 'other') {
      const what = `${source.name}:${from} is ${status ? 'neither a file nor a directory' : 'not there'}`;
      const refusal = new RefusedError(what, 'check the path with hdfs dfs -ls');
      if (roots.length === 1) throw refusal;
      await this.#find('', { type: 'unknown', reason: refusal.message });
      return undefined;
    }
    if (there && there.kind !== status.kind) {
      if (there.kind === 'directory') this.#noteInto();
      await this.#find('', typesOf(status, there));
      return undefined;
    }
    if (status.kind === 'file') {
      await this.#rootFile(status, there);
      return undefined;
    }
    if (there && roots.length === 1 && from === to && areMaybeOne(status, there))
      tally.note(
        `${source.name}:${from} and ${destination.name}:${to} may be one and the same: both have one inode and time`,
      );
    const chosen = selection(options, from, list);
    const visitor = this.#visitor(chosen);
    const stopped = await walk(
      {
        source: { storage: source, root: from, status },
        destination: { storage: destination, root: to, status: there },
      },
      list ? missing(visitor, list, (path) => this.#find(path, { type: 'unknown', reason: NOT_THERE })) : visitor,
      signal,
      { hides: hiding(chosen), ...(isOver ? { isOver } : {}), from: this.#from?.walk },
    );
    if (stopped) return this.#cursor(stopped);
    if (this.#hasNamesake && !this.#hasShared) this.#noteInto();
    return undefined;
  }

  /** What is known of the directories is still written to while their comparisons are on their way. */
  #cursor(stopped: WalkCursor): VerifyCursor {
    const [root, hasNamesake, hasShared] = [this.#index, this.#hasNamesake, this.#hasShared];
    return { root, walk: stopped, open: [...this.#open], hasNamesake, hasShared };
  }

  async #rootFile(status: FileStatus, there: FileStatus | undefined): Promise<void> {
    const { source: from } = this.#root;
    const chosen = selection(this.#of.options, parentOf(from));
    const why = chosen.hides(basename(from), status.kind) ?? chosen.leavesOut(status);
    if (why !== undefined) return this.#of.tally.leaveOut(why);
    const root = { path: '', name: '', source: status };
    return there ? this.#both({ ...root, destination: there }) : this.#absent('missing', '', status);
  }

  /** What is likely to be meant where a copy went into a directory that was there. */
  #noteInto(): void {
    const { source, destination, roots } = this.#of;
    if (roots.length > 1) return;
    const { source: from, destination: to } = this.#root;
    const meant = `${source.name}:${from} ${destination.name}:${join(to, basename(from))}`;
    this.#of.tally.note(`a copy into an existing directory goes below it: hdfs-fanout verify ${meant}`);
  }

  #visitor(chosen: Selection): Visitor {
    const { tally, oneWay } = this.#of;
    const isHidden = hiddenBy(chosen);
    const isNoLoss = (path: string, kind: FileStatus['kind']) =>
      path !== '' && kind === 'directory' && chosen.isOptional(path);
    const extra: Visitor['destinationOnly'] = async ({ path, destination }) => {
      if (isHidden(path, destination)) {
        tally.leaveOut((destination.kind === 'file' && chosen.leavesOut(destination)) || 'filters');
        return undefined;
      }
      if (path === basename(this.#root.source) && destination.kind === 'directory') this.#hasNamesake = true;
      if (!isNoLoss(path, destination.kind)) await this.#absent('extra', path, destination);
      return 'walk';
    };
    return {
      sourceOnly: async ({ path, source }) => {
        if (!isNoLoss(path, source.kind)) await this.#absent('missing', path, source);
      },
      both: (entry) => this.#both(entry),
      ...(oneWay ? {} : { destinationOnly: extra }),
      temporary: () => tally.leaveOut(TEMPORARY),
      hidden: (_, why) => {
        if (why !== NOT_LISTED) tally.leaveOut(why);
      },
      // Nothing below it is walked.
      blocked: async ({ path, source, destination }, error) => {
        if (destination && destination.kind !== 'directory') return this.#find(path, typesOf(source, destination));
        if (destination) return this.#find(path, { type: 'unknown', reason: error.message });
        return this.#absent('missing', path, source);
      },
      leave: ({ path, source }: Entry) => {
        const known = this.#close(path);
        if (!known || !source) return;
        known.isListed = true;
        this.#countAlike(source, known);
      },
      lost: ({ path }: Entry, error) => this.#find(path, { type: 'unknown', reason: error.message }, this.#close(path)),
    };
  }

  /** @param status  of the side that has it */
  async #absent(type: 'missing' | 'extra', path: string, status: FileStatus): Promise<void> {
    const { kind, lengthBytes, refusal } = status;
    if (refusal !== undefined) return this.#find(path, { type: 'unknown', reason: refusal });
    if (type === 'missing' && kind === 'other') return this.#of.tally.leaveOut(NOT_REGULAR);
    return this.#find(path, { type, kind, bytes: lengthBytes });
  }

  async #both({ path, source: status, destination: there }: Both): Promise<void> {
    const refusal = status.refusal ?? there.refusal;
    if (refusal !== undefined) return this.#find(path, { type: 'unknown', reason: refusal });
    if (status.kind !== there.kind) return this.#find(path, typesOf(status, there));
    if (status.kind === 'other') return this.#of.tally.leaveOut(NOT_REGULAR);
    const { source, destination, level, comparisons, signal, defer } = this.#of;
    const isFile = status.kind === 'file';
    this.#hasShared ||= isFile;
    const isAsked = (level !== 'size' && isFile) || needsAsking(this.#chosen, status, there);
    if (isAsked && isFile && defer) return defer({ root: this.#index, path, status, there });
    const places = this.#placesOf(path);
    const entry = {
      source,
      sourcePath: places.source,
      status,
      destination,
      destinationPath: places.destination,
      there,
    };
    const known: Known = { isListed: isFile, isAlike: false, isUntold: false };
    if (!isFile) this.#open.set(path, known);
    if (isAsked) await comparisons.add((both) => this.#compare(path, entry, known, both));
    else await this.#compare(path, entry, known, signal);
  }

  async #compare(path: string, entry: SharedEntry, known: Known, signal: AbortSignal): Promise<void> {
    const { tally, level } = this.#of;
    const { status } = entry;
    const { proof, differences } = await compareEntry(entry, level, this.#chosen, signal);
    if (status.kind === 'file') tally.compare(status.lengthBytes);
    if (proof !== undefined) tally.prove(proof);
    known.isAlike = differences.length === 0;
    for (const difference of differences) await this.#find(path, difference, known);
    this.#countAlike(status, known);
  }

  /** Of a directory, the comparison may end before its listing or after it. */
  #countAlike(status: FileStatus, { isListed, isAlike }: Known): void {
    if (isListed && isAlike) this.#of.tally.alike(status);
  }

  #close(path: string): Known | undefined {
    const known = this.#open.get(path);
    this.#open.delete(path);
    return known;
  }

  async #find(path: string, found: Difference, known?: Known): Promise<void> {
    if (isUntold(found)) {
      if (known?.isUntold) return;
      if (known) known.isUntold = true;
    }
    this.#of.tally.find(found);
    await this.#of.onFinding({ ...found, ...this.#placesOf(path) });
  }

  #placesOf(path: string): Pair {
    return { source: join(this.#root.source, path), destination: join(this.#root.destination, path) };
  }
}

const NOT_THERE = 'the list names it, and the source has no such file';

/** Two aliases of one cluster show one directory: what is found equal then proves nothing. */
function areMaybeOne(one: FileStatus, other: FileStatus): boolean {
  return one.fileId !== undefined && one.fileId === other.fileId && one.modifiedAtMs === other.modifiedAtMs;
}

function typesOf(source: FileStatus, destination: FileStatus): Difference {
  return { type: 'different', by: 'type', sourceKind: source.kind, destinationKind: destination.kind };
}
