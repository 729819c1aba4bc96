import { FanoutError } from '../errors.ts';
import { attributesOf, chosenAttributes } from '../preserve/attributes.ts';
import { type Loss, reasonOf } from '../preserve/losses.ts';
import { preserve, type Wanted } from '../preserve/preserve.ts';
import type { JobOptions } from '../job/spec.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';

/** A directory at both ends, as listings tell it. */
interface DirectoryPair {
  readonly source: string;
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
  { source: from, status, destination: to, present }: DirectoryPair,
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
  const policy = chosen.has('ecpolicy') ? await policyLosses(status, present, destination, to, signal) : [];
  const losses = [...own, ...policy];
  if (losses.length === 0) return undefined;
  return {
    names: losses.flatMap((loss) => [loss.attribute, `reasons.${reasonOf(loss)}`]),
    reason: losses.map(({ attribute, error }) => `${attribute}: ${error.message}`).join('; '),
  };
}

/** Of a directory that stood there before, and of one whose policy was refused while planning. */
async function policyLosses(
  { ecPolicy }: FileStatus,
  there: FileStatus,
  destination: Storage,
  to: string,
  signal: AbortSignal,
): Promise<Loss[]> {
  if (ecPolicy === undefined || ecPolicy === there.ecPolicy) return [];
  try {
    await destination.hadoop?.setErasureCodingPolicy(to, ecPolicy, signal);
    return [];
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [{ attribute: 'ecpolicy', error }];
  }
}
