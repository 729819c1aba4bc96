import type { FanoutError } from '../errors.ts';
import type { NameOrder } from './order.ts';
import type { FileChecksum, RegularLayout, Stripe } from './checksum.ts';

/**
 * The contract between the copy engine and a place that holds files. Two implementations: WebHDFS and the
 * local disk; one test suite (test/contract/filesystem) runs against both.
 *
 * Every method may be called many times at once, stops when its `signal` aborts, and throws only
 * `FanoutError`s (their `disposition` says what to do next) or the signal's reason. Implementations retry
 * what may safely be sent again; `read`, `write` and `rename` are tried once, because only the
 * caller can say what a second try means.
 */
export interface Storage {
  /** The cluster's alias, or `local`. For messages and for telling two ends apart. */
  readonly name: string;
  /** What this place can do that others cannot. The engine degrades, it never asks for a class. */
  readonly features: Features;
  /** Transfers at once that this place allows, or undefined when it does not say. */
  readonly maxConcurrency: number | undefined;

  /** A path as the user wrote it, made absolute and normal. */
  resolve(path: string): string;
  /** The addresses that serve a path. What shares one of them is the same place; other aliases of it may share none. */
  placesOf(path: string): readonly string[];
  /**
   * What is locked for a job that writes to a path: that path in each namespace that serves it, or a mount below it. Two aliases
   * of one place share at least one entry if the place tells who it is.
   */
  lockedPaths(path: string, signal: AbortSignal): Promise<readonly LockedPath[]>;

  /** Why nothing can be copied from a path, whatever stands there: for a person, undefined where it can. Asks nobody. */
  unreadable(path: string): string | undefined;
  /** Why the place would refuse to make a path, as far as that is known: as `unreadable`. */
  unwritable(path: string): string | undefined;
  /**
   * Learns how long names may be, for `unwritable`, if the place tells. Changes nothing.
   * @param path  where files are about to be made; it or its parent exists
   */
  learnNames(path: string, signal: AbortSignal): Promise<void>;

  /** The entry itself; undefined when there is none (a result, not an error). */
  stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined>;

  /** In which order `list` gives names. */
  readonly order: NameOrder;
  /**
   * The children of a directory in pages, in the storage's `order`, each name once.
   * @param after  only names after this one, so that a listing can be continued
   * @throws StorageError not-found when the directory does not exist
   */
  list(directory: string, signal: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]>;

  /**
   * Opens a file of `lengthBytes` bytes. The body ends after exactly that many, or throws: a connection that
   * ends early is an error, never a short file.
   * @throws SourceChangedError when the file is found to have another length, before the body if the server tells it by then
   */
  read(path: string, lengthBytes: number, signal: AbortSignal): Promise<Reading>;

  /**
   * Writes a new file and resolves when it is closed and whole as far as the server knows. Does not create parents'
   * attributes. When it rejects, a shorter file may stand at the path: the caller deletes it.
   * @throws StorageError exists when something stands at the path
   */
  write(path: string, body: AsyncIterable<Uint8Array>, options: WriteOptions, signal: AbortSignal): Promise<Writing>;

  /**
   * Whether `rename` can replace a file. HttpFS cannot: there `overwrite` changes nothing, and the caller moves the old file
   * out of the way first.
   */
  replacesAtOnce(path: string, signal: AbortSignal): Promise<boolean>;

  /**
   * Moves one file inside a directory. With `overwrite`, and where `replacesAtOnce`, the old file is replaced in one step, so that a
   * reader sees the old one or the new one.
   * @throws StorageError exists (without `overwrite`), not-found; TransportError when the answer was lost: it may have worked
   */
  rename(from: string, to: string, overwrite: boolean, signal: AbortSignal): Promise<void>;

  /**
   * Makes a directory and its missing parents; one that exists is left as it is.
   * @param permission  octal, as on the wire; where undefined, what the parent's default ACL gives, and without one 755
   */
  makeDirectory(path: string, permission: string | undefined, signal: AbortSignal): Promise<void>;

  /** Deletes a file or an empty directory. @returns false when there was none */
  delete(path: string, signal: AbortSignal): Promise<boolean>;

  /**
   * The checksum kept beside the data, as Hadoop's GETFILECHECKSUM gives it.
   * @param near  what `read` or `write` returned for this path: saves asking who has it
   * @param lengthBytes  the file's: a long one's takes its time
   * @returns undefined where none is kept (the local disk, `dfs.checksum.type=NULL`, blocks of several kinds); in encryption zones it is of the
   *   ciphertext
   * @throws StorageError open while somebody writes the file
   */
  checksum(path: string, signal: AbortSignal, near?: Near, lengthBytes?: number): Promise<FileChecksum | undefined>;

  /**
   * The length of a file that nobody writes, bytes; `open` while somebody does; undefined where the place cannot tell.
   * Listings give an open file the length of its finished blocks, down to 0.
   * @throws StorageError not-found
   */
  closedLength(path: string, signal: AbortSignal): Promise<number | 'open' | undefined>;

  /** Lengths of the file's blocks in order, bytes; undefined where there are none. */
  blockLengths(path: string, lengthBytes: number, signal: AbortSignal): Promise<readonly number[] | undefined>;

  /**
   * The layouts in which this place keeps the checksum of a file at `path`, the likeliest first: one for each kind of CRC that was seen. A
   * guess that saves reading twice; never to be trusted alone.
   * @param blockBytes  the file's; the server's default for new files where undefined
   */
  expectedLayouts(
    path: string,
    blockBytes: number | undefined,
    signal: AbortSignal,
  ): Promise<readonly [RegularLayout, ...RegularLayout[]]>;

  /** @throws StorageError denied when this user may not make files in the directory */
  requireWritable(directory: string, signal: AbortSignal): Promise<void>;

  /**
   * What of a layout this place takes, as far as it has refused others in this process. Costs no request.
   * @returns what to send, and why the rest is left to the place's own defaults
   */
  takenLayout(path: string, layout: FileLayout): TakenLayout;

  /**
   * How this place refused an attribute for good in this process, for every path. Costs no request.
   * @param value  the owner's name
   */
  knownRefusal(path: string, attribute: 'owner' | 'acl' | 'xattr', value?: string): Promise<FanoutError | undefined>;

  /** Attributes, one request each; a place without one rejects with StorageError unsupported. */
  setPermission(path: string, permission: string, signal: AbortSignal): Promise<void>;
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
  /** @returns how the access time was refused, where the place keeps none: the modification time is set all the same */
  setTimes(
    path: string,
    modifiedAtMs: number,
    accessedAtMs: number | undefined,
    signal: AbortSignal,
  ): Promise<FanoutError | undefined>;
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
   * What new files below a directory are coded with; files that are there keep what they have.
   * @param policy  its name, or `REPLICATION`
   */
  setErasureCodingPolicy(directory: string, policy: string, signal: AbortSignal): Promise<void>;

  /** Ends idle connections. */
  close(): Promise<void>;
}

export interface Features {
  /** Owner, group, ACL and extended attributes mean something here. */
  readonly hadoopAttributes: boolean;
  /** A checksum is kept beside the data. */
  readonly storedChecksums: boolean;
}

/** A path of a namespace, which is named by whatever tells it from others. */
export interface LockedPath {
  readonly place: string;
  readonly path: string;
}

/** One entry of a listing. WebHDFS FileStatus. */
export interface FileStatus {
  /** Last component of the path. */
  readonly name: string;
  /** Why it cannot be copied although it should be: its name. Its kind is then `other`. */
  readonly refusal?: string;
  /** `other`: a symbolic link to a directory, a socket, a device: nothing that can be copied. */
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes; 0 for a directory. */
  readonly lengthBytes: number;
  readonly modifiedAtMs: number;
  /** 0 where the place keeps none. */
  readonly accessedAtMs: number;
  /** Bytes; the preferred block size of a file. */
  readonly blockBytes: number;
  readonly replication: number;
  readonly owner: string;
  readonly group: string;
  /** Octal, as on the wire: `644`, `1777`. */
  readonly permission: string;
  readonly hasAcl: boolean;
  /**
   * Its stored checksum says nothing of its content: in an encryption zone it is of the ciphertext, and of an erasure-coded file whose
   * stripes the server does not tell it cannot be computed.
   */
  readonly encrypted: boolean;
  /** Of an erasure-coded file; of a directory, what new files in it get. */
  readonly stripe: Stripe | undefined;
  /** Name of the erasure coding policy, `REPLICATION` where there is none; undefined where the place does not tell. */
  readonly ecPolicy?: string | undefined;
  /** The inode's number, which a rename keeps; undefined where the server gives none. */
  readonly fileId: number | undefined;
}

/** Who served a file: opaque, because it holds a URL with credentials. */
export interface Near {
  readonly host: string;
}

export interface Reading {
  /** Gives the connection back when the body will not be read. */
  readonly cancel: () => void;
  readonly body: AsyncIterable<Uint8Array>;
  readonly near: Near | undefined;
}

/** How a file's bytes are kept; the server's own choice where undefined. */
export interface FileLayout {
  readonly blockBytes: number | undefined;
  readonly replication: number | undefined;
}

/** Why a place does not take a layout. */
export interface LayoutRefusal {
  readonly attribute: 'replication' | 'blocksize';
  readonly error: FanoutError;
}

export interface TakenLayout extends FileLayout {
  readonly refused: readonly LayoutRefusal[];
}

/** Why a place does not give a file to another owner or group. */
export interface OwnerRefusal {
  readonly attribute: 'owner' | 'group';
  readonly error: FanoutError;
}

export interface WriteOptions extends FileLayout {
  /** Bytes that the body will have. */
  readonly lengthBytes: number;
  /** Octal. Where undefined, what the directory's default ACL gives to new files, and without one 644. */
  readonly permission: string | undefined;
  /** Fail where the layout is not taken, in place of writing with the place's own. */
  readonly strictLayout?: boolean;
  /** Replace what stands at the path at once (`--direct`). */
  readonly overwrite: boolean;
}

export interface Writing {
  readonly near: Near | undefined;
  /** What of the layout was not taken, if anything. */
  readonly refused?: readonly LayoutRefusal[];
}
