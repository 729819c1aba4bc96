import { allOrAbort } from '../all-or-abort.ts';
import type { FanoutError } from '../errors.ts';
import { Once } from '../once.ts';
import { livePath, type Root } from '../job/root.ts';
import { withoutAcl } from '../storage/acl.ts';
import { basename, parentOf } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';
import { Directories } from './directories.ts';
import { type Entry, entryOf, type SourceEntry } from './entry.ts';
import type { Files } from './files.ts';
import { type Inherited, inheritedFrom, inheritedIn } from './inherited.ts';
import { missing } from './missing.ts';
import { atRoot } from './root-error.ts';
import type { Tree } from './level.ts';
import { replacing, typeChangeIn } from './type-change.ts';
import { hiding, NOT_LISTED, selection } from './selection.ts';
import { vanishing } from './vanishing.ts';
import { type Visitor, walk, type WalkCursor } from './walk.ts';
import type { Planning } from './planning.ts';

/** Plans one root after the other. */
export class Roots {
  readonly #planning: Planning;
  readonly #files: Files;
  /** What directories give to new files, by the path of one that is made or written into as a root. */
  readonly #inherited = new Once<Inherited>();

  constructor(planning: Planning, files: Files) {
    this.#planning = planning;
    this.#files = files;
  }

  /**
   * @param from  where an earlier invocation stopped in this root
   * @returns where the walk stopped, if it did
   */
  async plan(index: number, root: Root, from?: WalkCursor): Promise<WalkCursor | undefined> {
    const reason = this.#planning.destination.names?.unwritable(root.destination);
    if (reason !== undefined) {
      await this.#files.failRoot(index, reason, true);
      return undefined;
    }
    if (root.kind === 'directory') return this.#planTree(index, root, from);
    await this.#planFile(index, root);
    return undefined;
  }

  async #planFile(index: number, root: Root): Promise<void> {
    const { source, destination, makeDirectories, signal } = this.#planning;
    const status = await source.stat(root.source, signal);
    if (!status) return this.#files.failVanishedRoot(index, 'file');
    const name = basename(root.source);
    const chosen = selection(this.#planning.options, parentOf(root.source));
    const why = chosen.hides(name, 'file') ?? chosen.leavesOut(status);
    if (why !== undefined) {
      this.#files.leaveOut(index, '', why);
      return;
    }
    const inherited = await this.#inheritedAbove(root);
    if (makeDirectories) await atRoot(destination.requireWritable?.(parentOf(root.destination), signal));
    await this.#files.plan({
      root: index,
      path: '',
      source: { ...status, name },
      destination: await destination.stat(root.destination, signal),
      inherited,
    });
  }

  async #planTree(index: number, root: Root, from?: WalkCursor): Promise<WalkCursor | undefined> {
    const { source, destination, options, list, makeDirectories, signal, isOver } = this.#planning;
    const [status, there] = await allOrAbort(signal, [
      (both) => source.stat(root.source, both),
      (both) => destination.stat(root.destination, both),
    ]);
    if (!status) {
      await this.#files.failVanishedRoot(index, 'directory');
      return undefined;
    }
    const target = { storage: destination, root: root.destination, status: there };
    const chosen = selection(options, livePath(root), list);
    const directories = new Directories(
      {
        ...target,
        options,
        makes: makeDirectories,
        isOptional: (path) => chosen.isOptional(path),
        signal,
        onFailed: ({ path, source: directory }, error) => this.#files.failDirectory(index, path, directory, error),
      },
      there ? inheritedFrom(there) : await this.#inheritedAbove(root),
    );
    const visitor = options.filesOnly
      ? this.#flattening(index, directories, there)
      : this.#keepingPaths(index, directories, target);
    try {
      const stopped = await walk(
        {
          source: { storage: vanishing(source), root: root.source, status },
          ...(options.filesOnly ? {} : { destination: target }),
        },
        list ? missing(visitor, list, (path) => this.#files.failMissing(index, path)) : visitor,
        signal,
        { ...(isOver ? { isOver } : {}), from, hides: hiding(chosen) },
      );
      await directories.settled();
      return stopped;
    } catch (error) {
      await directories.abandon(error);
      throw error;
    }
  }

  /** Every file goes where it lies in its tree. */
  #keepingPaths(root: number, directories: Directories, target: Tree): Visitor {
    const visit = async (entry: SourceEntry) => {
      const { path, source, destination } = entry;
      if (path !== '') this.#files.look();
      if (source.kind === 'directory') {
        this.#files.seeDirectory(entry);
        return directories.enter(entry);
      }
      if (source.kind === 'file' && !destination) await directories.need();
      const { inherited } = directories;
      await this.#files.plan({ root, path, source, destination, inherited });
    };
    const { onTypeChange } = this.#planning;
    return {
      takenFor: (entry) => {
        const change = onTypeChange && typeChangeIn(entry, target);
        if (!change) return entry;
        return onTypeChange(change) === 'later' ? undefined : replacing(change);
      },
      sourceOnly: visit,
      both: visit,
      hidden: ({ path }, why) => {
        if (why !== NOT_LISTED) this.#files.leaveOut(root, path, why);
      },
      temporary: async ({ path, source, destination }) => {
        if (source) await this.#files.skipTemporary({ root, path, source, destination });
      },
      blocked: ({ path, source }, error) => this.#files.failDirectory(root, path, source, error),
      leave: () => directories.leave(),
      lost: (entry, error) => {
        directories.leave();
        return this.#lost(root, entry, error);
      },
      again: async (directory) => {
        if (directory.source) await directories.again(directory);
      },
    };
  }

  /** Every file goes right below the destination, the only directory that is made. */
  #flattening(root: number, directories: Directories, there: FileStatus | undefined): Visitor {
    return {
      hidden: ({ path }, why) => {
        if (why !== NOT_LISTED) this.#files.leaveOut(root, path, why);
      },
      sourceOnly: async ({ path, source }) => {
        if (path === '') return directories.enter(entryOf('', '', source, there));
        if (source.kind === 'directory') return;
        await this.#files.planFlat({ root, path, source, inherited: directories.inherited });
      },
      temporary: async ({ path, name, source, destination }) => {
        if (source) await this.#files.skipTemporary({ root, path, flatName: name, source, destination });
      },
      lost: (entry, error) => this.#lost(root, entry, error),
    };
  }

  async #lost(root: number, { path, source }: Entry, error: FanoutError): Promise<void> {
    if (source) await this.#files.failDirectory(root, path, source, error);
  }

  /**
   * What files get that are written beside a root; asked for once, since the roots lie in one directory. Only that of a pair may be missing: it is
   * made, and lets in nobody whom the source's directory would not, because nobody sets its attributes later.
   */
  #inheritedAbove({ source: from, destination: to }: Root): Promise<Inherited> {
    const { source, destination, options, makeDirectories, signal } = this.#planning;
    const directory = parentOf(to);
    return this.#inherited.of(directory, async () => {
      const there = await destination.stat(directory, signal);
      if (there) return inheritedFrom(there);
      if (makeDirectories) {
        const like = options.preserve ? await source.stat(parentOf(from), signal) : undefined;
        const permission = like && `7${withoutAcl(like.permission, undefined).slice(-2)}`;
        await atRoot(destination.makeDirectory(directory, permission, signal));
      }
      return inheritedIn(directory, destination, signal);
    });
  }
}
