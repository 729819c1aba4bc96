import type { FileStatus } from '../storage/storage.ts';
import type { JobOptions } from './spec.ts';

/** What is to be done with a file, as far as two listings can tell; `compare` leaves it to the copier. */
export interface Decision {
  readonly kind: 'copy' | 'overwrite' | 'compare' | 'skip' | 'fail';
  /** Why, for a person; empty for `copy`. */
  readonly reason: string;
  /** No second look at the two files can take the refusal back. */
  readonly lasting?: true;
  /** It was there when it was listed, and is gone. A directory vanished while it was walked. */
  readonly vanished?: 'file' | 'directory';
}

/** The reason for skipping a file unseen because its name is taken at the destination. */
export const EXISTS = 'exists';

/** The reason of a file that is skipped or fails because somebody writes it. */
export const OPEN_FOR_WRITING = 'open for writing';

/** The reason for refusing what was a file when it was listed. */
export const NOW_A_DIRECTORY = 'a directory stands at the source by now: copy again, a resumed job does not list it';

/** What a job was told of files that stand at the destination. */
export interface DecideOptions {
  readonly existing: JobOptions['existing'];
  readonly compare: JobOptions['compare'];
  readonly openFiles?: JobOptions['openFiles'];
  /** With it a directory that stands in the way of a file is deleted before the file is planned: one that still stands had to be kept. */
  readonly delete?: boolean;
}

/**
 * Decides from two listing entries. Costs no request; modification times decide nothing unless that was asked for, since a file
 * rewritten in place may keep its own.
 *
 *     source     destination              existing       decision
 *     refused    any                      any            fail       its name cannot be used
 *     directory  any                      any            fail       it was a file, or nothing, before: what is in it is in no batch
 *     other      any                      any            skip       not a regular file
 *     open       any                      any            fail       or skip, by `openFiles`: it is whole at no length
 *     file       absent                   any            copy
 *     file       not a file               any            fail       a directory stands there; with `delete` it had to stay
 *     file       file                     skip           skip       exists
 *     file       file, other length       fail           fail       exists and differs
 *     file       file, other length       update         overwrite  length differs
 *     file       file, other length       overwrite      overwrite  length differs
 *     file       file, same length        overwrite      overwrite  not compared
 *     file       file, both empty         fail, update   skip       both empty
 *     file       the same, older          fail, update   compare    somebody may be writing the source (listed as empty until then)
 *     file       file, same length        fail, update   compare    (differs: fail, or overwrite)
 *     with `compare: time`, and where both times are the same       skip       same length and modification time
 *     with `compare: size`                               skip       same length, not compared
 */
export function decide(
  source: FileStatus,
  destination: FileStatus | undefined,
  { existing, compare, openFiles = 'fail', delete: deletes = false }: DecideOptions,
): Decision {
  if (source.refusal !== undefined) return { kind: 'fail', reason: source.refusal, lasting: true };
  if (source.kind === 'directory') return { kind: 'fail', reason: NOW_A_DIRECTORY, lasting: true };
  if (source.kind !== 'file') return { kind: 'skip', reason: 'not a regular file' };
  if (source.isOpen) return { kind: openFiles, reason: OPEN_FOR_WRITING, lasting: true };
  if (!destination) return { kind: 'copy', reason: '' };
  if (destination.kind !== 'file') return { kind: 'fail', reason: obstacle(destination, deletes) };
  if (existing === 'skip') return { kind: 'skip', reason: EXISTS };
  if (source.lengthBytes !== destination.lengthBytes) {
    return existing === 'fail'
      ? { kind: 'fail', reason: 'exists and differs in length' }
      : { kind: 'overwrite', reason: 'length differs' };
  }
  if (existing === 'overwrite') return { kind: 'overwrite', reason: 'not compared' };
  if (source.lengthBytes === 0) {
    // A file that somebody writes is listed as empty too: a source that is newer than its copy is looked at, all others cost nothing.
    const isNewer = source.modifiedAtMs > destination.modifiedAtMs;
    return isNewer ? { kind: 'compare', reason: 'both empty' } : { kind: 'skip', reason: 'both empty' };
  }
  if (compare === 'size') return { kind: 'skip', reason: 'same length, not compared' };
  const isOfOneTime = source.modifiedAtMs === destination.modifiedAtMs;
  if (compare === 'time' && isOfOneTime) return { kind: 'skip', reason: 'same length and modification time' };
  return { kind: 'compare', reason: 'same length' };
}

/** What stands in the way of a file, and what to do about it. */
function obstacle({ kind }: FileStatus, deletes: boolean): string {
  if (kind !== 'directory') return 'something that is no file stands at the destination: remove it';
  if (!deletes) return 'a directory stands at the destination: remove it, or copy with --exact --delete';
  return 'a directory stands at the destination, and was not deleted: remove it, and copy again';
}
