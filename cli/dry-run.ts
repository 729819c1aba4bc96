import { dryRunStretch } from '../shared/dry-run/dry-run.ts';
import type { Endpoints } from '../shared/endpoints/endpoints.ts';
import { requireFewDeletes } from '../shared/finish/delete-brake.ts';
import type { Root } from '../shared/job/root.ts';
import type { JobSpec } from '../shared/job/spec.ts';
import type { Batch } from '../shared/job/unit.ts';
import { NamesOnDisk } from '../shared/machine/name-set.ts';
import type { PathList } from '../shared/plan/path-list.ts';
import { printTold, printTotals } from './dry-run-text.ts';
import { exitCodes } from './exit-codes.ts';

/** Where the units come from that a dry run tells of. */
export interface UnitsToTell {
  /** Emits them, in place of a plan. */
  readonly batches?: (emit: (batch: Batch) => Promise<void>) => Promise<void>;
  /** Of `filesFrom`, for a plan. */
  readonly list?: PathList | undefined;
}

/**
 * Tells what a copy would do to each file, and changes nothing.
 * @returns the exit code
 * @throws RefusedError when more would be deleted than the job may
 */
export async function dryRun(
  { options }: JobSpec,
  roots: readonly Root[],
  { source, destination }: Endpoints,
  json: boolean,
  signal: AbortSignal,
  units: UnitsToTell = {},
): Promise<number> {
  using names = new NamesOnDisk();
  const tell = (told: Parameters<typeof printTold>[0]) => printTold(told, json);
  const told = await dryRunStretch({ source, destination, roots, options, names, ...units, tell, signal });
  printTotals(told, json);
  if (told.would['fail']) return exitCodes.someFailed;
  if (told.found && options.delete) requireFewDeletes(options, told.found);
  return exitCodes.success;
}
