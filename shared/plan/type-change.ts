import { join } from '../storage/path.ts';
import type { Both, Entry, SourceOnly } from './entry.ts';
import type { Tree } from './level.ts';

/** A file of the source under whose name the destination has a directory, or the other way round. */
export type TypeChange = Both;

/**
 * The type change that an entry is; undefined where both sides are of one kind, where one is neither file nor directory, and where the source's
 * name could not stand at the destination whatever became of the one that does.
 */
export function typeChangeIn(entry: Entry, { storage, root }: Tree): TypeChange | undefined {
  const { source, destination, path } = entry;
  if (!source || !destination || source.kind === destination.kind) return undefined;
  if (source.kind === 'other' || destination.kind === 'other' || source.refusal !== undefined) return undefined;
  return storage.names?.unwritable(join(root, path)) === undefined ? entry : undefined;
}

/** A type change once what stands at the destination is gone. */
export function replacing({ path, name, source }: TypeChange): SourceOnly {
  return { path, name, source, destination: undefined };
}
