import { setTimeout as sleep } from 'node:timers/promises';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import type { FanoutError } from '../../shared/errors.ts';
import { join } from '../../shared/storage/path.ts';
import type { FileStatus } from '../../shared/storage/storage.ts';

const status: FileStatus = {
  name: '',
  kind: 'directory',
  lengthBytes: 0,
  modifiedAtMs: 1_700_000_000_000,
  accessedAtMs: 0,
  blockBytes: 0,
  replication: 0,
  owner: 'hdfs',
  group: 'supergroup',
  permission: '755',
  hasAcl: false,
  encrypted: false,
  stripe: undefined,
  fileId: undefined,
};
const PAGE = 1000;

/**
 * A storage of nothing but directories below `/tree`, made as they are asked for. What is set is only counted: each directory's time differs
 * from that of another tree until it is set.
 */
export class DirectoryTree extends LocalDisk {
  readonly #widths: readonly number[];
  readonly #modifiedAtMs: number;
  readonly #requestMs: number;
  readonly #listingMs: number;
  readonly #set = new Map<string, number>();
  #open = 0;
  /** Pages of listings that are on their way. */
  #listing = 0;
  /** Most requests and pages of listings that were on their way at once. */
  peakWithListings = 0;
  /** Most requests for one directory that were on their way at once, listings left out. */
  peak = 0;
  stats = 0;
  /** Directories in the order in which they were set. */
  readonly setPaths: string[] = [];
  /** Directories that are not there, with all below them. */
  readonly gone = new Set<string>();
  /** What setting a directory's times is refused with. */
  readonly refused = new Map<string, FanoutError>();

  /**
   * @param widths  directories in each directory, level by level
   * @param modifiedAtMs  of every directory
   * @param requestMs  how long every request for one directory takes
   * @param listingMs  how long every page of a listing takes
   */
  constructor(widths: readonly number[], modifiedAtMs: number, { requestMs = 0, listingMs = 0 } = {}) {
    super(65_536);
    this.#widths = widths;
    this.#modifiedAtMs = modifiedAtMs;
    this.#requestMs = requestMs;
    this.#listingMs = listingMs;
  }

  override async stat(path: string): Promise<FileStatus | undefined> {
    this.stats += 1;
    return this.#request(() => (this.#isGone(path) ? undefined : this.#statusOf(path)));
  }

  override async *list(directory: string, _: AbortSignal, after?: string): AsyncIterable<readonly FileStatus[]> {
    const width = this.#widths[directory.split('/').length - 2] ?? 0;
    for (let at = after === undefined ? 0 : Number(after.slice(1)) + 1; ; at += PAGE) {
      this.#listing += 1;
      this.#see();
      await (this.#listingMs > 0 ? sleep(this.#listingMs) : undefined);
      this.#listing -= 1;
      const count = Math.min(PAGE, Math.max(0, width - at));
      yield Array.from({ length: count }, (_entry, index) => {
        const name = `d${String(at + index).padStart(6, '0')}`;
        return { ...this.#statusOf(join(directory, name)), name };
      });
      if (at + PAGE >= width) return;
    }
  }

  override readonly posix = {
    setPermission: () => Promise.resolve(),
    setTimes: (path: string, modifiedAtMs: number) =>
      this.#request(() => {
        const refusal = this.refused.get(path);
        if (refusal) throw refusal;
        this.setPaths.push(path);
        this.#set.set(path, modifiedAtMs);
        return undefined;
      }),
  };

  #statusOf(path: string): FileStatus {
    return { ...status, modifiedAtMs: this.#set.get(path) ?? this.#modifiedAtMs };
  }

  #isGone(path: string): boolean {
    return [...this.gone].some((one) => path === one || path.startsWith(`${one}/`));
  }

  #see(): void {
    this.peak = Math.max(this.peak, this.#open);
    this.peakWithListings = Math.max(this.peakWithListings, this.#open + this.#listing);
  }

  async #request<T>(answer: () => T): Promise<T> {
    this.#open += 1;
    this.#see();
    await sleep(this.#requestMs);
    this.#open -= 1;
    return answer();
  }
}
