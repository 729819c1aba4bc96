import { StorageError } from '../../shared/storage/errors.ts';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { basename, join, parentOf } from '../../shared/storage/path.ts';
import type { NameOrder } from '../../shared/storage/order.ts';
import type { FileStatus } from '../../shared/storage/storage.ts';

const status: FileStatus = {
  name: '',
  kind: 'file',
  lengthBytes: 1,
  modifiedAtMs: 1_700_000_000_000,
  accessedAtMs: 0,
  blockBytes: 134_217_728,
  replication: 1,
  owner: 'hdfs',
  group: 'supergroup',
  permission: '644',
  hasAcl: false,
  encrypted: false,
  stripe: undefined,
  fileId: undefined,
};

/** The order of names of S3 and most other tools: UTF-8 bytes, unsigned. */
export const byteOrder: NameOrder = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * A storage of names without content, which lists them in any order, in pages of any size, and tells what it was asked for. Paths that end
 * in a slash are directories, as are those that hold something.
 */
export class ListedTree extends LocalDisk {
  override readonly order: NameOrder;
  readonly #pageNames: number;
  readonly #children = new Map<string, Map<string, FileStatus>>([['/', new Map()]]);
  /** Directories whose listing is refused behind this many pages. */
  readonly refusedBehind = new Map<string, number>();
  /** `/directory 0`: each page that was asked for. */
  readonly asked: string[] = [];

  constructor(paths: readonly string[], order: NameOrder, pageNames = 2) {
    super(65_536);
    this.order = order;
    this.#pageNames = pageNames;
    for (const path of paths) this.#add(path);
  }

  #add(path: string): void {
    const names = path.split('/').filter(Boolean);
    let parent = '/';
    for (const [index, name] of names.entries()) {
      const isDirectory = index < names.length - 1 || path.endsWith('/');
      const children = this.#children.get(parent);
      if (!children) throw new Error(`${parent} is a file`);
      const kind = isDirectory ? 'directory' : 'file';
      if (!children.has(name)) children.set(name, { ...status, name, kind, lengthBytes: isDirectory ? 0 : 1 });
      parent = join(parent, name);
      if (isDirectory && !this.#children.has(parent)) this.#children.set(parent, new Map());
    }
  }

  override stat(path: string): Promise<FileStatus | undefined> {
    if (this.#children.has(path)) return Promise.resolve({ ...status, kind: 'directory', lengthBytes: 0 });
    return Promise.resolve(this.#children.get(parentOf(path))?.get(basename(path)));
  }

  override async *list(directory: string, _: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const children = this.#children.get(directory);
    const where = { operation: 'LIST', path: directory };
    if (!children) throw new StorageError('not-found', 'ENOENT', 'it is not there', where);
    const entries = [...children.values()]
      .filter(({ name }) => after === undefined || this.order(name, after) > 0)
      .sort((a, b) => this.order(a.name, b.name));
    for (let page = 0; page === 0 || page * this.#pageNames < entries.length; page++) {
      await Promise.resolve();
      this.asked.push(`${directory} ${page}`);
      if (page >= (this.refusedBehind.get(directory) ?? Infinity))
        throw new StorageError('denied', 'EACCES', 'refused', where);
      yield entries.slice(page * this.#pageNames, (page + 1) * this.#pageNames);
    }
  }
}
