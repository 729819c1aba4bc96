import type { FanoutError } from '../errors.ts';
import type { FileChecksum, RegularLayout } from './checksum.ts';
import type { Load } from './load.ts';
import type { Writing } from './storage.ts';

/**
 * What some storages can do and others cannot, as optional members of `Storage`: the engine asks whether a member is there and never for
 * a class. A member that is there may still be refused by a single server or user; it then rejects with StorageError.
 */
export interface Capabilities {
  /** Which names the storage takes. Where absent: any. */
  readonly names?: NameRules;
  /** Mode and times, which file systems keep and object stores do not. */
  readonly posix?: PosixAttributes;
  /** Owner, group, ACL, extended attributes, replication, block size and erasure coding, as Hadoop has them. */
  readonly hadoop?: HadoopAttributes;
  /** Checksums that the storage keeps beside the data. */
  readonly checksums?: StoredChecksums;
  /** Putting files together without moving their bytes. */
  readonly concatenation?: Concatenation;
  /** Where deleted files wait until they are gone for good. */
  readonly trash?: Trash;
  /** Moving entries to other directories. */
  readonly relocation?: Relocation;
  /** Images of directory trees at a moment, which stay as they are. */
  readonly snapshots?: Snapshots;
  /** Adding to files that are there. */
  readonly appending?: Appending;
  /** How its servers bear what is asked of them. Where absent: nobody but this process asks. */
  readonly load?: Load;
  /** Connections to its servers that were lost. */
  readonly lostConnections?: LostConnections;

  /** Whether another namespace begins at a path or below it: what is there is none of the directory's own. Costs no request. */
  isSpanned?(path: string): boolean;

  /**
   * Whether `rename` can replace a file in one step. Where this is absent or resolves to false, `overwrite` changes nothing of a rename,
   * and the caller moves the old file out of the way first.
   */
  replacesAtOnce?(path: string, signal: AbortSignal): Promise<boolean>;

  /**
   * How many files and directories there are in a directory, at any depth, itself not among them: without listing them. Undefined where the server
   * counts what has been deleted as well.
   * @throws StorageError denied where this user may not look at all of it
   */
  countEntries?(directory: string, signal: AbortSignal): Promise<EntryCount | undefined>;

  /**
   * How much more the storage takes at a path, as far as it tells this user. Changes nothing.
   * @param path  absolute; need not exist
   */
  room?(path: string, signal: AbortSignal): Promise<Room>;

  /** @throws StorageError denied when this user may not make files in the directory */
  requireWritable?(directory: string, signal: AbortSignal): Promise<void>;

  /**
   * The length of a file that nobody writes, bytes; `open` while somebody does. For storages whose listings give an open file the length
   * of its finished blocks, down to 0.
   * @throws StorageError not-found
   */
  closedLength?(path: string, signal: AbortSignal): Promise<number | 'open'>;
}

/** What is in a directory, at any depth. */
export interface EntryCount {
  readonly files: number;
  readonly directories: number;
}

/** How much more a storage takes. What is not told is undefined. */
export interface Room {
  /** Of all its disks, bytes; shared by all replicas. */
  readonly capacityBytes: number | undefined;
  readonly freeBytes: number | undefined;
  /** How many replicas new files get where nobody says otherwise. */
  readonly replication: number | undefined;
  /** Of the path and the directories above it, the nearest first: those that have one. Undefined: not told. */
  readonly quotas: readonly Quota[] | undefined;
}

/** What is left of a directory's quota. */
export interface Quota {
  readonly path: string;
  /** Files and directories; undefined for no such quota. */
  readonly namesLeft: number | undefined;
  /** Bytes with all replicas; undefined for no such quota. */
  readonly bytesLeft: number | undefined;
}

/** Connections that died or stalled while files were read or written. */
export interface LostConnections {
  /** How many since this was asked last, by what a person is told of them. */
  take(): Readonly<Record<string, number>>;
  /** Takes back what could not be told. */
  putBack(lost: Readonly<Record<string, number>>): void;
}

/** Rules that tell, without a request, what could not be read or made. Each reason is for a person, and undefined where there is none. */
export interface NameRules {
  /** Whether two names that differ in capital letters alone may be one: whether they are is told by trying. */
  readonly mayIgnoreCase?: boolean;
  /** Why nothing can be copied from a path, whatever stands there. */
  unreadable?(path: string): string | undefined;
  /** Why the storage would refuse to make a path, as far as that is known. */
  unwritable(path: string): string | undefined;
  /**
   * Learns how long names may be, for `unwritable`, if the storage tells. Changes nothing.
   * @param path  where files are about to be made; it or its parent exists
   */
  learn?(path: string, signal: AbortSignal): Promise<void>;
}

export interface PosixAttributes {
  /** @param permission  octal, as on the wire */
  setPermission(path: string, permission: string, signal: AbortSignal): Promise<void>;
  /**
   * @param accessedAtMs  left as it is where undefined
   * @returns how the access time was refused, where the storage keeps none: the modification time is set all the same
   */
  setTimes(
    path: string,
    modifiedAtMs: number,
    accessedAtMs: number | undefined,
    signal: AbortSignal,
  ): Promise<FanoutError | undefined>;
}

/**
 * Limits of a directory, by what they are of: `names` (files and directories, itself included), `bytes` (replicas counted), and bytes on one
 * storage type (`SSD`). Those that it has.
 */
export type Quotas = ReadonlyMap<string, number>;

/** A directory's limits, and what counts for them now, by the same names. */
export interface QuotaUsage {
  readonly quotas: Quotas;
  readonly used: Quotas;
}

/** Each method is one request, unless it is known to be refused; a server without the attribute rejects with StorageError unsupported. */
export interface HadoopAttributes {
  /**
   * @param owner  left as it is where undefined, as `group` is
   * @returns what of the two this user may not give. What a user never may is not asked for twice.
   * @throws StorageError denied when the path is not this user's
   */
  setOwner(
    path: string,
    owner: string | undefined,
    group: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly OwnerRefusal[]>;
  setReplication(path: string, replication: number, signal: AbortSignal): Promise<void>;

  /** @returns the whole ACL in SETACL's spelling, or undefined where there is none */
  acl(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** Replaces the access entries, and the default ones if there are any in `acl`. */
  setAcl(path: string, acl: string, signal: AbortSignal): Promise<void>;
  removeDefaultAcl(path: string, signal: AbortSignal): Promise<void>;

  /** Extended attributes that a user may copy (`user.` and `trusted.`): name → value in hex with 0x. None where they are off. */
  xattrs(path: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  setXattr(path: string, name: string, value: string, signal: AbortSignal): Promise<void>;
  removeXattr(path: string, name: string, signal: AbortSignal): Promise<void>;

  /**
   * Sets what new files below a directory are coded with; files that are there keep what they have.
   * @param policy  its name, or `REPLICATION`
   */
  setErasureCodingPolicy(directory: string, policy: string, signal: AbortSignal): Promise<void>;
  /** Sets on which kinds of disks new files below a directory are kept. @param policy  its name, such as `ALL_SSD` */
  setStoragePolicy(directory: string, policy: string, signal: AbortSignal): Promise<void>;

  /** What a directory may hold, and holds. Costs the server a look at all that is below a directory that has no quota. */
  quotaUsage(directory: string, signal: AbortSignal): Promise<QuotaUsage>;
  /** Sets some of a directory's limits, and leaves the others. That it holds more already is no error. */
  setQuotas(directory: string, quotas: Quotas, signal: AbortSignal): Promise<void>;

  /**
   * What of a layout the storage takes, as far as it has refused others in this process. Costs no request.
   * @returns what to send, and why the rest is left to the storage's own defaults
   */
  takenLayout(path: string, layout: FileLayout): TakenLayout;
  /**
   * How the storage refused an attribute for good in this process, for every path. Costs no request.
   * @param value  the owner's name
   */
  knownRefusal(path: string, attribute: 'owner' | 'acl' | 'xattr', value?: string): Promise<FanoutError | undefined>;
}

/** Appends whole files to another one of the same directory: blocks change hands, no byte moves. */
export interface Concatenation {
  /**
   * Why files of a directory cannot be put together, as far as that can be told before there are any; undefined where nothing is known
   * against it. The directory need not exist. Costs a request once, and changes nothing.
   */
  obstacle(directory: string, signal: AbortSignal): Promise<string | undefined>;
  /** Length of the blocks of new files that are written without saying so, bytes. */
  blockBytes(path: string, signal: AbortSignal): Promise<number>;
  /**
   * Appends the first ones of `sources` to `target`, as many as go into one request, and at least one: all of these or none. The target
   * keeps its inode, the sources are gone. Tried once.
   * @returns how many were appended
   * @throws TransportError when the answer was lost: it may have worked
   */
  concatenate(target: string, sources: readonly string[], signal: AbortSignal): Promise<number>;
}

export interface Trash {
  /**
   * Why nothing of a tree can be moved to the trash, as far as that can be told before; undefined where nothing is known against it.
   * Changes nothing.
   */
  obstacle(root: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Moves a file, or a directory with all that is in it, in one step. What has its name there already stays, and the time is added to the
   * name.
   * @returns where it is now
   * @throws StorageError not-found; TransportError when the answer was lost: it may have worked
   */
  put(path: string, signal: AbortSignal): Promise<string>;
  /**
   * Where an entry that was put there may be now, likeliest first: under its own name, or with a time behind it, in the trash of this day and
   * of the days before. What stands there may be another one of that name.
   */
  candidates(path: string, signal: AbortSignal): AsyncIterable<string>;
}

export interface Relocation {
  /**
   * Why nothing of a tree can be moved into a directory, as far as that can be told before; undefined where nothing is known against it.
   * Changes nothing. Neither path need be there.
   */
  obstacle(root: string, directory: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Moves a file, or a directory with all that is in it, in one step, and never over what stands there. Tried once.
   * @throws StorageError exists, not-found; TransportError when the answer was lost: it may have worked
   */
  move(path: string, target: string, signal: AbortSignal): Promise<void>;
}

/**
 * Read-only images of a directory tree at a moment: what they hold is read at `snapshotPath`. But for one thing they never change: a file
 * that somebody wrote at that moment goes on growing in them until it is closed, and `changes` never tells of that. Whoever takes a snapshot
 * for a complete base asks `isOpen` about the files in it.
 */
export interface Snapshots {
  /**
   * The nearest snapshottable directory that a path is or lies in; undefined where there is none, or where it cannot be told.
   * @throws StorageError unsupported, with the reason, where another namespace begins at a mount below the path: no snapshot spans two
   */
  rootOf(path: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Makes one. One of this name that is there already is taken for this one: names are of one job.
   * @throws StorageError denied; unsupported where the root is not snapshottable; limit where it has too many
   */
  create(root: string, name: string, signal: AbortSignal): Promise<void>;
  /** @returns false when there was none */
  drop(root: string, name: string, signal: AbortSignal): Promise<boolean>;
  /** Names, oldest first where the server tells. */
  names(root: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Whether somebody writes a file, wherever it is now: what snapshots hold of it may then still grow, or may not, where they are younger than
   * its last closing. Asked before the file is looked at in a snapshot: what is closed stays there as it is.
   * @param root  of the snapshot
   * @param fileId  as it was listed there
   */
  isOpen(root: string, fileId: number, signal: AbortSignal): Promise<boolean>;
  /**
   * What differs between two snapshots, below a directory of the root: in no order, and the same question gives the same answer. What was
   * made or deleted as a whole is one entry. Rejects before the first change or not at all.
   * @param from  the earlier one
   * @param within  path below the root, '' for all of it
   * @throws StorageError not-found where a snapshot is not there, or this very directory is not at its path in both of them and now; denied
   *   where the user may not read all of it; limit where there is too much to tell; unsupported
   */
  changes(root: string, from: string, to: string, within: string, signal: AbortSignal): AsyncIterable<SnapshotChange>;
}

/** How a tree differs between two snapshots. Paths are relative to the directory that was asked about; '' is that one. */
export type SnapshotChange =
  /** As it is called in the later one. A directory is one change, with all that is below it but for what was renamed into it. */
  | { readonly kind: 'create'; readonly path: string }
  /** As it was called in the earlier one. A directory is one change, with all that was below it but for what was renamed out of it. */
  | { readonly kind: 'delete'; readonly path: string }
  /**
   * As it is called in the later one: a file's bytes or attributes; of a directory its own attributes or its names. Where times alone differ,
   * or bytes of the same file at the same length (TRUNCATE, then APPEND), HDFS tells nothing.
   */
  | { readonly kind: 'modify'; readonly path: string }
  /** From the earlier one's name to the later one's. They may be the same. */
  | { readonly kind: 'rename'; readonly path: string; readonly target: string };

/** Adds to files and cuts them. One at a time writes a file: whoever comes while another one does is refused. */
export interface Appending {
  /** How the storage refused for good to add to a file in this process; undefined where nothing is known against it. Costs no request. */
  refusal(path: string): FanoutError | undefined;
  /**
   * Adds to the end of a file, and resolves when it is closed. When it rejects, some of the bytes may have been added.
   * @param lengthBytes  that the body will have
   * @throws StorageError not-found; leased while somebody else writes the file, or did until a moment ago; unsupported
   */
  append(path: string, body: AsyncIterable<Uint8Array>, lengthBytes: number, signal: AbortSignal): Promise<Writing>;
  /**
   * Cuts a file to its first bytes.
   * @returns false when that takes a while: the file is open until it is done
   * @throws StorageError not-found, leased, unsupported
   */
  truncate(path: string, lengthBytes: number, signal: AbortSignal): Promise<boolean>;
}

export interface StoredChecksums {
  /**
   * The checksum kept beside a file's data, as Hadoop's GETFILECHECKSUM gives it.
   * @param near  what `read` or `write` returned for this path: saves asking who has it
   * @param lengthBytes  the file's: the checksum of a long one takes its time
   * @returns undefined where none is kept (`dfs.checksum.type=NULL`, blocks of several kinds); in encryption zones it is of the ciphertext
   * @throws StorageError open while somebody writes the file
   */
  stored(path: string, signal: AbortSignal, near?: Near, lengthBytes?: number): Promise<FileChecksum | undefined>;

  /**
   * Makes ready for `stored`, which is about to be asked with the same `near`: what takes a round trip before the question can be put is done
   * meanwhile. Changes nothing and never fails.
   * @returns what ends it where `stored` is not asked after all
   */
  prepare?(path: string, near: Near): Disposable | undefined;

  /** Lengths of the file's blocks in order, bytes; undefined where the server does not tell. */
  blockLengths(path: string, lengthBytes: number, signal: AbortSignal): Promise<readonly number[] | undefined>;

  /**
   * The layouts in which the storage keeps the checksum of a file at `path`, the likeliest first: one for each kind of CRC that was seen. A
   * guess that saves reading twice; never to be trusted alone.
   * @param blockBytes  the file's; the server's default for new files where undefined
   */
  expectedLayouts(path: string, blockBytes: number | undefined, signal: AbortSignal): Promise<Layouts>;
}

/** Layouts that a file may have, the likeliest first. */
export type Layouts = readonly [RegularLayout, ...RegularLayout[]];

/** The server that has a file's bytes: opaque, because it holds a URL with credentials. */
export interface Near {
  readonly host: string;
}

/** How a file's bytes are kept; the server's own choice where undefined. */
export interface FileLayout {
  readonly blockBytes: number | undefined;
  readonly replication: number | undefined;
}

/** Why a storage does not take a layout. */
export interface LayoutRefusal {
  readonly attribute: 'replication' | 'blocksize';
  readonly error: FanoutError;
}

export interface TakenLayout extends FileLayout {
  readonly refused: readonly LayoutRefusal[];
}

/** Why a storage does not give a file to another owner or group. */
export interface OwnerRefusal {
  readonly attribute: 'owner' | 'group';
  readonly error: FanoutError;
}
