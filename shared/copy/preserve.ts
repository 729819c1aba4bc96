import { FanoutError } from '../errors.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import type { Attributes } from './batch.ts';

/** Names in warnings and counters. */
export type Attribute = 'owner' | 'permission' | 'acl' | 'xattr' | 'times';

export interface Preservation {
  readonly source: FileSystem;
  readonly from: string;
  readonly destination: FileSystem;
  readonly to: string;
  readonly attributes: Attributes;
  /** Files get permission, replication and block size when they are made, at no request. */
  readonly kind: 'file' | 'directory';
}

/**
 * Carries attributes over, each for itself: extended attributes, ACL, owner, permission, times, in the order in which one
 * does not undo another. Times come last, since every other change may touch them.
 *
 * @param strict  throw at the first attribute that cannot be set
 * @returns the attributes that could not be set
 */
export async function preserve(what: Preservation, strict: boolean, signal: AbortSignal): Promise<Attribute[]> {
  const failed: Attribute[] = [];
  for (const [attribute, set] of steps(what, signal)) {
    try {
      await set();
    } catch (error) {
      if (strict || !(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
      failed.push(attribute);
    }
  }
  return failed;
}

function steps(what: Preservation, signal: AbortSignal): [Attribute, () => Promise<void>][] {
  const { source, from, destination, to, attributes, kind } = what;
  const steps: [Attribute, () => Promise<void>][] = [];
  if (source.features.hadoopAttributes) {
    steps.push(['xattr', () => copyXattrs(what, signal)]);
    if (attributes.hasAcl) steps.push(['acl', () => copyAcl(source, from, destination, to, signal)]);
    steps.push(['owner', () => destination.setOwner(to, attributes.owner, attributes.group, signal)]);
  }
  if (kind === 'directory' || attributes.hasAcl) {
    steps.push(['permission', () => destination.setPermission(to, attributes.permission, signal)]);
  }
  const accessedAtMs = attributes.accessedAtMs > 0 && kind === 'file' ? attributes.accessedAtMs : undefined;
  steps.push(['times', () => destination.setTimes(to, attributes.modifiedAtMs, accessedAtMs, signal)]);
  return steps;
}

async function copyXattrs({ source, from, destination, to }: Preservation, signal: AbortSignal): Promise<void> {
  for (const [name, value] of await source.xattrs(from, signal)) await destination.setXattr(to, name, value, signal);
}

async function copyAcl(source: FileSystem, from: string, destination: FileSystem, to: string, signal: AbortSignal) {
  const acl = await source.acl(from, signal);
  if (acl !== undefined) await destination.setAcl(to, acl, signal);
}
