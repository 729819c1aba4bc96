import { bytesText } from '../shared/bytes.ts';
import type { Endpoints } from '../shared/endpoints/endpoints.ts';
import { type FanoutError, printable } from '../shared/errors.ts';
import type { DeleteUnit } from '../shared/job/deletion.ts';
import type { Found } from '../shared/job/job.ts';
import { livePath, type Root } from '../shared/job/root.ts';
import type { JobSpec } from '../shared/job/spec.ts';
import { findExtras } from '../shared/plan/extras.ts';
import { selection } from '../shared/plan/selection.ts';
import { join } from '../shared/storage/path.ts';
import { printEvent } from './output.ts';

/**
 * Tells what only the destination has, of a job that would delete or list it, and changes nothing.
 * @returns undefined for any other job
 */
export async function tellExtras(
  { options }: JobSpec,
  roots: readonly Root[],
  { source, destination }: Pick<Endpoints, 'source' | 'destination'>,
  json: boolean,
  signal: AbortSignal,
): Promise<Found | undefined> {
  if (!options.delete && options.trackMissing === '') return undefined;
  const action = options.delete ? 'delete' : 'extra';
  const tell = ({ path, top = path, kind, files, bytes, digest, replacedBy }: DeleteUnit) => {
    const at = join(roots[0]?.destination ?? '/', path);
    const isWhole = digest !== undefined;
    const size = kind === 'file' ? '' : isWhole ? `with ${files} files, ${bytesText(bytes)}` : 'once it is empty';
    const why = replacedBy !== undefined && top === path ? `a ${replacedBy} takes its place` : '';
    const reason = [size, why].filter((part) => part !== '').join(', ');
    if (json) printEvent('plan', { action, destination: at, kind, files, bytes, reason });
    else process.stdout.write(`${action.padEnd(9)} ${printable(at)}${reason ? `  (${reason})` : ''}\n`);
    return Promise.resolve();
  };
  return extrasOf({ options }, roots, { source, destination }, signal, tell, (path, { message }) => {
    const at = join(roots[0]?.destination ?? '/', path);
    if (json) printEvent('plan', { action: 'keep', destination: at, reason: message });
    else process.stdout.write(`${'keep'.padEnd(9)} ${printable(at)}  (it could not be listed: ${message})\n`);
  });
}

/** What only the destination has, for a job that deletes or lists it. Changes nothing. @param emit  told of each entry */
export async function extrasOf(
  { options }: Pick<JobSpec, 'options'>,
  roots: readonly Root[],
  { source, destination }: Pick<Endpoints, 'source' | 'destination'>,
  signal: AbortSignal,
  emit: (unit: DeleteUnit) => Promise<void>,
  onLost: (path: string, error: FanoutError) => void,
): Promise<Found> {
  const found = await findExtras({
    source,
    destination,
    roots,
    whole: options.delete && !options.skipTrash,
    selection: selection(options, livePath(roots[0] ?? { source: '/' })),
    excluded: options.deleteExcluded,
    isReplaced: () => options.delete,
    signal,
    emit,
    onLost,
  });
  if ('cursor' in found) throw new Error('the search stopped although nothing told it to');
  return found;
}
