import { samePermission } from '../storage/acl.ts';
import type { FileStatus } from '../storage/storage.ts';

/** What a copy can carry over besides the bytes, as options and Job Status name it. */
export const attributeNames = [
  'owner',
  'group',
  'permission',
  'times',
  'replication',
  'blocksize',
  'acl',
  'xattr',
  'ecpolicy',
  'storagepolicy',
  'quota',
] as const;
export type Attribute = (typeof attributeNames)[number];

/**
 * What preserve carries over where nothing is named. Policies are a cluster's own: another may not have an erasure coding policy enabled, and
 * takes no file at all under a storage policy (`COLD`) whose disks it lacks. Quotas are its administrator's.
 */
const preserved = attributeNames.filter((name) => name !== 'ecpolicy' && name !== 'storagepolicy' && name !== 'quota');

/** What a job carries over: nothing without preserve, and with it what it names. */
export function chosenAttributes({
  preserve,
  attributes,
}: {
  readonly preserve: boolean;
  readonly attributes: readonly Attribute[];
}): ReadonlySet<Attribute> {
  return new Set(attributes.length > 0 ? attributes : preserve ? preserved : []);
}

/** Of a file or directory, from a listing: what a manifest keeps of them. */
export type Attributes = Pick<
  FileStatus,
  'owner' | 'group' | 'permission' | 'accessedAtMs' | 'modifiedAtMs' | 'replication' | 'hasAcl'
>;

export function attributesOf(status: FileStatus): Attributes {
  const { owner, group, permission, accessedAtMs, modifiedAtMs, hasAcl, stripe } = status;
  // HDFS says 1 of an erasure-coded file, which would be a single replica elsewhere.
  const replication = stripe ? 0 : status.replication;
  return { owner, group, permission, accessedAtMs, modifiedAtMs, replication, hasAcl };
}

/**
 * Whether an attribute that is to be carried over differs, as far as listings can tell. What the source does not know (`''`), and what a side
 * does not have (no replicas), differs from nothing.
 */
export function differIn(chosen: ReadonlySet<Attribute>, source: Attributes, destination: Attributes): boolean {
  const access = chosen.has('permission') || chosen.has('acl');
  const isOther = (name: 'owner' | 'group' | 'replication') =>
    chosen.has(name) && !!source[name] && !!destination[name] && source[name] !== destination[name];
  return (
    isOther('owner') ||
    isOther('group') ||
    isOther('replication') ||
    (access && (source.hasAcl || destination.hasAcl || !samePermission(source.permission, destination.permission))) ||
    (chosen.has('times') && source.modifiedAtMs !== destination.modifiedAtMs)
  );
}

/** Whether one may stand for the other as far as listings can tell, which know of an ACL only that there is one. */
export function sameAttributes(one: Attributes, other: Attributes): boolean {
  return (
    one.owner === other.owner &&
    one.group === other.group &&
    samePermission(one.permission, other.permission) &&
    one.modifiedAtMs === other.modifiedAtMs &&
    one.replication === other.replication &&
    !one.hasAcl &&
    !other.hasAcl
  );
}
