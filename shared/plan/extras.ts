import { type FanoutError, RefusedError } from '../errors.ts';
import type { DeleteUnit } from '../job/deletion.ts';
import type { Found } from '../job/job.ts';
import type { Root } from '../job/root.ts';
import { isWithin } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import type { Both, DestinationOnly, Entry, SourceEntry } from './entry.ts';
import { type Deletable, hiddenBy, isFixed, isProtected, survey } from './survey.ts';
import { hiding, isExcluded, type Selection } from './selection.ts';
import { typeChangeIn } from './type-change.ts';
import { type Visitor, walk, type WalkCursor } from './walk.ts';

/** Two trees of which the second one may have more than the first. */
export interface ExtrasSearch {
  readonly source: Storage;
  readonly destination: Storage;
  readonly roots: readonly Root[];
  /** Whether directories are told of as a whole where that is possible, or entry by entry. */
  readonly whole: boolean;
  readonly selection: Selection;
  /** Whether what the selection's patterns hide is taken for what the source has not. Default: it is not looked at. */
  readonly excluded?: boolean;
  /** Whether something of another kind takes the place of what stands at a path of the destination, which is then an extra. Default: never. */
  readonly isReplaced?: ((path: string) => boolean) | undefined;
  readonly signal: AbortSignal;
  /** Told of each entry, a directory after all that is in it. */
  readonly emit: (unit: DeleteUnit) => Promise<void>;
  /** Told of each directory that could not be listed: nothing in it is an extra. */
  readonly onLost: (path: string, error: FanoutError) => void;
  /** Asked after each name; the search then stops. Default: never. */
  readonly isOver?: () => boolean;
}

/** Where a search goes on. Plain JSON. */
export interface ExtrasCursor {
  readonly walk: WalkCursor;
  readonly found: Found;
  /** The uppermost directory of those that only the destination has and that are open. */
  readonly top?: string | undefined;
  /** The last entry that something of another kind is to take the place of. */
  readonly replaced?: Replaced | undefined;
  /** The extra that was told of last. */
  readonly last?: string | undefined;
  /** What stays, of all that was passed the last one. */
  readonly stays?: string | undefined;
}

interface Replaced {
  readonly path: string;
  /** What the source has there. */
  readonly by: DeleteUnit['kind'];
}

const nothing: Found = { files: 0, bytes: 0, directories: 0, destinationFiles: 0, sourceEntries: 0, sourceFiles: 0 };

/**
 * Finds what the destination has and the source has not. Both trees are walked side by side, so that nothing is held. What is hidden (but see
 * `excluded`), the trash, and temporary names of this tool are no extras, and neither is a directory that holds one of them.
 *
 * @returns what was found in all, or where it stopped
 * @throws RefusedError when the source is gone
 */
export async function findExtras(
  search: ExtrasSearch,
  from?: ExtrasCursor,
): Promise<Found | { readonly cursor: ExtrasCursor }> {
  const { source, destination, roots, signal, isOver } = search;
  const [root] = roots;
  if (root?.kind !== 'directory') return nothing;
  const status = await source.stat(root.source, signal);
  if (!status) throw new RefusedError(`${source.name}:${root.source} is not there any more`, 'check the source');
  const there = await destination.stat(root.destination, signal);
  if (status.kind !== 'directory' || there?.kind !== 'directory') return nothing;
  const { selection, excluded = false } = search;
  const hides = excluded ? () => false : hiddenBy(selection);
  const extras = new Extras(search, { storage: destination, root: root.destination, hides, signal }, from);
  const stopped = await walk(
    {
      source: { storage: source, root: root.source, status },
      destination: { storage: destination, root: root.destination, status: there },
    },
    extras,
    signal,
    { ...(isOver ? { isOver } : {}), ...(excluded ? {} : { hides: hiding(selection) }), from: from?.walk },
  );
  return stopped ? { cursor: { walk: stopped, ...extras.state } } : extras.state.found;
}

class Extras implements Visitor {
  readonly #search: ExtrasSearch;
  readonly #within: Deletable;
  #found: { -readonly [K in keyof Found]: Found[K] };
  #top: string | undefined;
  #replaced: Replaced | undefined;
  #last: string | undefined;
  #stays: string | undefined;

  constructor(search: ExtrasSearch, within: Deletable, from?: ExtrasCursor) {
    this.#search = search;
    this.#within = within;
    this.#found = { ...(from?.found ?? nothing) };
    this.#top = from?.top;
    this.#replaced = from?.replaced;
    this.#last = from?.last;
    this.#stays = from?.stays;
  }

  get state(): Omit<ExtrasCursor, 'walk'> {
    const [top, replaced, last, stays] = [this.#top, this.#replaced, this.#last, this.#stays];
    return { found: { ...this.#found }, top, replaced, last, stays };
  }

  /** The destination's side alone of what is replaced or, where that is asked for, hidden. */
  takenFor(entry: Entry): Entry | undefined {
    const { path, name, source, destination } = entry;
    if (!source) return entry;
    const isHidden = this.#search.excluded === true && isExcluded(this.#search.selection, path, source.kind);
    const change = isHidden ? undefined : this.#replacement(entry);
    if (!isHidden && !change) return entry;
    this.#count({ path, source });
    if (change) this.#replaced = { path, by: change.source.kind === 'file' ? 'file' : 'directory' };
    return destination && { path, name, source: undefined, destination };
  }

  #replacement(entry: Entry) {
    const change = typeChangeIn(entry, this.#within);
    return change && this.#search.isReplaced?.(change.path) ? change : undefined;
  }

  #count({ path, source }: Pick<SourceEntry, 'path' | 'source'>): void {
    if (path !== '') this.#found.sourceEntries += 1;
    if (source.kind === 'file') this.#found.sourceFiles += 1;
  }

  sourceOnly(entry: SourceEntry): void {
    this.#count(entry);
  }

  both(entry: Both): void {
    this.#count(entry);
    if (entry.destination.kind === 'file') this.#found.destinationFiles += 1;
  }

  hidden({ path, source, destination }: Entry): void {
    this.#stays = path;
    if (source) this.#found.sourceEntries += 1;
    if (source?.kind === 'file') this.#found.sourceFiles += 1;
    if (destination?.kind === 'file') this.#found.destinationFiles += 1;
  }

  temporary({ path }: Entry): void {
    this.#stays = path;
  }

  async destinationOnly(entry: DestinationOnly): Promise<'walk' | undefined> {
    const { path, destination } = entry;
    if (this.#top === undefined || !isWithin(`/${path}`, `/${this.#top}`)) this.#top = path;
    const stays = isProtected(this.#within, path, destination);
    if (stays) this.#stays = path;
    if (destination.kind === 'file') {
      this.#found.destinationFiles += 1;
      if (!stays) await this.#emit(entry, { files: 1, bytes: destination.lengthBytes });
      return undefined;
    }
    if (stays) return undefined;
    const isWhole = this.#search.whole && !isFixed(this.#within, path, destination);
    const surveyed = isWhole ? await survey(this.#within, path, destination) : undefined;
    if (!surveyed) return 'walk';
    this.#found.destinationFiles += surveyed.files;
    await this.#emit(entry, surveyed);
    return undefined;
  }

  async leave(directory: Entry): Promise<void> {
    const { path, source, destination } = directory;
    if (source) return;
    if (isFixed(this.#within, path, destination)) this.#stays = path;
    // A walk leaves a directory right behind what is in it.
    if (this.#stays !== undefined && isWithin(`/${this.#stays}`, `/${path}`)) return;
    await this.#emit(directory, { files: 0, bytes: 0 });
  }

  lost({ path }: Entry, error: FanoutError): void {
    this.#stays = path;
    this.#search.onLost(path, error);
  }

  async #emit(
    { path, destination: { kind, modifiedAtMs, fileId } }: DestinationOnly,
    counted: Pick<DeleteUnit, 'files' | 'bytes' | 'digest'>,
  ): Promise<void> {
    this.#found.files += counted.files;
    this.#found.bytes += counted.bytes;
    const isHollow = this.#last === undefined || !isWithin(`/${this.#last}`, `/${path}`);
    if (counted.files === 0 && isHollow) this.#found.directories += 1;
    this.#last = path;
    await this.#search.emit({
      root: 0,
      path,
      ...(this.#top === undefined || this.#top === path ? {} : { top: this.#top }),
      kind: kind === 'file' ? 'file' : 'directory',
      ...(this.#replaced && isWithin(`/${path}`, `/${this.#replaced.path}`) ? { replacedBy: this.#replaced.by } : {}),
      modifiedAtMs,
      ...(fileId === undefined ? {} : { fileId }),
      ...counted,
    });
  }
}
