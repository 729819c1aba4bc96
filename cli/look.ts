import { settle } from '../shared/copy/settle.ts';
import { overtakenBy } from '../shared/copy/source.ts';
import { FanoutError } from '../shared/errors.ts';
import type { Action } from '../shared/estimate/collector.ts';
import { OPEN_FOR_WRITING } from '../shared/job/decide.ts';
import type { Root } from '../shared/job/root.ts';
import type { JobOptions } from '../shared/job/spec.ts';
import { destinationPathOf, type FileUnit, sourcePathOf } from '../shared/job/unit.ts';
import { isOpen } from '../shared/storage/errors.ts';
import type { Storage } from '../shared/storage/storage.ts';

/** What would be done to a file, and why. */
export interface Told {
  readonly action: Action;
  readonly reason: string;
}

interface Looking {
  readonly options: JobOptions;
  readonly roots: readonly Root[];
  readonly source: Storage;
  readonly destination: Storage;
}

/** Tells what a copy would do to a planned file, and changes nothing. What the plan left open is compared as the copy would compare it. */
export async function lookAt(
  unit: FileUnit,
  { options, roots, source, destination }: Looking,
  signal: AbortSignal,
): Promise<Told> {
  const route = {
    source,
    sourcePath: sourcePathOf(roots, unit),
    destination,
    destinationPath: destinationPathOf(roots, unit),
  };
  try {
    const { kind, reason } = await settle(route, unit, options, 'planned', signal);
    return { action: kind === 'equal' ? 'skip' : kind, reason };
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    if (isOpen(error) && options.openFiles === 'skip') return { action: 'skip', reason: OPEN_FOR_WRITING };
    const overtaken = options.live ? overtakenBy(error) : undefined;
    if (overtaken) return { action: overtaken, reason: error.message };
    return { action: 'fail', reason: error.message };
  }
}
