import type { FileStatus } from '../storage/storage.ts';
import type { JobOptions } from './spec.ts';

/** What is to be done with a file, as far as two listings can tell; `compare` leaves it to the copier. */
export interface Decision {
  readonly kind: 'copy' | 'overwrite' | 'compare' | 'skip' | 'fail';
  /** Why, for a person; empty for `copy`. */
  readonly reason: string;
  /** No second look at the two files can take the refusal back. */
  readonly lasting?: true;
}

/** The reason for skipping a file unseen because its name is taken at the destination. */
export const EXISTS = 'exists';

/** The reason of a file that is skipped or fails because somebody writes it. */
export const OPEN_FOR_WRITING = 'open for writing';

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
 *     file       not a file               any            fail       a directory stands there
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
  {
    existing,
    compare,
    openFiles = 'fail',
  }: Pick<JobOptions, 'existing' | 'compare'> & Partial<Pick<JobOptions, 'openFiles'>>,
): Decision {
  if (source.refusal !== undefined) return { kind: 'fail', reason: source.refusal, lasting: true };
  if (source.kind === 'directory') {
    const reason = 'a directory stands at the source by now: copy again, a resumed job does not list it';
    return { kind: 'fail', reason, lasting: true };
  }
  if (source.kind !== 'file') return { kind: 'skip', reason: 'not a regular file' };
  if (source.isOpen) return { kind: openFiles, reason: OPEN_FOR_WRITING, lasting: true };
  if (!destination) return { kind: 'copy', reason: '' };
  if (destination.kind !== 'file') {
    const what = destination.kind === 'directory' ? 'a directory' : 'something that is no file';
    return { kind: 'fail', reason: `${what} stands at the destination` };
  }
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
