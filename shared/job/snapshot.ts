import type { LockedPath } from '../storage/storage.ts';

/** What every snapshot of a job begins with; the job's id follows. */
const PREFIX = 'hdfs-fanout-';

/** The snapshot of its source that a job copies from, and what of it has to be looked at. */
export interface JobSnapshot {
  /** The snapshottable directory that the source is or lies in. */
  readonly root: string;
  /**
   * The base's snapshot and those of later jobs of the mirror, in the order in which the jobs began: what differs between any two that follow each
   * other, this job's at the end, is looked at. Undefined where everything is, and until it is known.
   */
  readonly since?: readonly string[];
  /** Why everything is looked at. Once it is said it stays: what was planned so may be half done. */
  readonly whole?: string;
  /** Directories below the source that the destination did not have: everything in them is looked at. */
  readonly lacking?: readonly string[];
  /** What tells the destination's root from another directory under its name: kept when the job is planned, and gone where it ends with another. */
  readonly destination?: string | undefined;
  /** Renames of the source that are made at the destination too, in their order: kept before the first of them is made; those that were, once all were tried. */
  readonly renames?: readonly Rename[];
  /** How many of these were made, once all were tried. */
  readonly renamed?: number;
  /** Renames of the source that are copies and deletions at the destination, by the reason. */
  readonly notRenamed?: Readonly<Record<string, number>>;
  /** Why older snapshots of the mirror are still there. */
  readonly undropped?: string | undefined;
}

/** What tells a directory from another one under its name, or on another cluster: its inode, and the namespaces that serve it, each with a path. */
export function identity(fileId: number, served: readonly LockedPath[]): string {
  return [fileId, ...served.map(({ namespace, path }) => `${namespace} ${path}`).sort()].join('\n');
}

/**
 * Whether two directories lie on different clusters, by their identities. Addresses do not tell: one cluster has several. Block pools do, where both
 * directories tell those of all that serves them.
 */
export function isElsewhere(one: string | undefined, other: string | undefined): boolean {
  const [pools, others] = [poolsIn(one), poolsIn(other)];
  return pools !== undefined && others !== undefined && [...pools].every((pool) => !others.has(pool));
}

/** The block pools of an identity; undefined where one is missing. */
function poolsIn(text = ''): ReadonlySet<string> | undefined {
  const served = text
    .split('\n')
    .slice(1)
    .map((line) => /^(\S+) (.*)$/s.exec(line));
  const pools = served.filter((match) => match?.[1]?.startsWith('BP-'));
  const [all, told] = [served, pools].map((some) => new Set(some.map((match) => match?.[2])));
  if (pools.length === 0 || all?.size !== told?.size) return undefined;
  return new Set(pools.map((match) => match?.[1] ?? ''));
}

/** What a file or directory of the destination is called before and after a rename, below the root, and its inode. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  readonly fileId: number;
}

export function snapshotName(job: string): string {
  return PREFIX + job;
}

/** The id of the job that a snapshot is of; undefined for somebody else's. */
export function jobOfSnapshot(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}
