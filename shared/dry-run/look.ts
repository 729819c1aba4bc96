import { bytesText } from '../bytes.ts';
import { settle } from '../copy/settle.ts';
import { isLong, obstacleToParts } from '../copy/long-files.ts';
import { overtakenBy } from '../copy/source.ts';
import { FanoutError } from '../errors.ts';
import { chunkCount } from '../job/chunk.ts';
import { OPEN_FOR_WRITING } from '../job/decide.ts';
import type { Root } from '../job/root.ts';
import type { JobOptions } from '../job/spec.ts';
import { destinationPathOf, type FileUnit, isSplit, sourcePathOf } from '../job/unit.ts';
import { isOpen } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Action } from '../job/would-do.ts';
import type { Told } from './told.ts';

/** What would be done to a file, and why. */
export interface Decided {
  readonly action: Action;
  readonly reason: string;
}

/** Both ends of what is decided. */
export interface Looking {
  readonly source: Storage;
  readonly destination: Storage;
  readonly roots: readonly Root[];
  readonly options: JobOptions;
}

/** Compares two files as a copy would. @throws what fails the job */
export async function look(
  { source, destination, roots, options }: Looking,
  unit: FileUnit,
  signal: AbortSignal,
): Promise<Decided> {
  const [sourcePath, destinationPath] = [sourcePathOf(roots, unit), destinationPathOf(roots, unit)];
  try {
    const route = { source, sourcePath, destination, destinationPath };
    const { kind, reason } = await settle(route, unit, options, 'planned', signal);
    return { action: kind === 'equal' ? 'skip' : kind, reason };
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    if (isOpen(error) && options.openFiles === 'skip') return { action: 'skip', reason: OPEN_FOR_WRITING };
    const overtaken = options.live ? overtakenBy(error) : undefined;
    return { action: overtaken ?? 'fail', reason: error.message };
  }
}

export function lineOf({ destination, roots, options }: Looking, unit: FileUnit, { action, reason }: Decided): Told {
  const [sourcePath, destinationPath] = [sourcePathOf(roots, unit), destinationPathOf(roots, unit)];
  const isCompared = action === 'skip' && unit.attributes && unit.stands;
  const cut = cutOf(unit, action, options, destination, destinationPath);
  const notes = [reason, isCompared ? 'attributes to compare' : '', cut].filter((note) => note !== '').join(', ');
  const { lengthBytes: bytes } = unit;
  return { type: 'plan', action, source: sourcePath, destination: destinationPath, bytes, reason: notes };
}

/** In how many chunks a file would be copied, or in parts, and why a long one in neither. */
function cutOf(unit: FileUnit, action: string, options: JobOptions, destination: Storage, path: string): string {
  if (action !== 'copy' && action !== 'overwrite') return '';
  if (isSplit(unit)) return `in ${chunkCount(unit)} chunks of ${bytesText(unit.split.chunkBytes)}`;
  if (!isLong(unit, options, false)) return '';
  const obstacle = obstacleToParts(unit, options, destination, path);
  if (obstacle === undefined) return `in parts of about ${bytesText(options.chunkSize)}`;
  return `from its beginning when it is cut off: ${obstacle}`;
}
