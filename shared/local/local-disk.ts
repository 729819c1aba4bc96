import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { messageOf, SourceChangedError, type Where } from '../errors.ts';
import type { FileChecksum, RegularLayout } from '../hdfs/checksum.ts';
import type {
  FileLayout,
  FileStatus,
  FileSystem,
  Reading,
  TakenLayout,
  WriteOptions,
  Writing,
} from '../hdfs/filesystem.ts';
import { basename, compareNames, join } from '../hdfs/path.ts';
import { RemoteError, type RemoteCode } from '../hdfs/remote-exception.ts';

const PAGE = 1000;
/** Only says in which layout contents are compared; HDFS's default. */
const BLOCK_BYTES = 128 * 1024 * 1024;

/** This machine's disk as one end of a copy (`local:/path`): upload and download with the same engine. */
export class LocalDisk implements FileSystem {
  readonly name = 'local';
  readonly features = { hadoopAttributes: false, storedChecksums: false };
  readonly maxConcurrency = undefined;
  readonly #readBytes: number;

  /** @param readBytes  how much is read at once */
  constructor(readBytes: number) {
    this.#readBytes = readBytes;
  }

  resolve(path: string): string {
    return resolvePath(path);
  }

  placesOf(): readonly string[] {
    return ['local'];
  }

  async stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    signal.throwIfAborted();
    try {
      return await statusAt(path, basename(path));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
      throw localError(error, { operation: 'STAT', path });
    }
  }

  async *list(directory: string, signal: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const names = await attempt({ operation: 'LIST', path: directory }, () => readNames(directory));
    names.sort((a, b) => compareNames(a.name, b.name));
    const wanted = after === undefined ? names : names.filter(({ name }) => compareNames(name, after) > 0);
    for (let i = 0; i < wanted.length; i += PAGE) {
      signal.throwIfAborted();
      const page = wanted.slice(i, i + PAGE).map(({ name, readable }) => entryOf(directory, name, readable));
      yield (await Promise.all(page)).filter((entry) => entry !== undefined);
    }
  }

  async read(path: string, lengthBytes: number, signal: AbortSignal): Promise<Reading> {
    const where = { operation: 'READ', path };
    const handle = await attempt(where, () => fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    const readBytes = this.#readBytes;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (let at = 0; at < lengthBytes;) {
          signal.throwIfAborted();
          const size = Math.min(readBytes, lengthBytes - at);
          const { buffer, bytesRead } = await attempt(where, () => handle.read(Buffer.allocUnsafe(size), 0, size, at));
          if (bytesRead === 0) {
            throw new SourceChangedError(`it has shrunk from ${lengthBytes} to ${at} bytes since it was listed`, where);
          }
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    }
    return { body: body(), near: undefined, cancel: () => void handle.close().catch(() => undefined) };
  }

  async write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    { overwrite, permission }: WriteOptions,
    signal: AbortSignal,
  ): Promise<Writing> {
    const where = { operation: 'WRITE', path };
    // Nobody else reads it before it has its own permission.
    const mode = permission === undefined ? undefined : 0o600;
    const handle = await attempt(where, () => fs.open(path, overwrite ? 'w' : 'wx', mode));
    try {
      for await (const chunk of body) {
        signal.throwIfAborted();
        // writeFile goes on after a write of which a full disk took only a part, as write does not.
        await attempt(where, () => handle.writeFile(chunk));
      }
      await attempt(where, async () => {
        if (permission !== undefined) await handle.chmod(modeOf(permission));
        // The name is given to what is on the disk, not to what is still in memory.
        await handle.datasync();
      });
    } finally {
      await handle.close();
    }
    return { near: undefined };
  }

  replacesAtOnce(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async rename(from: string, to: string, overwrite: boolean): Promise<void> {
    await attempt({ operation: 'RENAME', path: to }, async () => {
      if (overwrite) return fs.rename(from, to);
      // A link fails where something stands; a rename would replace it.
      await fs.link(from, to);
      await fs.unlink(from);
    });
  }

  async makeDirectory(path: string, permission: string | undefined): Promise<void> {
    await attempt({ operation: 'MKDIR', path }, async () => {
      const made = await fs.mkdir(path, { recursive: true });
      if (made !== undefined && permission !== undefined) await fs.chmod(path, modeOf(permission));
    });
  }

  async delete(path: string): Promise<boolean> {
    try {
      await fs.unlink(path);
      return true;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
      throw localError(error, { operation: 'DELETE', path });
    }
  }

  checksum(): Promise<FileChecksum | undefined> {
    return Promise.resolve(undefined);
  }

  blockLengths(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  expectedLayout(): Promise<RegularLayout> {
    return Promise.resolve({ crc: 'CRC32C', bytesPerCrc: 512, blockBytes: BLOCK_BYTES });
  }

  async requireWritable(directory: string): Promise<void> {
    await attempt({ operation: 'ACCESS', path: directory }, () =>
      fs.access(directory, constants.W_OK | constants.X_OK),
    );
  }

  async setPermission(path: string, permission: string): Promise<void> {
    await attempt({ operation: 'CHMOD', path }, () => fs.chmod(path, modeOf(permission)));
  }

  async setTimes(path: string, modifiedAtMs: number, accessedAtMs: number | undefined): Promise<undefined> {
    await attempt({ operation: 'UTIMES', path }, async () => {
      const accessed = accessedAtMs === undefined ? (await fs.stat(path)).atime : new Date(accessedAtMs);
      await fs.utimes(path, accessed, new Date(modifiedAtMs));
    });
  }

  /** The disk's own blocks are not a file's. */
  takenLayout(_path: string, layout: FileLayout): TakenLayout {
    return { ...layout, refused: [] };
  }

  knownRefusal(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  setReplication(path: string): Promise<void> {
    return unsupported('SETREPLICATION', path);
  }

  setOwner(path: string): Promise<never> {
    return unsupported('CHOWN', path);
  }

  acl(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  setAcl(path: string): Promise<void> {
    return unsupported('SETACL', path);
  }

  xattrs(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  removeDefaultAcl(path: string): Promise<void> {
    return unsupported('REMOVEDEFAULTACL', path);
  }

  removeXattr(path: string): Promise<void> {
    return unsupported('REMOVEXATTR', path);
  }

  setXattr(path: string): Promise<void> {
    return unsupported('SETXATTR', path);
  }

  close(): Promise<void> {
    return Promise.resolve();
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
  if (!readable) return { ...statusOf(name, await fs.stat(directory)), kind: 'other' };
  try {
    const status = await statusAt(path, name);
    const link = status.kind === 'directory' && (await fs.lstat(path)).isSymbolicLink();
    return link ? { ...status, kind: 'other' } : status;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      const link = await fs.lstat(path).catch(() => undefined);
      return link && { ...statusOf(name, link), kind: 'other' };
    }
    throw localError(error, { operation: 'STAT', path });
  }
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

async function attempt<T>(where: Where, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localError(error, where);
  }
}

function unsupported(operation: string, path: string): Promise<never> {
  const where = { operation, path };
  return Promise.reject(new RemoteError('unsupported', 'local disk', 'it keeps no such attribute', where));
}

const codes: Readonly<Record<string, RemoteCode>> = {
  ENOENT: 'not-found',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EEXIST: 'exists',
  ENOSPC: 'quota',
  EDQUOT: 'quota',
  ENOTDIR: 'not-a-directory',
  EISDIR: 'invalid',
  ENAMETOOLONG: 'invalid',
};

function localError(error: unknown, where: Where): unknown {
  const code = codeOf(error);
  return code === '' ? error : new RemoteError(codes[code] ?? 'io', code, messageOf(error), where);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : '';
}
