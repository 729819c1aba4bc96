import { messageOf, printable } from '../errors.ts';
import type { Log } from '../log.ts';
import { Once } from '../once.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import type { EntryCount, LostConnections, Room } from '../storage/capabilities.ts';
import type { Load } from '../storage/load.ts';
import type { Pace } from '../storage/pace.ts';
import { basename, join, normalize, parentOf } from '../storage/path.ts';
import { namenodeOrder } from '../storage/order.ts';
import type { ByteRange, FileStatus, LockedPath, Reading, Storage, WriteOptions, Writing } from '../storage/storage.ts';
import { Append } from './append.ts';
import { RemoteAttributes } from './attributes.ts';
import type { Authentication } from './auth.ts';
import { RemoteChecksums } from './checksums.ts';
import { ClosedLength } from './closed-length.ts';
import type { Cluster } from './cluster.ts';
import { Concat } from './concat.ts';
import { connect } from './connect.ts';
import { type JsonStatus, statusOf } from './file-status.ts';
import type { Turn } from '../limits/limits.ts';
import { LayoutLimits } from './layout-limits.ts';
import { complete, Listing } from './listing.ts';
import { Mounts, withMounts } from './mounts.ts';
import { HdfsNames } from './name-rules.ts';
import { namespaceIds } from './namespace.ts';
import type { Contact } from './nameservice.ts';
import { OptionalOperations } from './optional-operations.ts';
import { openFile } from './reading.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest, Parameters } from './rest.ts';
import { roomAt } from './room.ts';
import { RemoteSnapshots } from './snapshots.ts';
import { untrimmed } from './names.ts';
import { RemoteRelocation } from './relocation.ts';
import { RemoteTrash } from './trash.ts';
import { TwoStep } from './two-step.ts';
import { modeOf, Writer } from './writer.ts';

/** @see org.apache.hadoop.hdfs.web.JsonUtil#toJsonMap(ContentSummary) */
interface JsonSummary {
  readonly fileCount: number;
  readonly directoryCount: number;
  readonly snapshotFileCount?: number;
  readonly snapshotDirectoryCount?: number;
}

/** HDFS over WebHDFS. @see https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html */
export class WebHdfs implements Storage {
  readonly name: string;
  readonly maxConcurrency: number | undefined;
  /** Also of servers that list in another one: their directories are sorted here. */
  readonly order = namenodeOrder;
  readonly names: HdfsNames;
  readonly checksums: RemoteChecksums;
  readonly concatenation: Concat;
  readonly relocation: RemoteRelocation;
  readonly trash: RemoteTrash;
  readonly snapshots: RemoteSnapshots;
  readonly appending: Append;
  readonly hadoop: RemoteAttributes;
  readonly posix: RemoteAttributes;
  readonly load: Load;
  readonly lostConnections: LostConnections;
  readonly #rest: NamenodeRest;
  readonly #log: Log;
  readonly #root: string;
  readonly #mounts: Mounts;
  readonly #twoStep: TwoStep;
  readonly #listing: Listing;
  readonly #writer: Writer;
  readonly #closedLength: ClosedLength;
  readonly #replaces = new Once<boolean>();
  readonly #namespaces = new Once<readonly string[]>();
  readonly #optional = new OptionalOperations();

  /**
   * @param authentication  in place of what the definition says
   * @param contact  whether the cluster's addresses are known to be right
   * @param turn  what each request to a namenode waits for
   * @param pace  what transfers are held to
   */
  constructor(
    cluster: Cluster,
    log: Log,
    authentication?: Authentication,
    contact: Contact = 'first',
    turn?: Turn,
    pace?: Pace,
  ) {
    const rest = connect(cluster, log, authentication, contact, turn, pace);
    const limits = new LayoutLimits();
    this.name = cluster.name;
    this.maxConcurrency = (cluster.max_concurrency ?? 0) > 0 ? cluster.max_concurrency : undefined;
    this.#rest = rest;
    this.load = rest.load;
    this.#log = log;
    this.#root = normalize(cluster.root ?? '/');
    this.#mounts = new Mounts(cluster);
    this.#twoStep = new TwoStep(rest, log);
    this.lostConnections = this.#twoStep.avoided;
    this.#listing = new Listing(rest);
    this.#writer = new Writer(rest, this.#twoStep, limits, (path, signal) => this.#requireParent(path, signal));
    this.names = new HdfsNames(rest, this.#mounts);
    this.checksums = new RemoteChecksums(rest, this.#twoStep);
    this.concatenation = new Concat(rest);
    this.relocation = new RemoteRelocation(
      rest,
      (path, signal) => this.replacesAtOnce(path, signal),
      (path, signal) => this.trash.rootOf(path, signal),
    );
    this.trash = new RemoteTrash(rest, this.relocation);
    this.appending = new Append(rest, this.#twoStep);
    this.#closedLength = new ClosedLength(rest, this.checksums);
    this.snapshots = new RemoteSnapshots(rest, this.#mounts, this.#listing, this.#closedLength, (path, signal) =>
      this.#status(path, signal),
    );
    this.hadoop = new RemoteAttributes(rest, limits);
    this.posix = this.hadoop;
  }

  resolve(path: string): string {
    return normalize(path.startsWith('/') ? path : join(this.#root, path));
  }

  addressesOf(path: string): readonly string[] {
    return [...new Set(this.#mounts.servedWithin(path).flatMap((served) => this.#rest.nameservice(served).addresses))];
  }

  async lockedPaths(path: string, signal: AbortSignal): Promise<readonly LockedPath[]> {
    const locked = await Promise.all(
      this.#mounts.servedWithin(path).map(async (served) => {
        const nameservice = this.#rest.nameservice(served);
        const ids = await this.#namespaces.of(this.#rest.keyOf(served), () =>
          namespaceIds(nameservice, this.#rest.http, this.#log, signal),
        );
        return [...new Set([...nameservice.addresses, ...ids])].map((namespace) => ({ namespace, path: served }));
      }),
    );
    return locked.flat();
  }

  isSpanned(path: string): boolean {
    return this.#mounts.isSpanned(path);
  }

  async stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    const below = this.#mounts.below(path);
    const own = await this.#ownStatus(path, signal);
    if (own) return own;
    // A directory that only leads to mounts is as the first of them that exists.
    for (const mount of below) {
      const status = await this.#status(mount, signal);
      if (status) return { ...status, name: basename(path), hasAcl: false, fileId: undefined };
    }
    return undefined;
  }

  /** What a path's own nameservice says: nothing of a directory that only leads to mounts. */
  async #ownStatus(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    const leads = !this.#mounts.serves(path) && this.#mounts.below(path).length > 0;
    return leads ? undefined : this.#status(path, signal);
  }

  async #status(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    try {
      const { FileStatus: status } = await this.#rest.json<{ FileStatus: JsonStatus }>(
        'GET',
        'GETFILESTATUS',
        path,
        {},
        signal,
      );
      return statusOf(complete(status, { operation: 'GETFILESTATUS', path }), basename(path));
    } catch (error) {
      // A path that leads through a file names nothing.
      if (hasCode(error, 'not-found', 'not-a-directory')) return undefined;
      throw error;
    }
  }

  async *list(directory: string, signal: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const names = this.#mounts.namesIn(directory);
    if (names.size === 0) {
      yield* this.#listing.of(directory, signal, after);
      return;
    }
    const found = await Promise.all([...names].map((name) => this.stat(join(directory, name), signal)));
    const mounts = found.filter((status) => status !== undefined);
    const due = mounts.filter(({ name }) => after === undefined || namenodeOrder(name, after) > 0);
    const own = this.#mounts.serves(directory) ? this.#listing.of(directory, signal, after) : none();
    yield* withMounts(mounts.length > 0 ? ifFound(own) : own, names, due);
  }

  read(path: string, range: ByteRange, signal: AbortSignal): Promise<Reading> {
    return openFile(this.#rest, this.#twoStep, path, range, signal);
  }

  write(path: string, body: AsyncIterable<Uint8Array>, options: WriteOptions, signal: AbortSignal): Promise<Writing> {
    return this.#writer.write(path, body, options, signal);
  }

  /** Namenodes heed `createparent`, and HttpFS does not know it. */
  async #requireParent(path: string, signal: AbortSignal): Promise<void> {
    if (await this.replacesAtOnce(path, signal)) return;
    const parent = await this.stat(parentOf(path), signal);
    if (parent?.kind === 'directory') return;
    throw new StorageError('not-found', 'FileNotFoundException', 'its directory is gone', {
      operation: 'CREATE',
      path,
    });
  }

  /**
   * A namenode does and HttpFS, which ignores `renameoptions`, does not. An operation that neither has tells them apart: a
   * namenode refuses the parameter in its own words.
   */
  replacesAtOnce(path: string, signal: AbortSignal): Promise<boolean> {
    return this.#replaces.of(this.#rest.keyOf(path), async () => {
      try {
        await this.#rest.call('GET', 'WHICHSERVER', path, {}, signal);
        return false;
      } catch (error) {
        if (!(error instanceof StorageError) || error.disposition === 'fail-job') throw error;
        return /webhdfs parameter "op"/.test(error.reason);
      }
    });
  }

  async rename(path: string, newPath: string, overwrite: boolean, signal: AbortSignal): Promise<void> {
    const parameters = { destination: untrimmed(newPath), renameoptions: overwrite ? 'OVERWRITE' : 'NONE' };
    const send = (moved: string, sent: Parameters) =>
      this.#rest.once(this.#rest.nameservice(moved), 'PUT', 'RENAME', moved, sent, signal);
    const { text } = await send(path, parameters).catch((error: unknown) => {
      this.names.learnFrom(messageOf(error), newPath);
      throw error;
    });
    const [, answer] = /"boolean"\s*:\s*(true|false)/.exec(text) ?? [];
    if (answer === undefined) {
      // A namenode that heeds renameoptions answers nothing; what a gateway says in its place proves nothing.
      if (text.trim() !== '') throw remoteErrorOf(200, text, { operation: 'RENAME', path });
      return;
    }
    const there = await this.stat(newPath, signal);
    if (answer === 'false' || !there) throw notRenamed(path, newPath, there ? 'exists' : 'not-found');
    if (there.kind !== 'directory') return;
    // A plain rename to a directory's name moved the file into it.
    await send(join(newPath, basename(path)), { destination: untrimmed(path) });
    throw notRenamed(path, newPath, 'exists');
  }

  async makeDirectory(path: string, permission: string | undefined, signal: AbortSignal): Promise<void> {
    const mode = modeOf(permission, '755', '777');
    const answer = await this.#rest.json<{ boolean?: boolean } | null>('PUT', 'MKDIRS', path, mode, signal);
    if (answer?.boolean === true) return;
    throw new StorageError('invalid', 'not made', 'the server answers that it made nothing', {
      operation: 'MKDIRS',
      path,
    });
  }

  async delete(path: string, signal: AbortSignal): Promise<boolean> {
    const { boolean } = await this.#rest.json<{ boolean: boolean }>(
      'DELETE',
      'DELETE',
      path,
      { recursive: false },
      signal,
    );
    return boolean;
  }

  /** @see https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html#Get_Content_Summary_of_a_Directory */
  async countEntries(directory: string, signal: AbortSignal): Promise<EntryCount | undefined> {
    const { ContentSummary: counted } = await this.#rest.json<{ ContentSummary: JsonSummary }>(
      'GET',
      'GETCONTENTSUMMARY',
      directory,
      {},
      signal,
    );
    // Deleted ones that snapshots hold are counted as well, of all but a path in a snapshot; HttpFS does not say how many these are.
    const isImage = directory.split('/').includes('.snapshot');
    const { snapshotFileCount: files = isImage ? 0 : undefined } = counted;
    const { snapshotDirectoryCount: directories = isImage ? 0 : undefined } = counted;
    if (files === undefined || directories === undefined) return undefined;
    // The directory itself counts as one.
    return { files: counted.fileCount - files, directories: counted.directoryCount - directories - 1 };
  }

  room(path: string, signal: AbortSignal): Promise<Room> {
    return roomAt(path, this.#rest, signal);
  }

  async closedLength(path: string, signal: AbortSignal): Promise<number | 'open'> {
    const length = await this.#closedLength.of(path, signal);
    if (length !== undefined) return length;
    const status = await this.stat(path, signal);
    if (!status) throw new StorageError('not-found', 'not found', '', { operation: 'GETFILESTATUS', path });
    return status.lengthBytes;
  }

  async requireWritable(directory: string, signal: AbortSignal): Promise<void> {
    // What is written below a directory that only leads to mounts is written to these.
    if (this.#mounts.below(directory).length > 0 && !(await this.#ownStatus(directory, signal))) return;
    await this.#optional.run(this.#rest.keyOf(directory), () =>
      this.#rest.call('GET', 'CHECKACCESS', directory, { fsaction: '-wx' }, signal),
    );
  }

  async close(): Promise<void> {
    await this.#rest.close();
  }
}

function notRenamed(from: string, to: string, code: 'exists' | 'not-found'): StorageError {
  const why =
    code === 'exists' ? `${printable(to)} exists` : `the file or the directory of ${printable(to)} does not exist`;
  return new StorageError(code, 'not renamed', why, { operation: 'RENAME', path: from });
}

async function* none(): AsyncGenerator<readonly FileStatus[]> {
  // Where no nameservice has the directory there is nothing but mounts.
}

/** The pages of a directory that may not be there. */
async function* ifFound(pages: AsyncIterable<readonly FileStatus[]>): AsyncGenerator<readonly FileStatus[]> {
  try {
    yield* pages;
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error;
  }
}
