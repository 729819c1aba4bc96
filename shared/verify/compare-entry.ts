import { FanoutError } from '../errors.ts';
import type { Proof, VerifyLevel } from '../job/verification.ts';
import type { Attribute } from '../preserve/attributes.ts';
import { compareFiles } from './compare-files.ts';
import { driftOf, type SharedEntry } from './drift.ts';
import type { Difference } from './finding.ts';

/** What came of comparing an entry that both sides have. */
export interface Compared {
  /** How the contents of two files were shown to be equal, where they were. */
  readonly proof: Proof | undefined;
  /** Nothing where all is alike. */
  readonly differences: readonly Difference[];
}

/**
 * Compares two regular files, or two directories by their attributes.
 *
 * @param chosen  the attributes that are compared: those that both storages have
 * @throws only what fails the job, and the signal's reason
 */
export async function compareEntry(
  entry: SharedEntry,
  level: VerifyLevel,
  chosen: ReadonlySet<Attribute>,
  signal: AbortSignal,
): Promise<Compared> {
  const verdict = entry.status.kind === 'file' ? await compareFiles(entry, level, signal) : undefined;
  const drift = await attributesOf(entry, chosen, signal);
  const isEqual = verdict?.type === 'equal';
  const content = verdict && verdict.type !== 'equal' ? verdict : undefined;
  const isTold = content && isUntold(content) && drift && isUntold(drift);
  const differences = [content, isTold ? undefined : drift].filter((one) => one !== undefined);
  return { proof: isEqual ? verdict.proof : undefined, differences };
}

async function attributesOf(
  entry: SharedEntry,
  chosen: ReadonlySet<Attribute>,
  signal: AbortSignal,
): Promise<Difference | undefined> {
  if (chosen.size === 0) return undefined;
  try {
    const attributes = await driftOf(entry, chosen, signal);
    return Object.keys(attributes).length > 0 ? { type: 'attributes', kind: entry.status.kind, attributes } : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return { type: 'unknown', reason: error.message };
  }
}

/** That something could not be told of an entry is told once. */
export function isUntold({ type }: Difference): boolean {
  return type === 'unknown' || type === 'open';
}
