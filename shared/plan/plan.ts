import pLimit from 'p-limit';
import { FanoutError } from '../errors.ts';
import type { Stripe } from '../storage/checksum.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { basename, join, parentOf } from '../storage/path.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { favoursGroup } from '../storage/acl.ts';
import { attributesOf, chosenAttributes, sameAttributes } from '../preserve/attributes.ts';
import { decide, type Decision } from '../job/decide.ts';
import { nameMatcher } from '../storage/pattern.ts';
import type { Root } from '../job/root.ts';
import { isTemporary } from '../job/temporary.ts';
import { type Pair, walk, type WalkCursor } from './walk.ts';
import type { Batch, FileUnit } from '../job/unit.ts';
import { Packer, type PackerState } from './packer.ts';
import type { JobOptions } from '../job/spec.ts';

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
  /** Asked between two entries; planning then stops with a cursor. Default: never. */
  readonly isOver?: () => boolean;
  /** Where an earlier invocation stopped. */
  readonly from?: PlanCursor | undefined;
}

export interface Expected {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
}

/** What planning stopped with: everything that a next invocation needs to go on as if it had never stopped. Plain JSON. */
export interface PlanCursor {
  /** Index of the root that was being walked. */
  readonly root: number;
  readonly walk: WalkCursor;
  /** Whether the root stood at the destination before this job. */
  readonly existed: boolean;
  readonly packer: PackerState;
  readonly flattened: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

/** What a directory gives to new files in it. */
interface Given {
  readonly stripe: Stripe | undefined;
  readonly group: string;
  /** Whether it may have a default ACL. */
  readonly hasAcl: boolean;
  readonly ecPolicy: string | undefined;
}

const nothing: Given = { stripe: undefined, group: '', hasAcl: false, ecPolicy: undefined };

function givenBy({ stripe, group, hasAcl, ecPolicy }: FileStatus): Given {
  return { stripe, group, hasAcl, ecPolicy };
}

/** Directories made at once. Siblings need not wait for each other. */
const DIRECTORIES_AT_ONCE = 8;
/** Closed to others until their own permission is set, at the very end. */
const CLOSED = '700';

/**
 * Walks the roots, makes the directories and emits every file as a unit of some batch, refused and skipped ones
 * included, so that each ends with an outcome that is counted once. Memory does not grow with the tree.
 *
 * Safe to run again from the start: the same trees give the same batches.
 *
 * @returns what was planned in all, or the cursor to go on with
 * @throws fail-job errors: a root that cannot be listed, a destination root that cannot be written
 */
export async function planStretch(planning: Planning): Promise<Expected | { readonly cursor: PlanCursor }> {
  return new Planner(planning).run();
}

/** The whole plan in one go. */
export async function plan(planning: Omit<Planning, 'isOver' | 'from'>): Promise<Expected> {
  const planned = await planStretch(planning);
  if ('cursor' in planned) throw new Error('planning stopped although nothing told it to');
  return planned;
}

class Planner {
  readonly #planning: Planning;
  readonly #packer: Packer;
  readonly #included: (name: string) => boolean;
  readonly #limit = pLimit(DIRECTORIES_AT_ONCE);
  /** Directories on their way, so that a child waits for its parent. */
  readonly #made = new Map<string, Promise<void>>();
  /** What the destination's directories give to new files; those not in here, what their parents give. */
  readonly #givers = new Map<string, Given>();
  /** Base names taken by flattened files: they all lie in one directory. */
  readonly #flattened: Set<string>;
  #files: number;
  #bytes: number;
  /** The batches on their way: a directory that cannot be made adds a unit while the walk adds others. */
  #emitted: Promise<void> = Promise.resolve();

  constructor(planning: Planning) {
    this.#planning = planning;
    const { from } = planning;
    this.#packer = new Packer(from?.packer);
    this.#flattened = new Set(from?.flattened);
    this.#files = from?.files ?? 0;
    this.#bytes = from?.bytes ?? 0;
    const { includePattern } = planning.options;
    this.#included = includePattern === '*' ? () => true : nameMatcher(includePattern, 'all');
  }

  async run(): Promise<Expected | { readonly cursor: PlanCursor }> {
    const { roots, from, destination, signal } = this.#planning;
    if (roots[0] && this.#planning.makeDirectories) await destination.names?.learn?.(roots[0].destination, signal);
    for (const [index, root] of roots.entries()) {
      if (from && index < from.root) continue;
      const unwritable = destination.names?.unwritable(root.destination);
      if (unwritable !== undefined) {
        // What is below a directory is in no batch.
        await this.#add(index, '', missing(root.source), { kind: 'fail', reason: unwritable, lasting: true });
        continue;
      }
      const stopped = await (root.kind === 'file' ? this.#planFile(index, root) : this.#planDirectory(index, root));
      if (stopped) {
        await Promise.all(this.#made.values());
        await this.#emitted;
        const [files, bytes, packer] = [this.#files, this.#bytes, this.#packer.state];
        return { cursor: { root: index, ...stopped, packer, flattened: [...this.#flattened], files, bytes } };
      }
    }
    const last = this.#packer.flush();
    if (last) await this.#emit(last);
    return { files: this.#files, bytes: this.#bytes, batches: this.#packer.state.next };
  }

  async #planFile(index: number, root: Root): Promise<undefined> {
    const { source, destination, signal } = this.#planning;
    const status = await source.stat(root.source, signal);
    if (!status) {
      await this.#add(index, '', missing(root.source), { kind: 'fail', reason: 'it vanished before it was copied' });
      return;
    }
    if (this.#planning.makeDirectories) await this.#writable(parentOf(root.destination));
    await this.#findGiver(parentOf(root.destination));
    const there = await destination.stat(root.destination, signal);
    await this.#file(index, { path: '', status: { ...status, name: basename(root.source) }, destination: there });
  }

  /** @returns where it stopped, if it did */
  async #planDirectory(index: number, root: Root): Promise<Pick<PlanCursor, 'walk' | 'existed'> | undefined> {
    const { source, destination, options, signal, isOver } = this.#planning;
    const from = this.#planning.from?.root === index ? this.#planning.from : undefined;
    const [status, there] = await allOrAbort(signal, [
      (both) => source.stat(root.source, both),
      (both) => destination.stat(root.destination, both),
    ]);
    if (!status) {
      await this.#add(index, '', missing(root.source), {
        kind: 'fail',
        reason: 'it vanished before it was copied (copy again what is there now)',
        lasting: true,
      });
      return;
    }
    if (there) this.#givers.set(root.destination, givenBy(there));
    else await this.#findGiver(root.destination);
    for (const { directory } of from?.walk.open ?? []) this.#enter(root, directory);
    // Not what an earlier invocation made: that would be compared with itself.
    const exists = from?.existed ?? there !== undefined;
    const stopped = await walk(
      {
        source,
        root: root.source,
        ...(options.filesOnly ? {} : { destination: { storage: destination, root: root.destination, exists } }),
      },
      status,
      {
        enter: (directory) => {
          this.#enter(root, directory);
          return directory.path === ''
            ? this.#makeRoot(root, status, exists)
            : this.#makeDirectory(index, root, directory);
        },
        file: (pair) => (options.filesOnly ? this.#flatFile(index, root, pair) : this.#file(index, pair)),
        leave: async ({ path }) => {
          const directory = join(root.destination, path);
          await this.#made.get(directory);
          this.#made.delete(directory);
          if (path !== '') this.#givers.delete(directory);
        },
        lost: ({ path, status: lost }, error) => this.#add(index, path, { ...lost, lengthBytes: 0 }, notWalked(error)),
      },
      signal,
      { ...(isOver ? { isOver } : {}), from: from?.walk },
    );
    return stopped && { walk: stopped, existed: exists };
  }

  #enter(root: Root, { path, destination: there }: Pair): void {
    if (there) this.#givers.set(join(root.destination, path), givenBy(there));
  }

  /** Of a directory that may not be there yet: it will be as the nearest one above it that is. */
  async #findGiver(directory: string): Promise<void> {
    const { destination, signal } = this.#planning;
    let above = directory;
    while (!this.#givers.has(above)) {
      const status = await destination.stat(above, signal);
      if (status || above === '/') this.#givers.set(above, status ? givenBy(status) : nothing);
      else above = parentOf(above);
    }
  }

  #givenIn(directory: string): Given {
    let above = directory;
    while (above !== '/' && !this.#givers.has(above)) above = parentOf(above);
    return this.#givers.get(above) ?? nothing;
  }

  /** Awaited: it decides whether the job can go on at all. */
  async #makeRoot(root: Root, status: FileStatus, exists: boolean): Promise<void> {
    if (!this.#planning.makeDirectories) return;
    if (exists) await this.#writable(root.destination);
    else await atRoot(this.#make(root.destination, status));
  }

  /**
   * Makes a directory, with the source's erasure coding policy where that was asked for: a policy is for the files that are made after it.
   * One that is refused is counted when the job finishes, where it is set again.
   */
  #make(directory: string, status: FileStatus): Promise<void> {
    const { destination, options, signal } = this.#planning;
    const making = destination.makeDirectory(directory, this.#permission(status), signal);
    const given = this.#givenIn(directory);
    const { ecPolicy, stripe } = status;
    const differs = ecPolicy !== undefined && given.ecPolicy !== undefined && ecPolicy !== given.ecPolicy;
    if (!differs || !chosenAttributes(options).has('ecpolicy')) return making;
    this.#givers.set(directory, { ...given, ecPolicy, stripe });
    return making.then(async () => {
      try {
        await destination.hadoop?.setErasureCodingPolicy(directory, ecPolicy, signal);
      } catch (error) {
        if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
        this.#givers.set(directory, given);
      }
    });
  }

  #makeDirectory(index: number, root: Root, { path, status, destination: there }: Pair): void {
    const { options, makeDirectories } = this.#planning;
    if (there || options.filesOnly || !makeDirectories) return;
    const directory = join(root.destination, path);
    const parent = this.#made.get(parentOf(directory)) ?? Promise.resolve();
    const making = parent.then(() => this.#limit(() => this.#make(directory, status)));
    const made = making.catch(async (error: unknown) => {
      if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
      await this.#add(index, path, { ...status, lengthBytes: 0 }, notWalked(error));
    });
    made.catch(() => undefined);
    this.#made.set(directory, made);
  }

  #permission(status: FileStatus): string | undefined {
    const chosen = chosenAttributes(this.#planning.options);
    const isSet = chosen.has('permission') || chosen.has('acl');
    return isSet && status.kind === 'directory' ? CLOSED : undefined;
  }

  async #flatFile(index: number, root: Root, pair: Pair): Promise<void> {
    const { destination, signal } = this.#planning;
    const { name } = pair.status;
    if (!this.#wanted(pair.status)) return;
    if (this.#flattened.has(name)) {
      return this.#add(index, pair.path, pair.status, {
        kind: 'fail',
        reason: `another source file is named ${name}`,
        lasting: true,
      });
    }
    this.#flattened.add(name);
    const unwritable = destination.names?.unwritable(join(root.destination, name));
    if (unwritable !== undefined) return this.#add(index, pair.path, pair.status, { kind: 'fail', reason: unwritable });
    const there = await destination.stat(join(root.destination, name), signal);
    await this.#file(index, { ...pair, destination: there }, name);
  }

  #wanted(status: FileStatus): boolean {
    return this.#included(status.name) && status.lengthBytes >= this.#planning.options.minSize;
  }

  async #file(index: number, { path, status, destination: there }: Pair, to?: string): Promise<void> {
    if (!this.#wanted(status)) return;
    await this.#add(index, path, status, this.#decision(index, path, status, there, to), to, there);
  }

  #decision(index: number, path: string, status: FileStatus, there: FileStatus | undefined, to = path): Decision {
    const { destination, roots, options } = this.#planning;
    // One that is named by itself is wanted.
    if (path !== '' && isTemporary(status.name)) return { kind: 'skip', reason: 'temporary file of a copy' };
    const decision = decide(status, there, options);
    if (status.kind !== 'file') return decision;
    const unwritable = destination.names?.unwritable(join(roots[index]?.destination ?? '/', to));
    return unwritable === undefined ? decision : { kind: 'fail', reason: unwritable };
  }

  async #add(
    root: number,
    path: string,
    status: FileStatus,
    decision: Decision,
    to?: string,
    there?: FileStatus,
  ): Promise<void> {
    const { destination } = this.#planning.roots[root] ?? {};
    const given = destination === undefined ? nothing : this.#givenIn(parentOf(join(destination, to ?? path)));
    const unit: FileUnit = {
      kind: 'file',
      root,
      path,
      ...(to !== undefined && to !== path ? { flatName: to } : {}),
      lengthBytes: status.lengthBytes,
      modifiedAtMs: status.modifiedAtMs,
      blockBytes: status.blockBytes,
      decision: decision.kind,
      ...(decision.reason ? { reason: decision.reason } : {}),
      ...(decision.lasting ? { lasting: true } : {}),
      ...(status.encrypted ? { encrypted: true } : {}),
      ...(status.stripe ? { stripe: status.stripe } : {}),
      ...(given.stripe ? { newStripe: given.stripe } : {}),
      ...(there?.fileId === undefined ? {} : { replaces: there.fileId }),
      ...this.#attributes(status, decision, there, given),
    };
    this.#files += 1;
    this.#bytes += status.lengthBytes;
    const full = this.#packer.add(unit);
    if (full) await this.#emit(full);
  }

  #emit(batch: Batch): Promise<void> {
    this.#emitted = this.#emitted.then(() => this.#planning.emit(batch));
    return this.#emitted;
  }

  /** What the copier needs to set attributes with, and not more: 50 million of these stand in a manifest. */
  #attributes(
    status: FileStatus,
    { lasting }: Decision,
    there: FileStatus | undefined,
    given: Given,
  ): Partial<FileUnit> {
    const { options, destination } = this.#planning;
    if (lasting || status.kind !== 'file') return {};
    const attributes = options.preserve ? attributesOf(status) : undefined;
    const stands = there && attributesOf(there);
    const asked = options.attributes.includes('xattr');
    const chosen = chosenAttributes(options);
    const access = chosen.has('permission') || chosen.has('acl') ? attributes : stands;
    const inherits = given.hasAcl;
    const strangers = access !== undefined && favoursGroup(access.permission) && access.group !== given.group;
    return {
      ...(attributes ? { attributes } : {}),
      ...(stands && (asked || !attributes || !sameAttributes(attributes, stands)) ? { stands } : {}),
      ...(inherits ? { inherits } : {}),
      ...(destination.hadoop && access && (access.hasAcl || inherits || strangers) ? { closed: true } : {}),
    };
  }

  async #writable(directory: string): Promise<void> {
    const { destination, signal } = this.#planning;
    await atRoot(Promise.resolve(destination.requireWritable?.(directory, signal)));
  }
}

/** What is below a directory that was not walked, or has nowhere to go, is in no batch: only another plan finds it. */
function notWalked(error: FanoutError): Decision {
  return {
    kind: 'fail',
    reason: `directory: ${error.message}; then copy again: a resumed job does not list it`,
    lasting: true,
  };
}

/** What fails one file elsewhere fails the job at a root. */
async function atRoot(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    throw new RootError(error);
  }
}

class RootError extends FanoutError {
  override readonly name = 'RootError';
  constructor(error: FanoutError) {
    const { where, remedy } = error;
    super(`the destination cannot be written: ${error.reason}`, {
      disposition: 'fail-job',
      where,
      remedy,
      cause: error,
    });
  }
}

function missing(path: string): FileStatus {
  return {
    name: basename(path),
    kind: 'file',
    lengthBytes: 0,
    modifiedAtMs: 0,
    accessedAtMs: 0,
    blockBytes: 0,
    replication: 0,
    owner: '',
    group: '',
    permission: '644',
    hasAcl: false,
    encrypted: false,
    stripe: undefined,
    fileId: undefined,
  };
}
