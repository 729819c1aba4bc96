import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { StorageError } from '../../shared/storage/errors.ts';
import type { FileStatus } from '../../shared/storage/storage.ts';

/** As many as a namenode gives. */
const PAGE = 1000;
/** Long names, so that whoever keeps them shows it. */
const NAME_LENGTH = 60;

const common = {
  modifiedAtMs: 1_700_000_000_000,
  accessedAtMs: 1_700_000_000_000,
  replication: 3,
  owner: 'hdfs',
  group: 'supergroup',
  hasAcl: false,
  encrypted: false,
  stripe: undefined,
  fileId: undefined,
};

function directory(name: string): FileStatus {
  return { ...common, name, kind: 'directory', lengthBytes: 0, blockBytes: 0, permission: '755' };
}

function file(name: string): FileStatus {
  return { ...common, name, kind: 'file', lengthBytes: 65_536, blockBytes: 134_217_728, permission: '644' };
}

const nameOf = (prefix: string, index: number) => prefix + String(index).padStart(NAME_LENGTH - prefix.length, '0');
const levelsOf = (path: string) => path.split('/').length - 2;

/** What a directory holds: children by index, in the order of names. */
interface Children {
  readonly count: number;
  readonly at: (index: number) => FileStatus;
}

/** Trees below `/tree` that no disk could hold here. */
export const shapes = {
  /** As many directories as are asked for, a thousand in each of their parents, with a file each. */
  directories: (size: number) => (path: string) =>
    levelsOf(path) === 0
      ? { count: size / PAGE, at: (index) => directory(nameOf('p', index)) }
      : levelsOf(path) === 1
        ? { count: PAGE, at: (index) => directory(nameOf('d', index)) }
        : { count: 1, at: (index) => file(nameOf('f', index)) },
  /** One directory with all the others. */
  wide: (size: number) => (path: string) =>
    levelsOf(path) === 0
      ? { count: size, at: (index) => directory(nameOf('d', index)) }
      : { count: 1, at: (index) => file(nameOf('f', index)) },
  /** Each directory in the one before, beside a file. */
  deep: (size: number) => (path: string) =>
    levelsOf(path) < size
      ? { count: 2, at: (index) => (index === 0 ? directory('d') : file(nameOf('f', index))) }
      : { count: 0, at: () => file('none') },
  /** Files, a thousand in each directory, no two of one name. */
  files: (size: number) => (path: string) =>
    levelsOf(path) === 0
      ? { count: size / PAGE, at: (index) => directory(nameOf('d', index)) }
      : { count: PAGE, at: (index) => file(nameOf(path.slice(-8), index)) },
} satisfies Record<string, (size: number) => (path: string) => Children>;

export type Shape = keyof typeof shapes;

/** A storage whose tree is computed. */
export class SyntheticTree extends LocalDisk {
  readonly #children: (path: string) => Children;

  constructor(shape: Shape, size: number) {
    super(65_536);
    this.#children = shapes[shape](size);
  }

  override stat(path: string): Promise<FileStatus | undefined> {
    return Promise.resolve(path === '/tree' ? directory('tree') : undefined);
  }

  override async *list(path: string, _: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const { count, at } = this.#children(path);
    let begin = 0;
    if (after !== undefined) while (begin < count && at(begin++).name !== after);
    for (let index = begin; index < count; index += PAGE) {
      // As an answer from a server: in another turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      yield Array.from({ length: Math.min(PAGE, count - index) }, (_, i) => at(index + i));
    }
  }
}

/** A destination where nothing stands, and where each second directory cannot be made if `refuses`. */
export class SyntheticDestination extends LocalDisk {
  /** No limit of a path's length. */
  override readonly names = { unwritable: () => undefined };
  readonly #refuses: boolean;
  #made = 0;

  constructor(refuses: boolean) {
    super(65_536);
    this.#refuses = refuses;
  }

  get made(): number {
    return this.#made;
  }

  override stat(path: string): Promise<FileStatus | undefined> {
    return Promise.resolve(path === '/' ? directory('') : undefined);
  }

  override async makeDirectory(path: string): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#made += 1;
    if (this.#refuses && this.#made % 2 === 0) {
      throw new StorageError('quota', 'NSQuotaExceededException', 'no room', { operation: 'MKDIRS', path });
    }
  }
}
