import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join as joinPath, relative, resolve as resolvePath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SourceChangedError } from '../errors.ts';
import type { NameRules, Room } from '../storage/capabilities.ts';
import { LeastRate } from '../storage/least-rate.ts';
import { blocksMs, type Pace, STALL_MS } from '../storage/pace.ts';
import type { ByteRange, FileStatus, Storage, LockedPath, Reading, WriteOptions, Writing } from '../storage/storage.ts';
import { namenodeOrder } from '../storage/order.ts';
import { basename, join } from '../storage/path.ts';
import { codeOf, localError } from './disk-error.ts';
import { attempt, inTime } from './system-call.ts';

const PAGE = 1000;
/** HDFS's default. A disk's files have no such blocks: the number only says in which layout contents are compared. */
const BLOCK_BYTES = 128 * 1024 * 1024;
/** Bytes of one name, and of a whole path with its end: what Linux allows. */
const NAME_BYTES = 255;
const PATH_BYTES = 4095;
/** For how long the closing of a file is waited for of which nothing is wanted any more, ms. */
const CLOSE_MS = 1000;
/** How file systems without hard links refuse one: FAT, exFAT, SMB, many of FUSE; and one more to a file that has the most. */
const NO_LINK = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL'];

/** This machine's disk as a storage (`local:/path`): upload and download with the same engine. */
export class LocalDisk implements Storage {
  readonly name = 'local';
  readonly names: NameRules = { unwritable, mayIgnoreCase: true };
  readonly posix = { setPermission, setTimes };
  readonly maxConcurrency = undefined;
  readonly order = namenodeOrder;
  readonly #readBytes: number;
  readonly #pace: Pace;

  /** @param readBytes  how much is read at once */
  constructor(readBytes: number, pace: Pace = { leastRate: 0 }) {
    this.#readBytes = readBytes;
    this.#pace = pace;
  }

  resolve(path: string): string {
    return resolvePath(path);
  }

  addressesOf(): readonly string[] {
    return ['local'];
  }

  /** Symbolic links are followed as far as the path exists: two names of one directory lock the same. */
  async lockedPaths(path: string): Promise<readonly LockedPath[]> {
    for (let above = path; ; above = dirname(above)) {
      const real = await fs.realpath(above).catch(() => (above === '/' ? '/' : undefined));
      if (real !== undefined) return [{ namespace: 'local', path: joinPath(real, relative(above, path)) }];
    }
  }

  async stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    signal.throwIfAborted();
    const where = { operation: 'STAT', path };
    try {
      return await inTime(where, () => statusAt(path, basename(path)));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
      throw localError(error, where);
    }
  }

  async *list(directory: string, signal: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const names = await attempt({ operation: 'LIST', path: directory }, () => readNames(directory));
    names.sort((a, b) => namenodeOrder(a.name, b.name));
    const wanted = after === undefined ? names : names.filter(({ name }) => namenodeOrder(name, after) > 0);
    for (let i = 0; i < wanted.length; i += PAGE) {
      signal.throwIfAborted();
      const page = wanted.slice(i, i + PAGE).map(({ name, readable }) => entryOf(directory, name, readable));
      const listed = await attempt({ operation: 'LIST', path: directory }, () => Promise.all(page));
      yield listed.filter((entry) => entry !== undefined);
    }
  }

  async read(path: string, { offset, lengthBytes, fileBytes }: ByteRange, signal: AbortSignal): Promise<Reading> {
    const where = { operation: 'READ', path };
    const handle = await attempt(where, () => fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    const readBytes = this.#readBytes;
    const { stallMs = STALL_MS, leastRate } = this.#pace;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        const end = offset + lengthBytes;
        for (let at = offset; at < end;) {
          signal.throwIfAborted();
          const size = Math.min(readBytes, end - at);
          const read = () => handle.read(Buffer.allocUnsafe(size), 0, size, at);
          const { buffer, bytesRead } = await attempt(where, read, stallMs);
          if (bytesRead === 0) {
            throw new SourceChangedError(`it has shrunk from ${fileBytes} to ${at} bytes since it was listed`, where);
          }
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
        if (end < fileBytes) return;
        const readOn = () => handle.read(Buffer.allocUnsafe(1), 0, 1, fileBytes);
        const { bytesRead: more } = await attempt(where, readOn, stallMs);
        if (more > 0) throw new SourceChangedError(`it has grown beyond ${fileBytes} bytes since it was listed`, where);
      } finally {
        await closed(handle);
      }
    }
    const given = leastRate > 0 ? new LeastRate(leastRate, where, () => undefined).given(body()) : body();
    return { body: given, cancel: () => void closed(handle) };
  }

  async write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    { overwrite, permission, lengthBytes }: WriteOptions,
    signal: AbortSignal,
  ): Promise<Writing> {
    const where = { operation: 'WRITE', path };
    const { stallMs = STALL_MS, leastRate } = this.#pace;
    // What is replaced is another file with its own inode number, as in HDFS: that tells what was written from what stood there.
    // Held open, so that its number is not free for the new one.
    const old = overwrite
      ? await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
      : undefined;
    if (overwrite) await attempt(where, () => fs.rm(path, { force: true }));
    // Nobody else reads it before it has its own permission.
    const mode = permission === undefined ? 0o666 : 0o600;
    const handle = await attempt(where, () => fs.open(path, 'wx', mode)).finally(() => old?.close());
    const taken = leastRate > 0 ? new LeastRate(leastRate, where, () => undefined).taken(body) : body;
    try {
      for await (const chunk of taken) {
        signal.throwIfAborted();
        // writeFile goes on after a write of which a full disk took only a part, as write does not.
        await attempt(where, () => handle.writeFile(chunk), stallMs);
      }
      // A disk without permissions refuses some: to tell that is for whoever sets the attributes.
      if (permission !== undefined)
        await attempt(where, () => handle.chmod(modeOf(permission)).catch(ignoring('EPERM', 'ENOTSUP')));
      // The name is given to what is on the disk, not to what is still in memory.
      await attempt(where, () => handle.datasync(), STALL_MS + blocksMs(lengthBytes));
    } catch (error) {
      await closed(handle);
      throw error;
    }
    // A network file system may find only now that the disk is full.
    await attempt(where, () => handle.close(), STALL_MS + blocksMs(lengthBytes));
    return {};
  }

  replacesAtOnce(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async rename(path: string, newPath: string, overwrite: boolean): Promise<void> {
    await attempt({ operation: 'RENAME', path: newPath }, async () => {
      if (overwrite) return fs.rename(path, newPath);
      // A link fails where something stands; a rename would replace it.
      try {
        await fs.link(path, newPath);
      } catch (error) {
        if (!NO_LINK.includes(codeOf(error))) throw error;
        if ((await fs.lstat(path)).isDirectory()) return renameDirectory(path, newPath);
        return renameOverOwn(path, newPath);
      }
      await fs.unlink(path);
    });
  }

  async makeDirectory(path: string, permission: string | undefined): Promise<void> {
    await attempt({ operation: 'MKDIR', path }, async () => {
      const made = await fs.mkdir(path, { recursive: true });
      if (made !== undefined && permission !== undefined) await fs.chmod(path, modeOf(permission));
    });
  }

  async delete(path: string): Promise<boolean> {
    const where = { operation: 'DELETE', path };
    try {
      await inTime(where, () => fs.unlink(path));
      return true;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
      if (codeOf(error) === 'EISDIR') {
        await attempt({ operation: 'RMDIR', path }, () => fs.rmdir(path));
        return true;
      }
      throw localError(error, where);
    }
  }

  /** Of the file system on which the nearest directory lies that exists. Its free inodes are no quota of anybody. */
  async room(path: string): Promise<Room> {
    for (let above = path; ; above = dirname(above)) {
      const stats = await fs.statfs(above).catch(() => undefined);
      if (!stats && above !== '/') continue;
      const blocks = (count: number | undefined) => (count === undefined ? undefined : count * (stats?.bsize ?? 0));
      const [capacityBytes, freeBytes] = [blocks(stats?.blocks), blocks(stats?.bavail)];
      return { capacityBytes, freeBytes, replication: 1, quotas: [] };
    }
  }

  async requireWritable(directory: string): Promise<void> {
    await attempt({ operation: 'ACCESS', path: directory }, () =>
      fs.access(directory, constants.W_OK | constants.X_OK),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Why no file can be made at a path: what Linux refuses. */
function unwritable(path: string): string | undefined {
  if (path.includes('\0')) return 'a disk takes no NUL character in a name';
  if (!path.isWellFormed()) return 'its name is not valid Unicode';
  if (Buffer.byteLength(path) > PATH_BYTES) return `the disk takes no path of more than ${PATH_BYTES} bytes`;
  const long = path.split('/').find((name) => Buffer.byteLength(name) > NAME_BYTES);
  return long === undefined
    ? undefined
    : `its name has ${Buffer.byteLength(long)} bytes, and the disk takes at most ${NAME_BYTES}`;
}

/** @param permission  octal */
async function setPermission(path: string, permission: string): Promise<void> {
  await attempt({ operation: 'CHMOD', path }, () => fs.chmod(path, modeOf(permission)));
}

async function setTimes(path: string, modifiedAtMs: number, accessedAtMs: number | undefined): Promise<undefined> {
  await attempt({ operation: 'UTIMES', path }, async () => {
    const accessed = accessedAtMs === undefined ? (await fs.stat(path)).atime : new Date(accessedAtMs);
    await fs.utimes(path, accessed, new Date(modifiedAtMs));
  });
}

/** Takes the name by an empty file of its own, which fails where something stands, and renames over that. */
async function renameOverOwn(path: string, newPath: string): Promise<void> {
  await (await fs.open(newPath, 'wx')).close();
  try {
    await fs.rename(path, newPath);
  } catch (error) {
    await fs.unlink(newPath).catch(() => undefined);
    throw error;
  }
}

/** As above, with a directory: a rename replaces an empty one, and nothing else. */
async function renameDirectory(path: string, newPath: string): Promise<void> {
  await fs.mkdir(newPath);
  try {
    await fs.rename(path, newPath);
  } catch (error) {
    await fs.rmdir(newPath).catch(() => undefined);
    throw error;
  }
}

/** Names that are not UTF-8 cannot be told to HDFS: they are listed, and not readable. */
async function readNames(directory: string): Promise<{ name: string; readable: boolean }[]> {
  const names = await fs.readdir(directory, { encoding: 'buffer' });
  return names.map((bytes) => {
    const name = bytes.toString('utf8');
    return { name, readable: Buffer.from(name).equals(bytes) };
  });
}

/** Follows a symbolic link to a file; one to a directory could lead in circles and is passed over. */
async function entryOf(directory: string, name: string, readable: boolean): Promise<FileStatus | undefined> {
  const path = join(directory, name);
  if (!readable) {
    const refusal = 'its name is not UTF-8, and HDFS takes no other (rename it: convmv)';
    return { ...statusOf(name, await fs.stat(directory)), kind: 'other', refusal };
  }
  try {
    const status = await statusAt(path, name);
    const link = status.kind === 'directory' && (await fs.lstat(path)).isSymbolicLink();
    return link ? { ...status, kind: 'other' } : status;
  } catch (error) {
    const link = await fs.lstat(path).catch(() => undefined);
    if (!link) return undefined;
    const other = { ...statusOf(name, link), kind: 'other' as const };
    // A link to nothing or to itself is no file; what it stands for elsewhere may be one.
    return ['ENOENT', 'ELOOP'].includes(codeOf(error)) ? other : { ...other, refusal: messageOf(error) };
  }
}

function ignoring(...numbers: string[]): (error: unknown) => void {
  return (error) => {
    if (!numbers.includes(codeOf(error))) throw error;
  };
}

async function statusAt(path: string, name: string): Promise<FileStatus> {
  return statusOf(name, await fs.stat(path));
}

function statusOf(name: string, stats: Stats): FileStatus {
  return {
    name,
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    lengthBytes: stats.isFile() ? stats.size : 0,
    modifiedAtMs: Math.floor(stats.mtimeMs),
    accessedAtMs: Math.floor(stats.atimeMs),
    blockBytes: BLOCK_BYTES,
    replication: 0,
    owner: '',
    group: '',
    permission: (stats.mode & 0o1777).toString(8),
    hasAcl: false,
    encrypted: false,
    stripe: undefined,
    fileId: stats.ino,
  };
}

function modeOf(permission: string): number {
  return Number.parseInt(permission, 8);
}

/** Closes a file of which nothing is wanted any more. One in the middle of something that never ends is closed after that. */
async function closed(handle: fs.FileHandle): Promise<void> {
  const closing = handle.close().catch(() => undefined);
  await Promise.race([closing, sleep(CLOSE_MS, undefined, { ref: false })]);
}
