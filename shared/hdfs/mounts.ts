import type { Cluster } from './cluster.ts';
import type { FileStatus } from '../storage/storage.ts';
import { isWithin, normalize } from '../storage/path.ts';
import { namenodeOrder } from '../storage/order.ts';

/** The mounts of a federated cluster, as directories of one tree. @see Hadoop's ViewFs (InodeTree) */
export class Mounts {
  readonly #mounts: readonly string[];

  constructor({ nameservices }: Cluster) {
    this.#mounts = [...new Set(nameservices.flatMap(({ mounts }) => mounts.map(normalize)))].sort();
  }

  /** Whether a nameservice serves the path itself. */
  serves(path: string): boolean {
    return this.#mounts.some((mount) => isWithin(path, mount));
  }

  /** The mounts below a path, without the path. */
  below(path: string): readonly string[] {
    return this.#mounts.filter((mount) => mount !== path && isWithin(mount, path));
  }

  /** Whether the path is a mount other than the cluster's root, or leads to one. */
  isSpanned(path: string): boolean {
    return (path !== '/' && this.#mounts.includes(path)) || this.below(path).length > 0;
  }

  /** The path itself and the mounts below it: what the nameservices serve of a tree. */
  servedWithin(path: string): readonly string[] {
    const below = this.below(path);
    return this.serves(path) || below.length === 0 ? [path, ...below] : below;
  }

  /** Names in a directory that are mounts or lead to one: the directory's own nameservice does not serve them. */
  namesIn(directory: string): ReadonlySet<string> {
    const prefix = directory === '/' ? '/' : `${directory}/`;
    return new Set(this.below(directory).map((mount) => mount.slice(prefix.length).split('/')[0] ?? ''));
  }
}

/** Puts mounts into a listing, in its order and in place of entries of the same names. */
export async function* withMounts(
  pages: AsyncIterable<readonly FileStatus[]>,
  names: ReadonlySet<string>,
  mounts: readonly FileStatus[],
): AsyncGenerator<readonly FileStatus[]> {
  let left = [...mounts].sort((a, b) => namenodeOrder(a.name, b.name));
  for await (const page of pages) {
    const last = page.at(-1)?.name;
    const due = left.filter(({ name }) => last !== undefined && namenodeOrder(name, last) <= 0);
    left = left.slice(due.length);
    const own = page.filter(({ name }) => !names.has(name));
    yield [...own, ...due].sort((a, b) => namenodeOrder(a.name, b.name));
  }
  if (left.length > 0) yield left;
}
