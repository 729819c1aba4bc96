import { bytesText } from '../bytes.ts';
import type { DeleteUnit } from '../job/deletion.ts';
import type { Found } from '../job/job.ts';
import { livePath } from '../job/root.ts';
import { type ExtrasCursor, findExtras } from '../plan/extras.ts';
import { selection } from '../plan/selection.ts';
import { join } from '../storage/path.ts';
import type { Looking } from './look.ts';
import type { Told } from './told.ts';

/**
 * Tells what only the destination has, of a job that would delete or list it.
 * @returns what was found in all, or where it stopped
 */
export function tellExtras(
  { source, destination, roots, options }: Looking,
  tell: (told: Told) => void,
  signal: AbortSignal,
  isOver: () => boolean,
  from?: ExtrasCursor,
): Promise<Found | { readonly cursor: ExtrasCursor }> {
  const action = options.delete ? 'delete' : 'extra';
  const at = (path: string) => join(roots[0]?.destination ?? '/', path);
  const emit = ({ path, top = path, kind, files, bytes, digest, replacedBy }: DeleteUnit) => {
    const isWhole = digest !== undefined;
    const size = kind === 'file' ? '' : isWhole ? `with ${files} files, ${bytesText(bytes)}` : 'once it is empty';
    const why = replacedBy !== undefined && top === path ? `a ${replacedBy} takes its place` : '';
    const reason = [size, why].filter((part) => part !== '').join(', ');
    tell({ type: 'plan', action, destination: at(path), kind, files, bytes, reason });
    return Promise.resolve();
  };
  const search = {
    source,
    destination,
    roots,
    whole: options.delete && !options.skipTrash,
    selection: selection(options, livePath(roots[0] ?? { source: '/' })),
    excluded: options.deleteExcluded,
    isReplaced: () => options.delete,
    signal,
    emit,
    isOver,
    onLost: (path: string, { message }: Error) =>
      tell({ type: 'plan', action: 'keep', destination: at(path), reason: `it could not be listed: ${message}` }),
  };
  return findExtras(search, from);
}
