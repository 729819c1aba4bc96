import type { FanoutError } from '../errors.ts';
import { closed, joinable } from '../storage/acl.ts';
import type { FileLayout, LayoutRefusal, TakenLayout } from '../storage/capabilities.ts';
import type { FileStatus, WriteOptions } from '../storage/storage.ts';
import type { Log } from '../log.ts';
import { type Attribute, attributesOf, chosenAttributes } from '../preserve/attributes.ts';
import {
  type Loss,
  NoSuchAttributeError,
  reasonOf,
  SmallBlockError,
  tellOnce,
  XATTR_NOT_COMPARED,
} from '../preserve/losses.ts';
import { preserve, type Wanted } from '../preserve/preserve.ts';
import type { FileUnit } from '../job/unit.ts';
import type { SkippedOutcome, ToldOfAttributes } from '../job/outcome.ts';
import type { JobOptions } from '../job/spec.ts';
import type { Route } from './settle.ts';
import { ofSource } from './source.ts';

/**
 * The attributes of one file that is copied or skipped: which CREATE is told, which are set afterwards, and which are lost.
 * Chosen attributes come from the source; of the others a file that is replaced keeps owner, group, mode and ACL, as with cp.
 */
export class FileAttributes {
  readonly #route: Route;
  readonly #options: JobOptions;
  readonly #log: Log;
  readonly #chosen: ReadonlySet<Attribute>;
  readonly #losses = new Map<Attribute, FanoutError>();
  /** The ACL of the file that is replaced: with `--direct` it is gone once the new file is begun. */
  #old: Promise<string | undefined> | undefined;

  constructor(route: Route, options: JobOptions, log: Log) {
    this.#route = route;
    this.#options = options;
    this.#log = log;
    this.#chosen = chosenAttributes(options);
  }

  /**
   * The attributes that CREATE is told. A file is closed to others until its attributes are set where its mode alone would let somebody in.
   * @throws FanoutError under strict preserve, for an attribute that the destination is known to refuse
   */
  async creation(unit: FileUnit, signal: AbortSignal): Promise<Omit<WriteOptions, 'lengthBytes' | 'overwrite'>> {
    const { destination, destinationPath } = this.#route;
    this.#losses.clear();
    this.#lose([...this.#absent(), ...this.#tooSmall(unit)]);
    const wantedLayout = this.#layout(unit);
    const { refused, ...layout }: TakenLayout = destination.hadoop?.takenLayout(destinationPath, wantedLayout) ?? {
      ...wantedLayout,
      refused: [],
    };
    this.#lose(refused);
    if (this.#options.strictPreserve) await this.#requireKeepable(unit, signal);
    const { permission, acl } = this.#wanted(unit, signal);
    // The ACL of the file that is replaced is asked for while that file is there.
    if (!this.#takesAccess) await acl?.().catch(() => undefined);
    // Planning has made it. Made anew, it would hold this file alone, and not those beside it that are known to be equal.
    const parentStands = this.#options.snapshot ? { parentStands: true } : {};
    const strictLayout = this.#options.strictPreserve;
    return { ...layout, ...parentStands, permission: this.#created(unit, permission), strictLayout };
  }

  /** As `creation`, of a chunk: its owner may do with it what puts it together, also where he may not write the file. */
  async chunkCreation(unit: FileUnit, signal: AbortSignal): ReturnType<FileAttributes['creation']> {
    const { permission, ...creation } = await this.creation(unit, signal);
    return { ...creation, permission: permission === undefined ? undefined : joinable(permission) };
  }

  /** Takes note of parts of a layout that the destination did not take. */
  refuse(refused: readonly LayoutRefusal[]): void {
    this.#lose(refused);
  }

  /** Gives a file that was put together before the mode again that its chunks had: attributes that were set since may shut its owner out. */
  async makeJoinable(path: string, unit: FileUnit, signal: AbortSignal): Promise<void> {
    const { permission } = this.#wanted(unit, signal);
    const created = this.#created(unit, permission);
    if (created === undefined) return;
    await this.#route.destination.posix?.setPermission(path, joinable(created), signal);
  }

  /**
   * Sets the attributes of the file that was just written.
   * @param path  the name under which the file was written
   * @param refused  parts of its layout that the destination did not take
   * @param isJoined  whether it was put together of chunks
   */
  async set(
    path: string,
    unit: FileUnit,
    refused: readonly LayoutRefusal[],
    signal: AbortSignal,
    isJoined = false,
  ): Promise<void> {
    const { destination } = this.#route;
    this.#lose(refused);
    const wanted = this.#wanted(unit, signal);
    const created = this.#created(unit, wanted.permission);
    const permission = created !== undefined && isJoined ? joinable(created) : created;
    // A storage without permissions has not taken the one that CREATE was told.
    const known = permission !== undefined && destination.hadoop !== undefined;
    const present = { hasAcl: unit.inherits === true, ...(known ? { permission } : {}) };
    const guarded = { storage: destination, path, kind: 'file' as const, present, isNew: true };
    this.#lose((await preserve(wanted, guarded, this.#options.strictPreserve, signal)).losses);
  }

  /**
   * Brings the attributes of a file that is skipped up to date: those that a listing shows, and extended ones where they were asked
   * for by name. Its access time stays, which comparing has changed on both sides.
   *
   * @param there  the file at the destination, where it was looked at after planning
   */
  async update(
    unit: FileUnit,
    there: FileStatus | undefined,
    signal: AbortSignal,
  ): Promise<Pick<SkippedOutcome, keyof ToldOfAttributes | 'updated'>> {
    const { destination, destinationPath } = this.#route;
    // A try before the file was skipped may have lost attributes, of a file that is gone.
    this.#losses.clear();
    if (!unit.attributes) return {};
    const named = this.#options.attributes.includes('xattr');
    const present = there ? attributesOf(there) : unit.stands;
    let updated = false;
    this.#lose(this.#absent());
    if (present) {
      const { xattrs, accessedAtMs: _, ...listed } = this.#wanted({ ...unit, decision: 'copy' }, signal);
      const wanted: Wanted = named ? { ...listed, xattrs } : listed;
      const guarded = { storage: destination, path: destinationPath, kind: 'file' as const, present, isNew: false };
      const { losses, changed } = await preserve(wanted, guarded, this.#options.strictPreserve, signal);
      this.#lose(losses);
      updated = changed;
    }
    const { warnings = [], ...told } = this.told();
    const unseen = this.#isBetweenClusters && this.#chosen.has('xattr') && !named ? [XATTR_NOT_COMPARED] : [];
    const all = [...warnings, ...unseen];
    return { ...told, ...(all.length > 0 ? { warnings: all } : {}), ...(updated ? { updated } : {}) };
  }

  told(): ToldOfAttributes {
    if (this.#losses.size === 0) return {};
    const losses = [...this.#losses].map(([attribute, error]) => ({ attribute, error }));
    tellOnce(this.#log, losses);
    return { warnings: losses.map(({ attribute }) => attribute), reasons: losses.map(reasonOf) };
  }

  #wanted({ attributes, stands, decision }: FileUnit, signal: AbortSignal): Wanted {
    const { source, sourcePath, destination, destinationPath } = this.#route;
    const carried = destination.hadoop && source.hadoop;
    const has = (attribute: Attribute) => this.#chosen.has(attribute);
    const hadoopAttributes = destination.hadoop !== undefined;
    const replaced = decision === 'overwrite' || decision === 'compare' ? (stands ?? attributes) : undefined;
    const owner = has('owner') ? attributes?.owner : replaced?.owner;
    const group = has('group') ? attributes?.group : replaced?.group;
    const old = () => (this.#old ??= Promise.resolve(destination.hadoop?.acl(destinationPath, signal)));
    const access: Wanted = this.#takesAccess
      ? {
          permission: attributes?.permission,
          acl: attributes?.hasAcl
            ? async () => source.hadoop && ofSource(source.hadoop.acl(sourcePath, signal))
            : undefined,
          setsAcl: has('acl') && hadoopAttributes,
        }
      : {
          permission: replaced?.permission,
          acl: replaced?.hasAcl ? old : undefined,
          setsAcl: hadoopAttributes,
        };
    return {
      ...access,
      owner: hadoopAttributes && owner !== '' ? owner : undefined,
      group: hadoopAttributes && group !== '' ? group : undefined,
      replication: has('replication') && attributes?.replication ? attributes.replication : undefined,
      modifiedAtMs: has('times') ? attributes?.modifiedAtMs : undefined,
      accessedAtMs: has('times') ? attributes?.accessedAtMs : undefined,
      xattrs: has('xattr') && carried ? () => ofSource(carried.xattrs(sourcePath, signal)) : undefined,
    };
  }

  /** Fails before a byte is moved for an attribute that the destination is known to refuse. */
  async #requireKeepable(unit: FileUnit, signal: AbortSignal): Promise<void> {
    const { destination, destinationPath } = this.#route;
    const { owner, acl, setsAcl, xattrs } = this.#wanted(unit, signal);
    const refused =
      (owner === undefined ? undefined : await destination.hadoop?.knownRefusal(destinationPath, 'owner', owner)) ??
      (acl && setsAcl ? await destination.hadoop?.knownRefusal(destinationPath, 'acl') : undefined);
    if (refused) throw refused;
    const withoutXattrs = xattrs && (await destination.hadoop?.knownRefusal(destinationPath, 'xattr'));
    if (withoutXattrs && (await xattrs()).size > 0) throw withoutXattrs;
  }

  /** Whether mode and ACL come from the source. */
  get #takesAccess(): boolean {
    return this.#chosen.has('permission') || this.#chosen.has('acl');
  }

  get #isBetweenClusters(): boolean {
    const { source, destination } = this.#route;
    return source.hadoop !== undefined && destination.hadoop !== undefined;
  }

  #created({ closed: isClosed }: FileUnit, permission: string | undefined): string | undefined {
    return permission !== undefined && isClosed ? closed(permission) : permission;
  }

  /** Replication and block size of the new file: an erasure-coded one has no replicas, and its blocks hold at least a cell. */
  #layout({ attributes, blockBytes, newStripe }: FileUnit): FileLayout {
    const kept = this.#route.source.hadoop && attributes ? attributes : undefined;
    const fits = blockBytes > 0 && blockBytes >= (newStripe?.cellBytes ?? 0);
    return {
      blockBytes: kept && fits && this.#chosen.has('blocksize') ? blockBytes : undefined,
      replication:
        kept && !newStripe && kept.replication > 0 && this.#chosen.has('replication') ? kept.replication : undefined,
    };
  }

  #tooSmall({ blockBytes, newStripe, attributes }: FileUnit): Loss[] {
    const asked = attributes && this.#isBetweenClusters && this.#chosen.has('blocksize');
    if (!asked || !newStripe || blockBytes >= newStripe.cellBytes) return [];
    return [
      {
        attribute: 'blocksize',
        error: new SmallBlockError(blockBytes, newStripe.cellBytes, this.#route.destinationPath),
      },
    ];
  }

  /** Attributes that were asked for by name, and of which one of the two storages knows nothing. */
  #absent(): Loss[] {
    const { source, sourcePath, destination, destinationPath } = this.#route;
    const lacking = source.hadoop ? destination : source;
    if (lacking.hadoop) return [];
    const named = this.#options.attributes.filter((name) => !['permission', 'times', 'quota'].includes(name));
    const path = lacking === source ? sourcePath : destinationPath;
    return named.map((attribute) => ({
      attribute,
      error: new NoSuchAttributeError(lacking.name, attribute, path),
    }));
  }

  #lose(losses: readonly Loss[]): void {
    for (const { attribute, error } of losses) {
      if (this.#options.strictPreserve) throw error;
      if (!this.#losses.has(attribute)) this.#losses.set(attribute, error);
    }
  }
}
