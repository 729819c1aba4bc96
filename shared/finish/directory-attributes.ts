import { FanoutError } from '../errors.ts';
import { attributesOf, chosenAttributes } from '../preserve/attributes.ts';
import { type Loss, reasonOf } from '../preserve/losses.ts';
import { preserve, type Wanted } from '../preserve/preserve.ts';
import type { JobOptions } from '../job/spec.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { settleQuotas } from './directory-quotas.ts';

/** A directory at both ends, as listings tell it. */
interface DirectoryPair {
  readonly source: string;
  /** The source's path as it is now: an image in a snapshot tells of no quotas. */
  readonly live: string;
  readonly status: FileStatus;
  readonly destination: string;
  readonly present: FileStatus;
}

/** What is counted of a directory whose attributes were not kept, and why, in a line. */
interface Unkept {
  readonly names: readonly string[];
  readonly reason: string;
}

/**
 * Gives a directory the attributes of its source, of which only those are sent that differ.
 * @returns what could not be kept
 * @throws FanoutError fail-unit, when none could
 */
export async function settleDirectory(
  { source: from, live, status, destination: to, present }: DirectoryPair,
  options: JobOptions,
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
): Promise<Unkept | undefined> {
  const chosen = chosenAttributes(options);
  const attributes = attributesOf(status);
  const carried = destination.hadoop && source.hadoop;
  const access = chosen.has('permission') || chosen.has('acl');
  const wanted: Wanted = {
    owner: carried && chosen.has('owner') ? attributes.owner : undefined,
    group: carried && chosen.has('group') ? attributes.group : undefined,
    permission: access ? attributes.permission : undefined,
    acl: attributes.hasAcl ? async () => source.hadoop?.acl(from, signal) : undefined,
    setsAcl: chosen.has('acl') && destination.hadoop !== undefined,
    modifiedAtMs: chosen.has('times') ? attributes.modifiedAtMs : undefined,
    xattrs: carried && chosen.has('xattr') ? () => carried.xattrs(from, signal) : undefined,
  };
  const guarded = {
    storage: destination,
    path: to,
    kind: 'directory' as const,
    present: attributesOf(present),
    isNew: false,
  };
  const { losses: own } = await preserve(wanted, guarded, false, signal);
  const { ecPolicy, storagePolicy } = status;
  const { hadoop } = destination;
  const policies = [
    ...(chosen.has('ecpolicy') && ecPolicy !== undefined && ecPolicy !== present.ecPolicy
      ? await lossOf('ecpolicy', () => hadoop?.setErasureCodingPolicy(to, ecPolicy, signal))
      : []),
    ...(chosen.has('storagepolicy') && storagePolicy !== undefined && storagePolicy !== present.storagePolicy
      ? await lossOf('storagepolicy', () => hadoop?.setStoragePolicy(to, storagePolicy, signal))
      : []),
  ];
  const quota = chosen.has('quota') ? await settleQuotas({ source, from: live, destination, to }, signal) : undefined;
  const losses = [...own, ...policies, ...(quota ? [quota] : [])];
  if (losses.length === 0) return undefined;
  return {
    names: losses.flatMap((loss) => [loss.attribute, `reasons.${reasonOf(loss)}`]),
    reason: losses.map(({ attribute, error }) => `${attribute}: ${error.message}`).join('; '),
  };
}

/** Sets a policy of a directory that stood there before, and of one whose policy was refused while planning. */
async function lossOf(attribute: 'ecpolicy' | 'storagepolicy', set: () => Promise<void> | undefined): Promise<Loss[]> {
  try {
    await set();
    return [];
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [{ attribute, error }];
  }
}
