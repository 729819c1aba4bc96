import type { Capabilities, FileLayout, LayoutRefusal, Near } from './capabilities.ts';
import type { Stripe } from './checksum.ts';
import type { NameOrder } from './order.ts';

/**
 * The contract between the copy engine and anything that holds files: what all storages can do. What only some can do are optional
 * members (`Capabilities`). One test suite (test/contract/storage-*) runs against every implementation, and against a decorated one.
 *
 * Every method may be called many times at once, stops when its `signal` aborts, and throws only `FanoutError`s (their `disposition`
 * says what to do next) or the signal's reason. Implementations retry what may safely be sent again; `read`, `write` and
 * `rename` are tried once, because only the caller can say what a second try means.
 */
export interface Storage extends Capabilities {
  /** The cluster's alias, or `local`: for messages. */
  readonly name: string;
  /** Transfers at once that the storage allows, or undefined when it does not say. */
  readonly maxConcurrency: number | undefined;
  /** How its listings are ordered. */
  readonly order: NameOrder;

  /** A path as the user wrote it, made absolute and normal. */
  resolve(path: string): string;
  /** The addresses that serve a path. Two storages that share one are the same there; two aliases of one storage may share none. */
  addressesOf(path: string): readonly string[];
  /**
   * What is locked for a job that writes to a path: that path in each namespace that serves it, or a mount below it. Two aliases
   * of one storage share at least one entry if the storage tells who it is.
   */
  lockedPaths(path: string, signal: AbortSignal): Promise<readonly LockedPath[]>;

  /** The entry itself; undefined when there is none (a result, not an error). */
  stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined>;

  /**
   * The children of a directory in pages, in the storage's own `order`, each name once.
   * @param after  only names after this one, so that a listing can be continued
   * @throws StorageError not-found when the directory does not exist
   */
  list(directory: string, signal: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]>;

  /**
   * Reads a part of a file, or all of it. The body ends after exactly `range.lengthBytes`, or throws: a connection that ends early is an
   * error, never a short file.
   * @throws SourceChangedError when the file is found to have another length than `range.fileBytes`, before the body if the server tells it
   *   by then; a range that does not reach to the end of the file may not show that it has grown
   */
  read(path: string, range: ByteRange, signal: AbortSignal): Promise<Reading>;

  /**
   * Writes a new file and resolves when it is closed and whole as far as the server knows. May make missing parents, without any attributes.
   * Asks `body` for a piece only when it has done with the one before.
   * When it rejects, a shorter file may stand at the path: the caller deletes it.
   * @throws StorageError exists when something stands at the path
   */
  write(path: string, body: AsyncIterable<Uint8Array>, options: WriteOptions, signal: AbortSignal): Promise<Writing>;

  /**
   * Moves one file inside a namespace, and where `replacesAtOnce` also a directory with all that is in it, in one step. With `overwrite`, and
   * where `replacesAtOnce`, an old file is replaced in that step, so that a reader sees the old one or the new one.
   * @throws StorageError exists (without `overwrite`), not-found; TransportError when the answer was lost: it may have worked
   */
  rename(path: string, newPath: string, overwrite: boolean, signal: AbortSignal): Promise<void>;

  /**
   * Makes a directory and its missing parents; one that exists is left as it is.
   * @param permission  octal, as on the wire; where undefined, what the parent's default ACL gives, and without one 755
   */
  makeDirectory(path: string, permission: string | undefined, signal: AbortSignal): Promise<void>;

  /** Deletes a file or an empty directory. @returns false when there was none */
  delete(path: string, signal: AbortSignal): Promise<boolean>;

  /** Ends idle connections. */
  close(): Promise<void>;
}

/** A path of a namespace, which is named by whatever tells it from others. */
export interface LockedPath {
  readonly namespace: string;
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
  /** 0 where the storage keeps none. */
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
  /** Name of the erasure coding policy, `REPLICATION` where there is none; undefined where the storage does not tell. */
  readonly ecPolicy?: string | undefined;
  /** Of a directory: name of the storage policy that files in it get; undefined where none is set, or the storage does not tell. */
  readonly storagePolicy?: string | undefined;
  /** The inode's number, which a rename keeps; undefined where the server gives none. */
  readonly fileId: number | undefined;
  /** Of a directory that snapshots may be taken of, where the server tells it. */
  readonly isSnapshottable?: true;
  /** Of a file in a snapshot that somebody was writing when this was asked: it may grow there. Only where it was asked. */
  readonly isOpen?: true;
}

/** Which bytes of a file are read. */
export interface ByteRange {
  readonly offset: number;
  readonly lengthBytes: number;
  /** Length of the whole file, as it was listed. */
  readonly fileBytes: number;
}

/** All of a file that was listed with this length. */
export function allBytes(fileBytes: number): ByteRange {
  return { offset: 0, lengthBytes: fileBytes, fileBytes };
}

export interface Reading {
  /** Gives the connection back when the body will not be read. */
  readonly cancel: () => void;
  /** Each piece is good until the next one is asked for: its memory may then be filled again. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly near?: Near | undefined;
}

export interface WriteOptions extends FileLayout {
  /** Bytes that the body will have. */
  readonly lengthBytes: number;
  /** Octal. Where undefined, what the directory's default ACL gives to new files, and without one 644. */
  readonly permission: string | undefined;
  /** Fail where the layout is not taken, in place of writing with the storage's own. */
  readonly strictLayout?: boolean;
  /** Fail with not-found where the directory is gone, in place of making it anew. */
  readonly parentStands?: boolean;
  /** Replace what stands at the path at once (`--direct`). */
  readonly overwrite: boolean;
  /** Called as soon as it is known which server gets the bytes. */
  readonly onNear?: (near: Near) => void;
}

export interface Writing {
  readonly near?: Near | undefined;
  /** What of the layout was not taken, if anything. */
  readonly refused?: readonly LayoutRefusal[];
}
