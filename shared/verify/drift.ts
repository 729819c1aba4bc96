import { sameAcl, samePermission, withoutAcl } from '../storage/acl.ts';
import { offered } from '../storage/offered.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { type Attribute, attributesOf } from '../preserve/attributes.ts';

/** A file or directory that both sides have. */
export interface SharedEntry {
  readonly source: Storage;
  readonly sourcePath: string;
  readonly status: FileStatus;
  readonly destination: Storage;
  readonly destinationPath: string;
  readonly there: FileStatus;
}

type Value = string | number;

/** Attributes that differ: the source's value, then the destination's. Of extended attributes the names of those that differ. */
export type Drift = Partial<Record<Attribute, readonly [Value, Value]>>;

const NONE = 'none';

/** Attributes that both storages have: the local disk keeps a mode and a time. */
export function comparable(chosen: ReadonlySet<Attribute>, source: Storage, destination: Storage): Set<Attribute> {
  const isKept = (name: Attribute) =>
    (source.hadoop && destination.hadoop) || name === 'permission' || name === 'times';
  return new Set([...chosen].filter(isKept));
}

/** Whether listings do not tell all of the attributes of an entry. */
export function needsAsking(chosen: ReadonlySet<Attribute>, status: FileStatus, there: FileStatus): boolean {
  const access = chosen.has('permission') || chosen.has('acl');
  if (status.kind === 'directory' && chosen.has('quota')) return true;
  return chosen.has('xattr') || (access && (status.hasAcl || there.hasAcl));
}

/**
 * Which of the chosen attributes differ from what a copy would carry over. As for a copy, what a side does not know (`''`) or does not have
 * (replicas of a striped file) differs from nothing, and of the times only that of the last modification counts: reading moves the other.
 *
 * @param chosen  those that both storages have
 * @throws StorageError where ACLs or extended attributes cannot be read
 */
export async function driftOf(entry: SharedEntry, chosen: ReadonlySet<Attribute>, signal: AbortSignal): Promise<Drift> {
  const { status, there } = entry;
  const [one, other] = [attributesOf(status), attributesOf(there)];
  const drift: Drift = {};
  for (const name of ['owner', 'group', 'replication'] as const) {
    if (chosen.has(name) && one[name] && other[name] && one[name] !== other[name])
      drift[name] = [one[name], other[name]];
  }
  if (chosen.has('permission') || chosen.has('acl')) Object.assign(drift, await accessDrift(entry, chosen, signal));
  if (chosen.has('times') && one.modifiedAtMs !== other.modifiedAtMs)
    drift.times = [dateOf(one.modifiedAtMs), dateOf(other.modifiedAtMs)];
  if (chosen.has('blocksize') && status.kind === 'file' && status.blockBytes !== there.blockBytes)
    drift.blocksize = [status.blockBytes, there.blockBytes];
  if (chosen.has('ecpolicy') && status.kind === 'directory') {
    const [policy, policyThere] = [status.ecPolicy, there.ecPolicy];
    if (policy !== undefined && policyThere !== undefined && policy !== policyThere)
      drift.ecpolicy = [policy, policyThere];
  }
  if (chosen.has('storagepolicy') && status.kind === 'directory') {
    // A directory without one takes that of the directory above it.
    const [policy, policyThere = NONE] = [status.storagePolicy, there.storagePolicy];
    if (policy !== undefined && policy !== policyThere) drift.storagepolicy = [policy, policyThere];
  }
  if (chosen.has('quota') && status.kind === 'directory') Object.assign(drift, await quotaDrift(entry, signal));
  const xattrs = chosen.has('xattr') ? await xattrDrift(entry, signal) : undefined;
  return xattrs ? { ...drift, xattr: xattrs } : drift;
}

/** Where ACLs are not carried over, a copy gives what the source's leaves to its group. */
async function accessDrift(
  { source, sourcePath, status, destination, destinationPath, there }: SharedEntry,
  chosen: ReadonlySet<Attribute>,
  signal: AbortSignal,
): Promise<Drift> {
  const aclOf = async (storage: Storage, path: string, { hasAcl }: FileStatus) =>
    hasAcl ? offered(storage, 'hadoop', path).acl(path, signal) : undefined;
  const acl = await aclOf(source, sourcePath, status);
  const isCarried = chosen.has('acl');
  const mode = acl !== undefined && !isCarried ? withoutAcl(status.permission, acl) : status.permission;
  const drift: Drift = samePermission(mode, there.permission) ? {} : { permission: [mode, there.permission] };
  if (!isCarried) return drift;
  const aclThere = await aclOf(destination, destinationPath, there);
  return sameAcl(acl, aclThere) ? drift : { ...drift, acl: [acl ?? NONE, aclThere ?? NONE] };
}

/** A copy leaves what the source does not limit. */
async function quotaDrift(
  { source, sourcePath, destination, destinationPath }: SharedEntry,
  signal: AbortSignal,
): Promise<Drift> {
  const { quotas } = await offered(source, 'hadoop', sourcePath).quotaUsage(sourcePath, signal);
  if (quotas.size === 0) return {};
  const there = (await offered(destination, 'hadoop', destinationPath).quotaUsage(destinationPath, signal)).quotas;
  const differing = [...quotas].filter(([of, limit]) => there.get(of) !== limit);
  if (differing.length === 0) return {};
  const text = (limits: ReadonlyMap<string, number>) =>
    differing.map(([of]) => `${of} ${limits.get(of) ?? NONE}`).join(', ');
  return { quota: [text(quotas), text(there)] };
}

async function xattrDrift(
  { source, sourcePath, destination, destinationPath }: SharedEntry,
  signal: AbortSignal,
): Promise<readonly [string, string] | undefined> {
  const xattrs = await offered(source, 'hadoop', sourcePath).xattrs(sourcePath, signal);
  const xattrsThere = await offered(destination, 'hadoop', destinationPath).xattrs(destinationPath, signal);
  const namesIn = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>) =>
    [...one].filter(([name, value]) => other.get(name) !== value).map(([name]) => name);
  const [names, namesThere] = [namesIn(xattrs, xattrsThere), namesIn(xattrsThere, xattrs)];
  if (names.length + namesThere.length === 0) return undefined;
  const text = (some: readonly string[]) => (some.length > 0 ? some.toSorted().join(',') : NONE);
  return [text(names), text(namesThere)];
}

function dateOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
