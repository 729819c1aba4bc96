import { attributesOf, chosenAttributes, differIn } from '../preserve/attributes.ts';
import { XATTR_NOT_COMPARED } from '../preserve/losses.ts';
import type { SkippedOutcome } from '../job/outcome.ts';
import type { JobOptions } from '../job/spec.ts';
import { type FileUnit, isNeverWritten } from '../job/unit.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';

/** How a file has ended that is skipped, and of which nothing is left to be asked or set; undefined for what is a copier's work. */
export function settledOutcome(
  unit: FileUnit,
  options: JobOptions,
  source: Storage,
  destination: Storage,
): SkippedOutcome | undefined {
  const { decision, reason = '', lengthBytes, attributes, stands } = unit;
  if (decision !== 'skip' || !isNeverWritten(unit)) return undefined;
  const outcome = { unit: 0, outcome: 'skipped', bytes: lengthBytes, retries: 0, reason } as const;
  if (!attributes) return outcome;
  const bothHadoop = source.hadoop !== undefined && destination.hadoop !== undefined;
  // What one of the two does not have is a loss of each file.
  const lacksNone = bothHadoop || options.attributes.every((name) => name === 'permission' || name === 'times');
  if (stands || !lacksNone) return undefined;
  const isUnseen = bothHadoop && chosenAttributes(options).has('xattr');
  return isUnseen ? { ...outcome, warnings: [XATTR_NOT_COMPARED] } : outcome;
}

/**
 * Whether two listings show that nothing of a directory is to be set. Extended attributes and quotas, which a finish compares of each
 * directory, are in no listing.
 */
export function isEqualDirectory(
  source: FileStatus,
  destination: FileStatus | undefined,
  options: Pick<JobOptions, 'preserve' | 'attributes'>,
): boolean {
  const chosen = chosenAttributes(options);
  if (destination?.kind !== 'directory' || chosen.has('xattr') || chosen.has('quota')) return false;
  if (chosen.has('ecpolicy') && source.ecPolicy !== destination.ecPolicy) return false;
  if (chosen.has('storagepolicy') && source.storagePolicy !== destination.storagePolicy) return false;
  return !differIn(chosen, attributesOf(source), attributesOf(destination));
}
