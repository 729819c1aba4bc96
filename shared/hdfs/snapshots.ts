import { StorageError, hasCode, isExists } from '../storage/errors.ts';
import type { SnapshotChange, Snapshots } from '../storage/capabilities.ts';
import { join, parentOf, snapshotPath } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';
import { namenodeOrder } from '../storage/order.ts';
import type { ClosedLength } from './closed-length.ts';
import type { Listing } from './listing.ts';
import type { Mounts } from './mounts.ts';
import { isUnknownOperation } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { SnapshotChanges } from './snapshot-changes.ts';
import { type Compared, notEarlier, SnapshotDiff } from './snapshot-diff.ts';

/** @see Hadoop FSDirSnapshotOp, SnapshotManager */
export class RemoteSnapshots implements Snapshots {
  readonly #rest: NamenodeRest;
  readonly #mounts: Mounts;
  readonly #listing: Listing;
  readonly #closedLength: ClosedLength;
  readonly #diff: SnapshotDiff;
  /** What a path's own nameservice says. */
  readonly #status: (path: string, signal: AbortSignal) => Promise<FileStatus | undefined>;

  constructor(
    rest: NamenodeRest,
    mounts: Mounts,
    listing: Listing,
    closedLength: ClosedLength,
    status: (path: string, signal: AbortSignal) => Promise<FileStatus | undefined>,
  ) {
    this.#rest = rest;
    this.#mounts = mounts;
    this.#listing = listing;
    this.#closedLength = closedLength;
    this.#status = status;
    this.#diff = new SnapshotDiff(rest);
  }

  async rootOf(path: string, signal: AbortSignal): Promise<string | undefined> {
    const reason = this.#obstacle(path);
    if (reason !== undefined) {
      throw new StorageError('unsupported', 'unsupported', '', { operation: 'CREATESNAPSHOT', path }, { reason });
    }
    // Above a mount is another namespace.
    const isHere = (above: string) => this.#mounts.serves(above) && this.#rest.keyOf(above) === this.#rest.keyOf(path);
    for (let at = path; isHere(at); at = parentOf(at)) {
      const status = await this.#status(at, signal);
      if (status?.isSnapshottable === true && (at !== '/' || (await this.#isAllowedAtTop(signal)))) return at;
      if (at === '/') return undefined;
    }
    return undefined;
  }

  #obstacle(path: string): string | undefined {
    if (path.split('/').includes('.snapshot')) return 'it lies in a snapshot already';
    const [mount] = this.#mounts.below(path);
    return mount === undefined ? undefined : `another namespace begins at ${mount}, and no snapshot spans two`;
  }

  /** HDFS says of its root that it is snapshottable also where it may have no snapshot; whoever could make one can ask for the list of such. */
  async #isAllowedAtTop(signal: AbortSignal): Promise<boolean> {
    interface Allowed {
      SnapshottableDirectoryList?: { parentFullPath: string; dirStatus: { pathSuffix: string } }[] | null;
    }
    if ((await this.names('/', signal)).length > 0) return true;
    try {
      const answer = await this.#rest.json<Allowed | null>('GET', 'GETSNAPSHOTTABLEDIRECTORYLIST', '/', {}, signal);
      const directories = answer?.SnapshottableDirectoryList ?? [];
      return directories.some(({ parentFullPath: above, dirStatus }) => above === '' && dirStatus.pathSuffix === '');
    } catch (error) {
      if (isUnknownOperation(error)) return false;
      throw error;
    }
  }

  async create(root: string, name: string, signal: AbortSignal): Promise<void> {
    const operation = 'CREATESNAPSHOT';
    try {
      const parameters = { snapshotname: name };
      const made = await this.#rest.json<{ Path?: unknown } | null>('PUT', operation, root, parameters, signal);
      // What a gateway says in place of its server proves nothing.
      if (typeof made?.Path !== 'string') throw remoteErrorOf(200, JSON.stringify(made), { operation, path: root });
    } catch (error) {
      if (!isExists(error)) throw error;
    }
  }

  async drop(root: string, name: string, signal: AbortSignal): Promise<boolean> {
    // HttpFS takes no DELETE of `/` for anything but a deletion.
    const path = root === '/' ? '//' : root;
    try {
      await this.#rest.call('DELETE', 'DELETESNAPSHOT', path, { snapshotname: name }, signal);
      return true;
    } catch (error) {
      // Only a directory without snapshots can be made one that may have none.
      if (hasCode(error, 'not-found') || isNotSnapshottable(error)) return false;
      throw error;
    }
  }

  async names(root: string, signal: AbortSignal): Promise<readonly string[]> {
    const found: FileStatus[] = [];
    for await (const page of this.#listing.of(join(root, '.snapshot'), signal)) found.push(...page);
    // The time is that of the snapshot, whatever happens to the directory.
    found.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs || namenodeOrder(a.name, b.name));
    return found.map(({ name }) => name);
  }

  isOpen(root: string, fileId: number, signal: AbortSignal): Promise<boolean> {
    return this.#closedLength.isOpen(root, fileId, signal);
  }

  async *changes(
    root: string,
    from: string,
    to: string,
    within: string,
    signal: AbortSignal,
  ): AsyncGenerator<SnapshotChange> {
    if (from === to) return;
    const compared = { root, from, to, within };
    using changes = new SnapshotChanges({ operation: 'GETSNAPSHOTDIFFLISTING', path: join(root, within) });
    await this.#requireComparable(compared, signal);
    if ((await this.#diff.read(compared, changes, signal)) === 'report') await this.#requireOrder(compared, signal);
    // What was asked about is whatever had the path at that moment.
    await this.#requireComparable(compared, signal);
    yield* changes.all();
  }

  /**
   * A server looks at what has the path now: of another directory that took its place, the snapshots know nothing, and it would tell that
   * nothing has changed.
   */
  async #requireComparable({ root, from, to, within }: Compared, signal: AbortSignal): Promise<void> {
    const paths = [snapshotPath(root, from, within), snapshotPath(root, to, within), join(root, within)];
    const found = await Promise.all(paths.map((path) => this.#status(path, signal)));
    const [first] = found;
    for (const [i, status] of found.entries()) {
      const path = paths[i] ?? root;
      const where = { operation: 'GETFILESTATUS', path };
      if (status?.kind !== 'directory')
        throw new StorageError('not-found', 'not found', 'there is no such directory', where);
      if (status.fileId === undefined) throw new StorageError('unsupported', 'no fileId', '', where);
      if (status.fileId !== first?.fileId)
        throw new StorageError(
          'not-found',
          'not found',
          `it is not the directory that the snapshot ${from} has`,
          where,
        );
    }
  }

  /** A report does not say which of the two is the earlier one, by whose names it calls everything. */
  async #requireOrder({ root, from, to }: Compared, signal: AbortSignal): Promise<void> {
    const made = await Promise.all([from, to].map((name) => this.#status(snapshotPath(root, name, ''), signal)));
    const [first, second] = made.map((status) => status?.modifiedAtMs);
    if (first === undefined || second === undefined || first > second) throw notEarlier(root, from, to);
  }
}

function isNotSnapshottable(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'unsupported' && error.exception === 'SnapshotException';
}
