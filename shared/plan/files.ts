import { type FanoutError, SourceVanishedError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { basename, join } from '../storage/path.ts';
import { type Decision, decide } from '../job/decide.ts';
import { chunkCount } from '../job/chunk.ts';
import type { Root } from '../job/root.ts';
import { hasList, type JobOptions } from '../job/spec.ts';
import type { Batches } from './batches.ts';
import type { NameSet } from './name-set.ts';
import type { SkippedOutcome } from '../job/outcome.ts';
import type { FileUnit } from '../job/unit.ts';
import type { SourceEntry } from './entry.ts';
import { isEqualDirectory, settledOutcome } from './settled.ts';
import type { Splitting } from './splitting.ts';
import type { Tally } from './tally.ts';
import { type Found, unitOf } from './units.ts';

const NOT_AT_SOURCE =
  'the list names it, and the source has no such file: once it is there copy again, a resumed job does not look for it';
const VANISHED = 'it vanished before it was copied (copy again what is there now)';

/** Where files are planned to go. */
export interface FilePlanning {
  readonly source: Storage;
  readonly destination: Storage;
  readonly roots: readonly Root[];
  readonly options: JobOptions;
  /** The names that flattened files have taken: none where a plan begins; where one goes on, those that were taken when the cursor was made. */
  readonly names: NameSet;
  readonly signal: AbortSignal;
  /** Told of each file that is skipped without a copier's work. */
  readonly onSettled?: ((unit: FileUnit, outcome: SkippedOutcome) => void) | undefined;
  /** Told of each directory that is walked, none of a flattened copy. @param isNew  the destination lacks it */
  readonly onDirectory?: ((isNew: boolean) => void) | undefined;
  /** Told of what the user's choice leaves out, and of the option that does. */
  readonly onLeftOut?: ((path: string, why: string) => void) | undefined;
}

/**
 * Makes a unit of every file that is found, refused and skipped ones included, so that each ends with an outcome that is counted once: a file that is
 * skipped, and of which nothing is left to be asked or set, at once.
 */
export class Files {
  readonly #planning: FilePlanning;
  readonly #batches: Batches;
  readonly #splitting: Splitting;
  readonly #tally: Tally;
  #namesTaken: number;

  /** @param namesTaken  how many names `names` holds */
  constructor(planning: FilePlanning, batches: Batches, splitting: Splitting, tally: Tally, namesTaken: number) {
    this.#planning = planning;
    this.#batches = batches;
    this.#splitting = splitting;
    this.#tally = tally;
    this.#namesTaken = namesTaken;
  }

  /** How many names `names` holds by now. */
  get namesTaken(): number {
    return this.#namesTaken;
  }

  /** A file whose namesake at the destination is known. */
  async plan(file: Found): Promise<void> {
    await this.#add(file, this.#refusal(file) ?? decide(file.source, file.destination, this.#planning.options));
  }

  /** A file that goes right below the root's destination, wherever it lies: the first one of a name gets it. */
  async planFlat(file: Omit<Found, 'flatName' | 'destination'>): Promise<void> {
    const { destination, options, signal } = this.#planning;
    const found: Found = { ...file, flatName: file.source.name, destination: undefined };
    const refusal = this.#refusal(found);
    const isAsked = !refusal && found.source.kind === 'file';
    const there = isAsked ? await destination.stat(this.#destinationOf(found), signal) : undefined;
    await this.#add({ ...found, destination: there }, refusal ?? decide(found.source, there, options));
  }

  /** Counts an entry of the source, where not all are looked at. */
  look(): void {
    if (this.#planning.options.snapshot) this.#tally.look();
  }

  /** What has the name of a temporary file. */
  async skipTemporary(file: Found): Promise<void> {
    const found: Found = { ...file, source: { ...file.source, kind: 'other', lengthBytes: 0 } };
    await this.#add(found, { kind: 'skip', reason: 'temporary file of a copy' });
  }

  /**
   * A path that the job's list names, or that was of another kind at the destination when it was listed, and that the source does not have. What comes there later may be a directory, or lie in some that nobody has
   * looked at: only another plan finds it.
   */
  async failMissing(root: number, path: string): Promise<void> {
    const found = { root, path, source: unknownFile(basename(path)), destination: undefined };
    const decision: Decision = hasList(this.#planning.options)
      ? { kind: 'fail', reason: NOT_AT_SOURCE, lasting: true }
      : { kind: 'fail', reason: VANISHED, lasting: true, vanished: 'file' };
    await this.#add(found, decision);
  }

  /** A directory of the walk, of which no file is counted. */
  seeDirectory({ source, destination }: SourceEntry): void {
    this.#planning.onDirectory?.(destination === undefined);
    this.#tally.directory(isEqualDirectory(source, destination, this.#planning.options));
  }

  /** What the user's choice has left out of a root. @param why  the option that did */
  leaveOut(root: number, path: string, why: string): void {
    this.#tally.leaveOut(why);
    this.#planning.onLeftOut?.(join(this.#planning.roots[root]?.source ?? '/', path), why);
  }

  /** What is below a directory that was not walked, or has nowhere to go, is in no batch: only another plan finds it. */
  async failDirectory(root: number, path: string, source: FileStatus, error: FanoutError): Promise<void> {
    // Only what is gone from the source: a directory that is not found at the destination leaves all of its files to be copied.
    const isVanished = error instanceof SourceVanishedError;
    const reason = `directory: ${error.message}${isVanished ? '' : '; then copy again'}: a resumed job does not list it`;
    const directory = {
      root,
      path,
      source: { ...source, lengthBytes: 0 },
      destination: undefined,
    };
    const vanished = isVanished ? { vanished: 'directory' as const } : {};
    await this.#add(directory, { kind: 'fail', reason, lasting: true, ...vanished });
  }

  /** A root that was there when the roots were looked for. One alone is what was asked for by name: it may not be missing without a failure. */
  async failVanishedRoot(root: number, kind: Root['kind']): Promise<void> {
    const [isDirectory, isOneOfMany] = [kind === 'directory', this.#planning.roots.length > 1];
    const reason = `it vanished before it was copied${isDirectory ? ' (copy again what is there now)' : ''}`;
    await this.failRoot(root, reason, isDirectory, isOneOfMany ? { vanished: kind } : {});
  }

  /** @param lasting  what is below the root is in no batch */
  async failRoot(
    root: number,
    reason: string,
    lasting: boolean,
    vanished: Pick<Decision, 'vanished'> = {},
  ): Promise<void> {
    const source = unknownFile(basename(this.#planning.roots[root]?.source ?? '/'));
    const found = { root, path: '', source, destination: undefined };
    await this.#add(found, { kind: 'fail', reason, ...(lasting ? { lasting } : {}), ...vanished });
  }

  async #add(file: Found, decision: Decision): Promise<void> {
    const { source, destination, options, onSettled } = this.#planning;
    const unit = unitOf(file, decision, options, destination.hadoop !== undefined);
    const settled = settledOutcome(unit, options, source, destination);
    if (settled) {
      this.#tally.skip(settled);
      onSettled?.(unit, settled);
      return;
    }
    const split = await this.#splitting.of(unit, this.#destinationOf(file), file.inherited);
    if (!split) return this.#batches.add(unit);
    const { fileId } = file.source;
    const whole = { ...unit, split: fileId === undefined ? split : { ...split, inode: fileId } };
    for (let chunk = 0; chunk < chunkCount(whole); chunk++) {
      await this.#batches.add({ kind: 'chunk', chunk, file: whole });
    }
    await this.#batches.add(whole);
  }

  /** Why a file cannot be made at the destination, whatever stands there. Takes the name of one that is flattened. */
  #refusal(file: Found): Decision | undefined {
    if (file.source.kind !== 'file') return undefined;
    const path = this.#destinationOf(file);
    if (this.#planning.options.filesOnly) {
      const name = basename(path);
      if (!this.#planning.names.add(name)) {
        return { kind: 'fail', reason: `another source file is named ${name}`, lasting: true };
      }
      this.#namesTaken += 1;
    }
    const reason = this.#planning.destination.names?.unwritable(path);
    return reason === undefined ? undefined : { kind: 'fail', reason };
  }

  #destinationOf({ root, path, flatName }: Found): string {
    return join(this.#planning.roots[root]?.destination ?? '/', flatName ?? path);
  }
}

function unknownFile(name: string): FileStatus {
  return {
    name,
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
