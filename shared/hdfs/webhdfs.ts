import { FanoutError, messageOf, printable, SourceChangedError, TransportError, type Where } from '../errors.ts';
import type { Log } from '../log.ts';
import { Once } from '../once.ts';
import { retry } from '../retry.ts';
import {
  type CrcSettings,
  type FileChecksum,
  type JsonChecksum,
  layoutOf,
  layoutWith,
  parseFileChecksum,
  type RegularLayout,
} from '../storage/checksum.ts';
import type { Authentication } from './auth.ts';
import type { Cluster } from './cluster.ts';
import { connect } from './connect.ts';
import { Datanode } from './datanode.ts';
import { type JsonStatus, listedStatusOf, statusOf } from './file-status.ts';
import { RemoteAttributes } from './attributes.ts';
import type {
  FileLayout,
  FileStatus,
  Storage,
  LockedPath,
  Near,
  Reading,
  TakenLayout,
  WriteOptions,
  Writing,
} from '../storage/storage.ts';
import { codeOf, type Download, type Headers, splitUrl } from './http.ts';
import { LayoutLimits } from './layout-limits.ts';
import { OptionalOperations } from './optional-operations.ts';
import { basename, compareNames, join, normalize, parentOf } from '../storage/path.ts';
import { Mounts, withMounts } from './mounts.ts';
import { unreadableInHdfs, unwritableInHdfs } from './names.ts';
import type { Contact } from './nameservice.ts';
import { askedNameBytes, quotedNameBytes } from './name-limits.ts';
import { namespaceIds } from './namespace.ts';
import { unaddressable } from './misdirected.ts';
import { redirectOf } from './redirect.ts';
import { ReplayedBody } from './replayed-body.ts';
import type { NamenodeRest, Parameters } from './rest.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { remoteErrorOf } from './remote-exception.ts';

/** Tries of one GETFILECHECKSUM: a datanode asks others for their blocks, any of which may be gone for a moment. */
const CHECKSUM_TRIES = 3;

/** What a nameservice says of new files. */
interface Defaults extends RegularLayout {
  /** False with `dfs.checksum.type=NULL`. */
  readonly writesChecksums: boolean;
}

interface JsonPage {
  DirectoryListing?: {
    partialListing: { FileStatuses: { FileStatus: JsonStatus[] } };
    remainingEntries: number;
  } | null;
}

interface Statuses {
  FileStatuses: { FileStatus: JsonStatus[] };
}

/** The last character of ASCII. */
const DEL = '\u007f';

/** HDFS over WebHDFS. @see https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html */
export class WebHdfs implements Storage {
  readonly name: string;
  readonly features = { hadoopAttributes: true, storedChecksums: true };
  readonly maxConcurrency: number | undefined;
  readonly #rest: NamenodeRest;
  readonly #log: Log;
  readonly #root: string;
  readonly #mounts: Mounts;
  readonly #replaces = new Once<boolean>();
  readonly #defaults = new Once<Defaults>();
  readonly #namespaces = new Once<readonly string[]>();
  /** Bytes that a name may have, by nameservice, as far as that was asked or quoted. */
  readonly #nameBytes = new Map<string, number>();
  readonly #optional = new OptionalOperations();
  /** Nameservices whose listings come in another order. */
  readonly #unsorted = new Set<string>();
  /** The CRC settings of checksums seen, by their spelling, the last one at the end: clusters have one, or two after a change. */
  readonly #crcs = new Map<string, CrcSettings>();
  /** Nameservices that write no checksums and were seen to have none. */
  readonly #without = new Set<string>();
  readonly #limits = new LayoutLimits();
  readonly #attributes: RemoteAttributes;

  /**
   * @param authentication  in place of what the definition says
   * @param contact  whether the cluster's addresses are known to be right
   */
  constructor(cluster: Cluster, log: Log, authentication?: Authentication, contact: Contact = 'first') {
    this.name = cluster.name;
    this.maxConcurrency = (cluster.max_concurrency ?? 0) > 0 ? cluster.max_concurrency : undefined;
    this.#rest = connect(cluster, log, authentication, contact);
    this.#log = log;
    this.#attributes = new RemoteAttributes(this.#rest);
    this.#root = normalize(cluster.root ?? '/');
    this.#mounts = new Mounts(cluster);
  }

  resolve(path: string): string {
    return normalize(path.startsWith('/') ? path : join(this.#root, path));
  }

  placesOf(path: string): readonly string[] {
    return [...new Set(this.#servedWithin(path).flatMap((served) => this.#rest.nameservice(served).addresses))];
  }

  async lockedPaths(path: string, signal: AbortSignal): Promise<readonly LockedPath[]> {
    const locked = await Promise.all(
      this.#servedWithin(path).map(async (served) => {
        const nameservice = this.#rest.nameservice(served);
        const ids = await this.#namespaces.of(this.#keyOf(served), () =>
          namespaceIds(nameservice, this.#rest.http, this.#log, signal),
        );
        return [...new Set([...nameservice.addresses, ...ids])].map((place) => ({ place, path: served }));
      }),
    );
    return locked.flat();
  }

  /** The path itself and the mounts below it: what its nameservices serve of the tree. */
  #servedWithin(path: string): string[] {
    const below = this.#mounts.below(path);
    return this.#mounts.serves(path) || below.length === 0 ? [path, ...below] : [...below];
  }

  unreadable(path: string): string | undefined {
    return unreadableInHdfs(path);
  }

  unwritable(path: string): string | undefined {
    const [served = path] = this.#servedWithin(path);
    return unwritableInHdfs(path, this.#nameBytes.get(this.#keyOf(served)) ?? Infinity);
  }

  async learnNames(path: string, signal: AbortSignal): Promise<void> {
    for (const served of this.#servedWithin(path)) {
      const key = this.#keyOf(served);
      if (this.#nameBytes.has(key)) continue;
      const parent = parentOf(served);
      const directories = this.#mounts.serves(parent) && this.#keyOf(parent) === key ? [served, parent] : [served];
      let bytes: number | undefined;
      for (const directory of directories) bytes ??= await askedNameBytes(this.#rest, directory, signal);
      // Where it is not told, the first name that is refused tells it.
      if (bytes !== undefined) this.#nameBytes.set(key, bytes);
    }
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
      yield* this.#list(directory, signal, after);
      return;
    }
    const found = await Promise.all([...names].map((name) => this.stat(join(directory, name), signal)));
    const mounts = found.filter((status) => status !== undefined);
    const due = mounts.filter(({ name }) => after === undefined || compareNames(name, after) > 0);
    const own = this.#mounts.serves(directory) ? this.#list(directory, signal, after) : none();
    yield* withMounts(mounts.length > 0 ? ifFound(own) : own, names, due);
  }

  async *#list(directory: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly FileStatus[]> {
    const key = this.#keyOf(directory);
    if (this.#unsorted.has(key)) {
      yield await this.#whole(directory, signal, after);
      return;
    }
    let page = this.#page(directory, signal, after);
    let previous = after;
    for (let pages = 0; ; pages++) {
      const { entries, more } = await page;
      const sorted =
        isSorted(entries, previous) &&
        !(pages === 0 && more && (await this.#sortsOtherwise(directory, entries, signal)));
      if (!sorted) {
        this.#unsorted.add(key);
        if (pages > 0)
          throw new ListingError(directory, this.name, 'lists names in another order than a namenode does');
        yield await this.#whole(directory, signal, after);
        return;
      }
      // A router that merges the listings of several namenodes may repeat a name.
      const fresh = entries.filter(({ name }, i) => name !== (i === 0 ? previous : entries[i - 1]?.name));
      const last = fresh.at(-1)?.name;
      if (more && last === undefined)
        throw new ListingError(directory, this.name, 'sent a page without names, and says that more remain');
      // The next page is asked for while the caller works on this one.
      if (more) page = this.#page(directory, signal, last);
      page.catch(() => undefined);
      yield fresh;
      if (!more) return;
      previous = last;
    }
  }

  /** Everything at once, sorted here: for servers that sort in another order. */
  async #whole(directory: string, signal: AbortSignal, after?: string): Promise<readonly FileStatus[]> {
    const listed = await this.#rest.json<Partial<Statuses> | null>('GET', 'LISTSTATUS', directory, {}, signal);
    const statuses = statusesIn(listed, { operation: 'LISTSTATUS', path: directory });
    const named = new Map(statuses.map((status) => [status.pathSuffix, listedStatusOf(status)]));
    return [...named.values()]
      .filter(({ name }) => after === undefined || compareNames(name, after) > 0)
      .sort((a, b) => compareNames(a.name, b.name));
  }

  /**
   * Whether a server whose first page looks well sorts names outside ASCII behind the others, as object stores do: in a namenode's
   * order they come first, and nothing is behind DEL. Only what is no HDFS is asked: it knows no inodes.
   */
  async #sortsOtherwise(directory: string, entries: readonly FileStatus[], signal: AbortSignal): Promise<boolean> {
    if (entries.some(({ name, fileId }) => fileId !== undefined || name.charCodeAt(0) >= 0x80)) return false;
    const { entries: behind } = await this.#page(directory, signal, DEL);
    return behind.some(({ name }) => name.charCodeAt(0) >= 0x80);
  }

  async read(path: string, lengthBytes: number, signal: AbortSignal): Promise<Reading> {
    if (lengthBytes === 0) return { body: nothing(), near: undefined, cancel: () => undefined };
    // Without a length the answer's own shows whether the file is as long as it was listed, before a byte moves.
    const parameters = { offset: 0 };
    const answer = await this.#rest.open('OPEN', path, parameters, signal);
    const asked = { operation: 'OPEN', path };
    if ('body' in answer) {
      const host = splitUrl(this.#rest.nameservice(path).url).host;
      return { ...received(answer, lengthBytes, { ...asked, host }, signal), near: undefined };
    }
    if (answer.location === undefined) throw remoteErrorOf(answer.status, answer.text, asked);
    return this.#redirected(answer.location, asked, async ({ url, where, headers, near }) => {
      const opened = await this.#rest.http.open(url, where, signal, headers);
      if (!('body' in opened)) throw remoteErrorOf(opened.status, opened.text, where);
      return { ...received(opened, lengthBytes, where, signal), near };
    });
  }

  /** A layout that the cluster refuses is left to the cluster, which costs a request and no byte of the body. */
  async write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<Writing> {
    const cluster = this.#keyOf(path);
    const { refused, ...layout } = this.#limits.within(cluster, options);
    if (options.strictLayout && refused[0]) throw refused[0].error;
    const told = refused.length > 0 ? { refused } : {};
    if (!this.#limits.isOpen(cluster, layout)) {
      return { ...(await this.#create(path, body, { ...options, ...layout }, signal)), ...told };
    }
    const replayed = new ReplayedBody(body);
    try {
      const written = await this.#create(path, replayed.body(), { ...options, ...layout }, signal, true);
      this.#limits.noteTaken(cluster, layout);
      return { ...written, ...told };
    } catch (error) {
      if (!(error instanceof StorageError) || !this.#limits.learn(cluster, error, layout)) throw error;
      if (options.strictLayout) throw error;
      // Too much of it is gone: the next try knows better.
      if (!replayed.isWhole) throw again(error, path);
    }
    return this.write(path, replayed.body(), options, signal);
  }

  async #create(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
    patient = false,
  ): Promise<Pick<Writing, 'near'>> {
    const parameters = {
      overwrite: options.overwrite,
      blocksize: options.blockBytes,
      replication: options.replication,
      // HttpFS would make files executable.
      ...modeOf(options.permission, '644', '666'),
    };
    // The first step only asks for a datanode and changes nothing, so it may be sent again.
    const { location, text } = await this.#rest.call('PUT', 'CREATE', path, parameters, signal);
    if (location === undefined) throw remoteErrorOf(200, text, { operation: 'CREATE', path });
    return this.#redirected(location, { operation: 'CREATE', path }, async ({ url, where, headers, near }) => {
      const how = { headers, interim: near !== undefined, patient };
      const answer = await this.#rest.http.upload('PUT', url, body, options.lengthBytes, where, signal, how);
      if (answer.status !== 201) throw remoteErrorOf(answer.status, answer.text, where);
      return { near };
    });
  }

  /**
   * A namenode does and HttpFS, which ignores `renameoptions`, does not. An operation that neither has tells them apart: a
   * namenode refuses the parameter in its own words.
   */
  replacesAtOnce(path: string, signal: AbortSignal): Promise<boolean> {
    return this.#replaces.of(this.#keyOf(path), async () => {
      try {
        await this.#rest.call('GET', 'WHICHSERVER', path, {}, signal);
        return false;
      } catch (error) {
        if (!(error instanceof StorageError) || error.disposition === 'fail-job') throw error;
        return /webhdfs parameter "op"/.test(error.reason);
      }
    });
  }

  async rename(from: string, to: string, overwrite: boolean, signal: AbortSignal): Promise<void> {
    const parameters = { destination: untrimmed(to), renameoptions: overwrite ? 'OVERWRITE' : 'NONE' };
    const send = (source: string, sent: Parameters) =>
      this.#rest.once(this.#rest.nameservice(source), 'PUT', 'RENAME', source, sent, signal);
    const { text } = await send(from, parameters).catch((error: unknown) => {
      const limit = quotedNameBytes(messageOf(error));
      if (limit !== undefined) this.#nameBytes.set(this.#keyOf(to), limit);
      throw error;
    });
    const [, answer] = /"boolean"\s*:\s*(true|false)/.exec(text) ?? [];
    if (answer === undefined) {
      // A namenode that heeds renameoptions answers nothing; what a gateway says in its place proves nothing.
      if (text.trim() !== '') throw remoteErrorOf(200, text, { operation: 'RENAME', path: from });
      return;
    }
    const there = await this.stat(to, signal);
    if (answer === 'false' || !there) throw notRenamed(from, to, there ? 'exists' : 'not-found');
    if (there.kind !== 'directory') return;
    // A plain rename to a directory's name moved the file into it.
    await send(join(to, basename(from)), { destination: untrimmed(from) });
    throw notRenamed(from, to, 'exists');
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

  async checksum(path: string, signal: AbortSignal, near?: Near, lengthBytes = 0): Promise<FileChecksum | undefined> {
    if (this.#without.has(this.#keyOf(path))) return undefined;
    let text: string;
    try {
      text = await this.#checksumText(path, signal, near, lengthBytes);
    } catch (error) {
      // What stays wrong with a block's checksums (chunks of several sizes, say) looks like a datanode that is gone; a file whose
      // blocks are really gone cannot be read either.
      if (!hasCode(error, 'no-checksum', 'no-block')) throw error;
      return this.#noChecksum(path, signal);
    }
    let json: JsonChecksum | null | undefined;
    try {
      ({ FileChecksum: json } = JSON.parse(text) as { FileChecksum: JsonChecksum | null | undefined });
    } catch {
      throw remoteErrorOf(200, text, { operation: 'GETFILECHECKSUM', path });
    }
    if (!json?.algorithm) return this.#noChecksum(path, signal);
    const checksum = parseFileChecksum(json);
    const layout = layoutOf(checksum);
    if (layout) {
      const { crc, bytesPerCrc } = layout;
      const key = `${crc}/${bytesPerCrc}`;
      this.#crcs.delete(key);
      this.#crcs.set(key, { crc, bytesPerCrc });
    }
    return checksum;
  }

  /** Where new files get none either, no other file is asked about. */
  async #noChecksum(path: string, signal: AbortSignal): Promise<undefined> {
    if (!(await this.#defaultsOf(path, signal)).writesChecksums) this.#without.add(this.#keyOf(path));
  }

  async closedLength(path: string, signal: AbortSignal): Promise<number | 'open'> {
    // The answer also holds block tokens: nothing else of it is kept.
    interface Located {
      LocatedBlocks?: { fileLength: number; isUnderConstruction: boolean };
    }
    const range = { offset: 0, length: 1 };
    const json = await this.#ifKnown('GET_BLOCK_LOCATIONS', path, () =>
      this.#rest.json<Located>('GET', 'GET_BLOCK_LOCATIONS', path, range, signal),
    );
    const located = json?.LocatedBlocks;
    if (located) return located.isUnderConstruction ? 'open' : located.fileLength;
    try {
      await this.#checksumText(path, signal, undefined, 0);
    } catch (error) {
      if (hasCode(error, 'open')) return 'open';
      if (!hasCode(error, 'no-checksum', 'no-block')) throw error;
    }
    const status = await this.stat(path, signal);
    if (!status) throw new StorageError('not-found', 'not found', '', { operation: 'GETFILESTATUS', path });
    return status.lengthBytes;
  }

  async blockLengths(path: string, lengthBytes: number, signal: AbortSignal): Promise<readonly number[] | undefined> {
    interface Locations {
      BlockLocations: { BlockLocation: { offset: number; length: number }[] };
    }
    const range = { offset: 0, length: Math.max(1, lengthBytes) };
    const json = await this.#ifKnown('GETFILEBLOCKLOCATIONS', path, () =>
      this.#rest.json<Locations>('GET', 'GETFILEBLOCKLOCATIONS', path, range, signal),
    );
    if (!json) return undefined;
    const blocks = json.BlockLocations.BlockLocation;
    return [...blocks].sort((a, b) => a.offset - b.offset).map((block) => block.length);
  }

  async expectedLayouts(
    path: string,
    blockBytes: number | undefined,
    signal: AbortSignal,
  ): Promise<readonly [RegularLayout, ...RegularLayout[]]> {
    const defaults = await this.#defaultsOf(path, signal);
    // Until the first checksum tells, an HttpFS may be one that combines CRCs.
    const unknown = [{ crc: defaults.crc, bytesPerCrc: Infinity }];
    const [last = defaults, ...others] = [...this.#crcs.values()].reverse();
    const layout = (settings: CrcSettings) => layoutWith(settings, blockBytes ?? defaults.blockBytes);
    return [layout(last), ...(this.#crcs.size > 0 ? others : unknown).map(layout)];
  }

  async requireWritable(directory: string, signal: AbortSignal): Promise<void> {
    // What is written below a directory that only leads to mounts is written to these.
    if (this.#mounts.below(directory).length > 0 && !(await this.#ownStatus(directory, signal))) return;
    await this.#ifKnown('CHECKACCESS', directory, () =>
      this.#rest.call('GET', 'CHECKACCESS', directory, { fsaction: '-wx' }, signal),
    );
  }

  takenLayout(path: string, layout: FileLayout): TakenLayout {
    return this.#limits.within(this.#keyOf(path), layout);
  }

  knownRefusal(path: string, attribute: 'owner' | 'acl' | 'xattr', value?: string) {
    return this.#attributes.knownRefusal(path, attribute, value);
  }

  setPermission(path: string, permission: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.setPermission(path, permission, signal);
  }

  setOwner(path: string, owner: string | undefined, group: string | undefined, signal: AbortSignal) {
    return this.#attributes.setOwner(path, owner, group, signal);
  }

  setTimes(path: string, modifiedAtMs: number, accessedAtMs: number | undefined, signal: AbortSignal) {
    return this.#attributes.setTimes(path, modifiedAtMs, accessedAtMs, signal);
  }

  async setReplication(path: string, replication: number, signal: AbortSignal): Promise<void> {
    const layout = { replication, blockBytes: undefined };
    const { refused } = this.takenLayout(path, layout);
    if (refused[0]) throw refused[0].error;
    try {
      await this.#attributes.setReplication(path, replication, signal);
    } catch (error) {
      if (error instanceof StorageError) this.#limits.learn(this.#keyOf(path), error, layout);
      throw error;
    }
  }

  acl(path: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#attributes.acl(path, signal);
  }

  setAcl(path: string, acl: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.setAcl(path, acl, signal);
  }

  removeDefaultAcl(path: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.removeDefaultAcl(path, signal);
  }

  xattrs(path: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    return this.#attributes.xattrs(path, signal);
  }

  setXattr(path: string, name: string, value: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.setXattr(path, name, value, signal);
  }

  setErasureCodingPolicy(directory: string, policy: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.setErasureCodingPolicy(directory, policy, signal);
  }

  removeXattr(path: string, name: string, signal: AbortSignal): Promise<void> {
    return this.#attributes.removeXattr(path, name, signal);
  }

  async close(): Promise<void> {
    await this.#rest.close();
  }

  #keyOf(path: string): string {
    return this.#rest.nameservice(path).urls.join();
  }

  /** @returns undefined where the server does not know the operation, which it is asked about once */
  #ifKnown<T>(operation: string, path: string, ask: () => Promise<T>): Promise<T | undefined> {
    return this.#optional.run(`${operation} ${this.#keyOf(path)}`, ask);
  }

  /** What the server says new files look like; HDFS's own defaults from servers that do not say. Asked once. */
  #defaultsOf(path: string, signal: AbortSignal): Promise<Defaults> {
    interface Answer {
      FsServerDefaults: { blockSize: number; bytesPerChecksum: number; checksumType: number };
    }
    return this.#defaults.of(this.#keyOf(path), async () => {
      try {
        const { FsServerDefaults: d } = await this.#rest.json<Answer>('GET', 'GETSERVERDEFAULTS', path, {}, signal);
        // DataChecksum.Type: 0 is none, 1 is CRC32, 2 is CRC32C.
        const crc = d.checksumType === 1 ? 'CRC32' : 'CRC32C';
        const writesChecksums = d.checksumType !== 0;
        return { crc, bytesPerCrc: d.bytesPerChecksum, blockBytes: d.blockSize, writesChecksums };
      } catch (error) {
        if (!hasCode(error, 'invalid', 'unsupported', 'other')) throw error;
        return { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 128 * 1024 * 1024, writesChecksums: true };
      }
    });
  }

  /** One page of a listing: LISTSTATUS_BATCH, or everything at once from servers that lack it. */
  async #page(
    directory: string,
    signal: AbortSignal,
    after?: string,
  ): Promise<{ entries: FileStatus[]; more: boolean }> {
    const page = await this.#ifKnown('LISTSTATUS_BATCH', directory, () =>
      this.#rest.json<JsonPage>('GET', 'LISTSTATUS_BATCH', directory, startAfter(after), signal),
    );
    const where = { operation: page ? 'LISTSTATUS_BATCH' : 'LISTSTATUS', path: directory };
    const listed = page
      ? page.DirectoryListing?.partialListing
      : await this.#rest.json<Partial<Statuses> | null>('GET', 'LISTSTATUS', directory, {}, signal);
    const all = statusesIn(listed, where).map(listedStatusOf);
    // HttpFS ignores startAfter and gives everything; who heeds it, and gives names that come before it, has another order.
    const ignored = !page || all.some(({ name }) => name === after);
    const entries = ignored ? all.filter(({ name }) => after === undefined || compareNames(name, after) > 0) : all;
    if (!page) entries.sort((a, b) => compareNames(a.name, b.name));
    return { entries, more: (page?.DirectoryListing?.remainingEntries ?? 0) > 0 };
  }

  async #checksumText(path: string, signal: AbortSignal, near: Near | undefined, lengthBytes: number): Promise<string> {
    const { answerMs, dataMs } = this.#rest.http.patience;
    const limitMs = dataMs + checksumMs(lengthBytes);
    const at = async ({ url, where, headers }: Target) => {
      const { status, text } = await this.#rest.http.exchange('GET', url, where, signal, headers, limitMs);
      if (status !== 200) throw remoteErrorOf(status, text, where);
      return text;
    };
    const asked = { operation: 'GETFILECHECKSUM', path };
    if (near instanceof Datanode) {
      try {
        return await this.#redirected(near.checksumUrl, asked, at);
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'open', 'no-checksum')) throw error;
        // The namenode knows another datanode, or a better reason.
      }
    }
    const policy = {
      attempts: CHECKSUM_TRIES,
      totalMs: this.#rest.cluster.retry_timeout * 1000,
      baseMs: 200,
      capMs: 5000,
    };
    const again = (error: unknown) =>
      error instanceof TransportError || (error instanceof StorageError && error.disposition === 'retry')
        ? 'soon'
        : 'no';
    return retry(policy, signal, again, async () => {
      // A namenode only redirects; HttpFS computes it.
      const firstMs = this.#rest.nameservice(path).hasDatanodes ? answerMs : limitMs;
      const { location, text } = await this.#rest.call('GET', 'GETFILECHECKSUM', path, {}, signal, firstMs);
      return location === undefined ? text : this.#redirected(location, asked, at);
    });
  }

  /** The second step of an operation: at a datanode, or at the server itself when it redirects to itself. */
  #redirected<T>(location: string, asked: Where, step: (target: Target) => Promise<T>): Promise<T> {
    const nameservice = this.#rest.nameservice(asked.path);
    const { url, base } = redirectOf(location, nameservice, asked);
    const datanode = new Datanode(url, asked);
    const where = { ...asked, host: datanode.host };
    if (base !== undefined) {
      return this.#rest
        .followed(nameservice, base, (headers) => step({ url, where, headers, near: undefined }))
        .catch(throwPlainly);
    }
    nameservice.hasDatanodes = true;
    return this.#atDatanode(asked.path, where, () => step({ url, where, headers: {}, near: datanode })).catch(
      throwPlainly,
    );
  }

  /**
   * The second step of a redirected operation. A standby namenode redirects uploads and only the datanode finds out; and when
   * a datanode cannot be reached the error says that the namenode could.
   */
  async #atDatanode<T>(path: string, where: Where, step: () => Promise<T>): Promise<T> {
    const nameservice = this.#rest.nameservice(path);
    const namenode = nameservice.url;
    try {
      return await step();
    } catch (error) {
      if (hasCode(error, 'standby')) nameservice.failOver(namenode);
      // The token of the redirect ran out or was replaced meanwhile: the namenode knows, when it is asked again.
      if (error instanceof StorageError && hasCode(error, 'token', 'unauthenticated')) {
        throw new StorageError(error.code, error.exception, error.reason, where, { disposition: 'retry' });
      }
      // A source that breaks off also ends the upload: its error is its own.
      if (!(error instanceof TransportError) || error.where !== where) throw error;
      const unresolved = codeOf(error.cause) === 'ENOTFOUND';
      // A certificate that one datanode cannot use is no reason to stop: another one may have the file as well.
      const closed = codeOf(error.cause) === 'UND_ERR_DESTROYED';
      throw new TransportError(
        `the datanode could not be used: ${error.reason}; the namenode ${splitUrl(namenode).host} works`,
        where,
        {
          cause: error.cause,
          disposition: closed ? 'fail-job' : 'retry',
          remedy: unresolved
            ? `make the name ${where.host?.replace(/:\d+$/, '') ?? ''} resolve on this machine, or name its address in datanode_addresses`
            : (error.remedy ?? 'check that this machine reaches the datanode'),
        },
      );
    }
  }
}

/** A datanode takes request lines of up to 4,096 bytes, and says no more than that it cannot read longer ones. */
function throwPlainly(error: unknown): never {
  throw unaddressable(error) ?? error;
}

function statusesIn(listed: Partial<Statuses> | null | undefined, where: Where): readonly JsonStatus[] {
  const statuses = listed?.FileStatuses?.FileStatus;
  if (!Array.isArray(statuses)) throw remoteErrorOf(200, JSON.stringify(listed ?? null), where);
  return statuses.map((status) => complete(status, where));
}

/** @throws StorageError when JSON came that is none of HDFS's: something else answers at the URL */
function complete(status: JsonStatus | null | undefined, where: Where): JsonStatus {
  if (typeof status?.type === 'string') return status;
  throw remoteErrorOf(200, JSON.stringify(status ?? null), where);
}

/** Where the second step of an operation goes, and what it is sent there. */
interface Target {
  readonly url: string;
  readonly where: Where;
  readonly headers: Headers;
  /** Undefined when it is the server itself. */
  readonly near: Datanode | undefined;
}

/**
 * What a file's checksum may take longer because of its length, ms: whoever computes it asks for each block's, one after the other, and for
 * erasure-coded files may have to read a lost block's stripes. A second for 64 MiB: two for a block of the usual size.
 * @see Hadoop FileChecksumHelper
 */
function checksumMs(lengthBytes: number): number {
  return Math.ceil(lengthBytes / (64 * 1024 * 1024)) * 1000;
}

/** The mode of something new: as told, or what `hdfs dfs` gives under its default umask, in which a default ACL has its say. */
function modeOf(permission: string | undefined, masked: string, unmasked: string): Parameters {
  return permission === undefined ? { permission: masked, unmaskedpermission: unmasked } : { permission };
}

function again({ code, exception, reason, where }: StorageError, path: string): StorageError {
  return new StorageError(code, exception, '', where ?? { operation: 'CREATE', path }, {
    reason,
    disposition: 'retry',
  });
}

/** HttpFS cuts white space off the end of a parameter, but not before a slash, which the path loses anyway. */
function untrimmed(path: string): string {
  return /[\0- ]$/.test(path) ? `${path}/` : path;
}

function notRenamed(from: string, to: string, code: 'exists' | 'not-found'): StorageError {
  const why =
    code === 'exists' ? `${printable(to)} exists` : `the file or the directory of ${printable(to)} does not exist`;
  return new StorageError(code, 'not renamed', why, { operation: 'RENAME', path: from });
}

/**
 * A namenode that finds a capital letter among the names of parameters spells them all anew, and thereby decodes `%65` a second time and takes
 * `{x}` for something to fill in. The same parameter in small letters is read as it is sent; HttpFS and its relatives know only the other one.
 * @see Hadoop ParamFilter
 */
function startAfter(name: string | undefined): Parameters {
  return name !== undefined && /[%{}]/.test(name) ? { startafter: name } : { startAfter: name };
}

/** Whether names only go up; a name may come twice. @param previous  the last one of the page before */
function isSorted(entries: readonly FileStatus[], previous: string | undefined): boolean {
  return entries.every(({ name }, i) => {
    const before = i === 0 ? previous : entries[i - 1]?.name;
    return before === undefined || compareNames(before, name) <= 0;
  });
}

/** Going on with a listing that cannot be trusted would lose files in silence: two of them are merged by their order. */
class ListingError extends FanoutError {
  override readonly name = 'ListingError';
  constructor(path: string, cluster: string, what: string) {
    super(`cluster ${cluster} ${what}`, {
      disposition: 'fail-unit',
      where: { operation: 'LISTSTATUS_BATCH', path },
      remedy: 'copy this directory through another address of the cluster: a namenode, or HttpFS before it',
    });
  }
}

function received(
  { body, lengthBytes: sent }: Download,
  lengthBytes: number,
  where: Where,
  signal: AbortSignal,
): Pick<Reading, 'body' | 'cancel'> {
  const cancel = () => void body.on('error', () => undefined).destroy();
  if (sent !== undefined && sent < lengthBytes) {
    cancel();
    throw new SourceChangedError(`it has shrunk from ${lengthBytes} to ${sent} bytes since it was listed`, where);
  }
  if (sent !== undefined && sent > lengthBytes) {
    cancel();
    throw hasGrown(lengthBytes, where);
  }
  return { body: exactly(body, lengthBytes, where, signal), cancel };
}

function hasGrown(lengthBytes: number, where: Where): SourceChangedError {
  return new SourceChangedError(`it has grown beyond ${lengthBytes} bytes since it was listed`, where);
}

/** Passes a body on and insists on its length. */
async function* exactly(
  body: AsyncIterable<Uint8Array>,
  lengthBytes: number,
  where: Where,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  try {
    for await (const chunk of body) {
      seen += chunk.length;
      if (seen > lengthBytes) throw hasGrown(lengthBytes, where);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SourceChangedError) throw error;
    throw new TransportError(`the datanode broke off after ${seen} of ${lengthBytes} bytes`, where, { cause: error });
  }
  if (seen !== lengthBytes) {
    throw new TransportError(`the datanode sent ${seen} of ${lengthBytes} bytes`, where, {});
  }
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

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file has no body to ask for.
}
