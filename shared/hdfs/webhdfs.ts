import { FanoutError, printable, SourceChangedError, TransportError, type Where } from '../errors.ts';
import type { Log } from '../log.ts';
import { AskedOnce } from '../asked-once.ts';
import { retry } from '../retry.ts';
import { familyOf, type FileChecksum, type RegularLayout, type JsonChecksum, parseFileChecksum } from './checksum.ts';
import type { Authentication } from './auth.ts';
import type { Cluster } from './cluster.ts';
import { connect } from './connect.ts';
import { Datanode } from './datanode.ts';
import { type JsonStatus, statusOf } from './file-status.ts';
import { RemoteAttributes } from './attributes.ts';
import type {
  FileLayout,
  FileStatus,
  FileSystem,
  Near,
  Reading,
  TakenLayout,
  WriteOptions,
  Writing,
} from './filesystem.ts';
import { codeOf, type Download, type Headers, splitUrl } from './http.ts';
import { LayoutLimits } from './layout-limits.ts';
import { OptionalOperations } from './optional-operations.ts';
import { basename, compareNames, join, normalize } from './path.ts';
import { hasCode, RemoteError, remoteErrorOf } from './remote-exception.ts';
import { Mounts, withMounts } from './mounts.ts';
import { ReplayedBody } from './replayed-body.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

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
  readonly #defaults = new AskedOnce<RegularLayout>();
  readonly #optional = new OptionalOperations();
  readonly #limits = new LayoutLimits();
  readonly #attributes: RemoteAttributes;
  /** CRC settings of the last checksum seen: clusters seldom mix them. */
  #crc: Pick<RegularLayout, 'crc' | 'bytesPerCrc'> | undefined;

  /** @param authentication  in place of what the definition says */
  constructor(cluster: Cluster, log: Log, authentication?: Authentication) {
    this.name = cluster.name;
    this.maxConcurrency = (cluster.max_concurrency ?? 0) > 0 ? cluster.max_concurrency : undefined;
    this.#rest = connect(cluster, log, authentication);
    this.#attributes = new RemoteAttributes(this.#rest);
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
    const parameters = { offset: 0, length: lengthBytes };
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
      if (!(error instanceof RemoteError) || !this.#limits.learn(cluster, error, layout)) throw error;
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
    await this.#rest.call('PUT', 'MKDIRS', path, modeOf(permission, '755', '777'), signal);
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
    const where = { operation: 'GETFILECHECKSUM', path };
    const text = await this.#checksumText(path, signal, near);
    try {
      const { FileChecksum: json } = JSON.parse(text) as { FileChecksum: JsonChecksum | null };
      if (json === null) return undefined;
      const checksum = parseFileChecksum(json);
      const family = familyOf(checksum);
      if (family && family.bytesPerCrc > 0) this.#crc = { crc: family.crc, bytesPerCrc: family.bytesPerCrc };
      return checksum;
    } catch {
      throw remoteErrorOf(200, text, where);
    }
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

  async expectedLayout(path: string, blockBytes: number | undefined, signal: AbortSignal): Promise<RegularLayout> {
    const defaults = await this.#defaultsOf(path, signal);
    return { ...(this.#crc ?? defaults), blockBytes: blockBytes ?? defaults.blockBytes };
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
      if (error instanceof RemoteError) this.#limits.learn(this.#keyOf(path), error, layout);
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
  #defaultsOf(path: string, signal: AbortSignal): Promise<RegularLayout> {
    interface Defaults {
      FsServerDefaults: { blockSize: number; bytesPerChecksum: number; checksumType: number };
    }
    return this.#defaults.of(this.#keyOf(path), async () => {
      try {
        const { FsServerDefaults: d } = await this.#rest.json<Defaults>('GET', 'GETSERVERDEFAULTS', path, {}, signal);
        // DataChecksum.Type: 1 is CRC32, 2 is CRC32C.
        const crc = d.checksumType === 1 ? 'CRC32' : 'CRC32C';
        return { crc, bytesPerCrc: d.bytesPerChecksum, blockBytes: d.blockSize };
      } catch (error) {
        if (!hasCode(error, 'invalid', 'unsupported', 'other')) throw error;
        return { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 128 * 1024 * 1024 };
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
      } catch {
        // The namenode knows another datanode, or a better reason.
        signal.throwIfAborted();
      }
    }
    const policy = { attempts: 5, totalMs: this.#rest.cluster.retry_timeout * 1000, baseMs: 200, capMs: 5000 };
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

/** The mode of something new: as told, or what `hdfs dfs` gives under its default umask, in which a default ACL has its say. */
function modeOf(permission: string | undefined, masked: string, unmasked: string): Parameters {
  return permission === undefined ? { permission: masked, unmaskedpermission: unmasked } : { permission };
}

function again({ code, exception, reason, where }: RemoteError, path: string): RemoteError {
  return new RemoteError(code, exception, '', where ?? { operation: 'CREATE', path }, { reason, disposition: 'retry' });
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
  return { body: exactly(body, lengthBytes, where, signal), cancel };
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
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
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
