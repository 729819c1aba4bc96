import { FanoutError, printable, SourceChangedError, TransportError, type Where } from '../errors.ts';
import type { Log } from '../log.ts';
import { AskedOnce } from '../asked-once.ts';
import { retry } from '../retry.ts';
import {
  type CrcSettings,
  type FileChecksum,
  type JsonChecksum,
  layoutOf,
  layoutWith,
  parseFileChecksum,
  type RegularLayout,
} from './checksum.ts';
import type { Authentication } from './auth.ts';
import type { Cluster } from './cluster.ts';
import { connect } from './connect.ts';
import { Datanode } from './datanode.ts';
import { type JsonStatus, statusOf } from './file-status.ts';
import { aclSpec, type AclStatus } from './acl.ts';
import type { FileStatus, FileSystem, Near, Reading, WriteOptions, Writing } from './filesystem.ts';
import { codeOf, type Download, type Headers, splitUrl } from './http.ts';
import { OptionalOperations } from './optional-operations.ts';
import { basename, compareNames, join, normalize } from './path.ts';
import { hasCode, RemoteError, remoteErrorOf } from './remote-exception.ts';
import { Mounts, withMounts } from './mounts.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

/** Tries of one GETFILECHECKSUM: a datanode asks others for their blocks, any of which may be gone for a moment. */
const CHECKSUM_TRIES = 3;

/** What a nameservice says of new files. */
interface Defaults extends RegularLayout {
  /** False with `dfs.checksum.type=NULL`. */
  readonly writesChecksums: boolean;
}

interface JsonPage {
  DirectoryListing: {
    partialListing: { FileStatuses: { FileStatus: JsonStatus[] } };
    remainingEntries: number;
  };
}

/** HDFS over WebHDFS. @see https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html */
export class WebHdfs implements FileSystem {
  readonly name: string;
  readonly features = { hadoopAttributes: true, storedChecksums: true };
  readonly maxConcurrency: number | undefined;
  readonly #rest: NamenodeRest;
  readonly #root: string;
  readonly #mounts: Mounts;
  readonly #replaces = new AskedOnce<boolean>();
  readonly #defaults = new AskedOnce<Defaults>();
  readonly #optional = new OptionalOperations();
  /** The CRC settings of checksums seen, by their spelling, the last one at the end: clusters have one, or two after a change. */
  readonly #crcs = new Map<string, CrcSettings>();
  /** Nameservices that write no checksums and were seen to have none. */
  readonly #without = new Set<string>();

  /** @param authentication  in place of what the definition says */
  constructor(cluster: Cluster, log: Log, authentication?: Authentication) {
    this.name = cluster.name;
    this.maxConcurrency = (cluster.max_concurrency ?? 0) > 0 ? cluster.max_concurrency : undefined;
    this.#rest = connect(cluster, log, authentication);
    this.#root = normalize(cluster.root ?? '/');
    this.#mounts = new Mounts(cluster);
  }

  resolve(path: string): string {
    return normalize(path.startsWith('/') ? path : join(this.#root, path));
  }

  placesOf(path: string): readonly string[] {
    const own = this.#mounts.serves(path) ? [path] : [];
    const places = [...own, ...this.#mounts.below(path)].flatMap((served) => this.#rest.nameservice(served).urls);
    return places.length === 0 ? this.#rest.nameservice(path).urls : [...new Set(places)];
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
      return statusOf(status, basename(path));
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
    let page = this.#page(directory, signal, after);
    let previous = after;
    for (;;) {
      const { entries, more } = await page;
      for (const { name } of entries) {
        if (previous !== undefined && compareNames(previous, name) >= 0)
          throw new ListingOrderError(directory, this.name);
        previous = name;
      }
      const last = entries.at(-1)?.name;
      // The next page is asked for while the caller works on this one.
      if (more && last !== undefined) page = this.#page(directory, signal, last);
      page.catch(() => undefined);
      yield entries;
      if (!more || last === undefined) return;
    }
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

  async write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<Writing> {
    const parameters = {
      overwrite: options.overwrite,
      blocksize: options.blockBytes,
      replication: options.replication,
      // HttpFS would make files executable.
      permission: options.permission ?? '644',
    };
    // The first step only asks for a datanode and changes nothing, so it may be sent again.
    const { location, text } = await this.#rest.call('PUT', 'CREATE', path, parameters, signal);
    if (location === undefined) throw remoteErrorOf(200, text, { operation: 'CREATE', path });
    return this.#redirected(location, { operation: 'CREATE', path }, async ({ url, where, headers, near }) => {
      const how = { headers, interim: near !== undefined };
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
        if (!(error instanceof RemoteError) || error.disposition === 'fail-job') throw error;
        return /webhdfs parameter "op"/.test(error.reason);
      }
    });
  }

  async rename(from: string, to: string, overwrite: boolean, signal: AbortSignal): Promise<void> {
    const parameters = { destination: untrimmed(to), renameoptions: overwrite ? 'OVERWRITE' : 'NONE' };
    const send = (source: string, sent: Parameters) =>
      this.#rest.once(this.#rest.nameservice(source), 'PUT', 'RENAME', source, sent, signal);
    const { text } = await send(from, parameters);
    const [, answer] = /"boolean"\s*:\s*(true|false)/.exec(text) ?? [];
    // A namenode that heeds renameoptions answers nothing.
    if (answer === undefined) return;
    const there = await this.stat(to, signal);
    if (answer === 'false' || !there) throw notRenamed(from, to, there ? 'exists' : 'not-found');
    if (there.kind !== 'directory') return;
    // A plain rename to a directory's name moved the file into it.
    await send(join(to, basename(from)), { destination: untrimmed(from) });
    throw notRenamed(from, to, 'exists');
  }

  async makeDirectory(path: string, permission: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#rest.call('PUT', 'MKDIRS', path, { permission }, signal);
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

  async checksum(path: string, signal: AbortSignal, near?: Near): Promise<FileChecksum | undefined> {
    if (this.#without.has(this.#keyOf(path))) return undefined;
    let text: string;
    try {
      text = await this.#checksumText(path, signal, near);
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
      await this.#checksumText(path, signal, undefined);
    } catch (error) {
      if (hasCode(error, 'open')) return 'open';
      if (!hasCode(error, 'no-checksum')) throw error;
    }
    const status = await this.stat(path, signal);
    if (!status) throw new RemoteError('not-found', 'not found', '', { operation: 'GETFILESTATUS', path });
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

  async setPermission(path: string, permission: string, signal: AbortSignal): Promise<void> {
    await this.#rest.call('PUT', 'SETPERMISSION', path, { permission }, signal);
  }

  async setOwner(path: string, owner: string, group: string, signal: AbortSignal): Promise<void> {
    await this.#rest.call('PUT', 'SETOWNER', path, { owner, group }, signal);
  }

  async setTimes(
    path: string,
    modifiedAtMs: number,
    accessedAtMs: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const times = { modificationtime: modifiedAtMs, accesstime: accessedAtMs ?? -1 };
    try {
      await this.#rest.call('PUT', 'SETTIMES', path, times, signal);
    } catch (error) {
      // With dfs.namenode.accesstime.precision=0 the namenode refuses both times for the sake of one.
      if (accessedAtMs === undefined || !(error instanceof Error && /[Aa]ccess ?time/.test(error.message))) throw error;
      await this.#rest.call('PUT', 'SETTIMES', path, { ...times, accesstime: -1 }, signal);
    }
  }

  async acl(path: string, signal: AbortSignal): Promise<string | undefined> {
    const { AclStatus: status } = await this.#rest.json<{ AclStatus: AclStatus }>(
      'GET',
      'GETACLSTATUS',
      path,
      {},
      signal,
    );
    return aclSpec(status);
  }

  async setAcl(path: string, acl: string, signal: AbortSignal): Promise<void> {
    await this.#rest.call('PUT', 'SETACL', path, { aclspec: acl }, signal);
  }

  async xattrs(path: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    interface XAttrs {
      XAttrs: { name: string; value: string | null }[];
    }
    const { XAttrs: list } = await this.#rest.json<XAttrs>('GET', 'GETXATTRS', path, { encoding: 'hex' }, signal);
    const copied = list.filter(({ name }) => /^(?:user|trusted)\./i.test(name));
    return new Map(copied.map(({ name, value }) => [name, value ?? '0x']));
  }

  async setXattr(path: string, name: string, value: string, signal: AbortSignal): Promise<void> {
    const parameters = { 'xattr.name': name, 'xattr.value': value, flag: 'CREATE,REPLACE' };
    await this.#rest.call('PUT', 'SETXATTR', path, parameters, signal);
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
    interface Statuses {
      FileStatuses: { FileStatus: JsonStatus[] };
    }
    const page = await this.#ifKnown('LISTSTATUS_BATCH', directory, () =>
      this.#rest.json<JsonPage>('GET', 'LISTSTATUS_BATCH', directory, { startAfter: after }, signal),
    );
    const { FileStatuses } =
      page?.DirectoryListing.partialListing ??
      (await this.#rest.json<Statuses>('GET', 'LISTSTATUS', directory, {}, signal));
    // HttpFS ignores startAfter and gives everything.
    const entries = FileStatuses.FileStatus.map((status) => statusOf(status)).filter(
      ({ name }) => after === undefined || compareNames(name, after) > 0,
    );
    if (!page) entries.sort((a, b) => compareNames(a.name, b.name));
    return { entries, more: (page?.DirectoryListing.remainingEntries ?? 0) > 0 };
  }

  async #checksumText(path: string, signal: AbortSignal, near: Near | undefined): Promise<string> {
    const at = async ({ url, where, headers }: Target) => {
      const { status, text } = await this.#rest.http.exchange('GET', url, where, signal, headers);
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
      error instanceof TransportError || (error instanceof RemoteError && error.disposition === 'retry')
        ? 'soon'
        : 'no';
    return retry(policy, signal, again, async () => {
      const { location, text } = await this.#rest.call('GET', 'GETFILECHECKSUM', path, {}, signal);
      return location === undefined ? text : this.#redirected(location, asked, at);
    });
  }

  /** The second step of an operation: at a datanode, or at the server itself when it redirects to itself. */
  #redirected<T>(location: string, asked: Where, step: (target: Target) => Promise<T>): Promise<T> {
    const datanode = new Datanode(location, asked);
    const where = { ...asked, host: datanode.host };
    const nameservice = this.#rest.nameservice(asked.path);
    if (nameservice.owns(location)) {
      return this.#rest.followed(nameservice, (headers) => step({ url: location, where, headers, near: undefined }));
    }
    return this.#atDatanode(asked.path, where, () => step({ url: datanode.url, where, headers: {}, near: datanode }));
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
      if (error instanceof RemoteError && hasCode(error, 'token', 'unauthenticated')) {
        throw new RemoteError(error.code, error.exception, error.reason, where, { disposition: 'retry' });
      }
      // A source that breaks off also ends the upload: its error is its own.
      if (!(error instanceof TransportError) || error.where !== where) throw error;
      const unresolved = codeOf(error.cause) === 'ENOTFOUND';
      throw new TransportError(
        `the datanode could not be used: ${error.reason}; the namenode ${splitUrl(namenode).host} works`,
        where,
        {
          cause: error.cause,
          disposition: error.disposition,
          remedy: unresolved
            ? `make the name ${where.host?.replace(/:\d+$/, '') ?? ''} resolve on this machine, or name its address in datanode_addresses`
            : (error.remedy ?? 'check that this machine reaches the datanode'),
        },
      );
    }
  }
}

/** Where the second step of an operation goes, and what it is sent there. */
interface Target {
  readonly url: string;
  readonly where: Where;
  readonly headers: Headers;
  /** Undefined when it is the server itself. */
  readonly near: Datanode | undefined;
}

/** HttpFS cuts white space off the end of a parameter, but not before a slash, which the path loses anyway. */
function untrimmed(path: string): string {
  return /[\0- ]$/.test(path) ? `${path}/` : path;
}

function notRenamed(from: string, to: string, code: 'exists' | 'not-found'): RemoteError {
  const why =
    code === 'exists' ? `${printable(to)} exists` : `the file or the directory of ${printable(to)} does not exist`;
  return new RemoteError(code, 'not renamed', why, { operation: 'RENAME', path: from });
}

/** Merging two listings that are sorted differently would lose files in silence. */
class ListingOrderError extends FanoutError {
  override readonly name = 'ListingOrderError';
  constructor(path: string, cluster: string) {
    super(`cluster ${cluster} lists names in another order than a namenode does`, {
      disposition: 'fail-job',
      where: { operation: 'LISTSTATUS_BATCH', path },
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
