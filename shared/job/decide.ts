import type { FileStatus } from '../storage/storage.ts';

/** What happens to a file, as far as two listings can tell; `compare` is settled by the copier. */
export interface Decision {
  readonly kind: 'copy' | 'overwrite' | 'compare' | 'skip' | 'fail';
  /** Why, for a person; empty for `copy`. */
  readonly reason: string;
  /** Of a refusal that no second look at the two files can take back. */
  readonly lasting?: true;
}

/**
 * Decides from two listing entries. Costs no request; modification times decide nothing, since a file
 * rewritten in place may keep its own.
 *
 *     source     destination              force  checksum   decision
 *     refused    any                      any    any        fail       its name cannot be used
 *     other      any                      any    any        skip       not a regular file
 *     file       absent                   any    any        copy
 *     file       not a file               any    any        fail       a directory stands there
 *     file       file, other length       yes    any        overwrite  length differs
 *     file       file, other length       no     any        fail       exists and differs
 *     file       file, same length        yes    no         overwrite  not compared
 *     file       file, same length        no     no         fail       exists
 *     file       file, both empty         any    yes        skip       both empty
 *     file       the same, older          any    yes        compare    somebody may be writing the source (listed as empty until then)
 *     file       file, same length        any    yes        compare    (differs and no force: fail)
 */
export function decide(
  source: FileStatus,
  destination: FileStatus | undefined,
  { force, checksum }: { readonly force: boolean; readonly checksum: boolean },
): Decision {
  if (source.refusal !== undefined) return { kind: 'fail', reason: source.refusal, lasting: true };
  if (source.kind !== 'file') return { kind: 'skip', reason: 'not a regular file' };
  if (!destination) return { kind: 'copy', reason: '' };
  if (destination.kind !== 'file') {
    const what = destination.kind === 'directory' ? 'a directory' : 'something that is no file';
    return { kind: 'fail', reason: `${what} stands at the destination` };
  }
  if (source.lengthBytes !== destination.lengthBytes) {
    return force
      ? { kind: 'overwrite', reason: 'length differs' }
      : { kind: 'fail', reason: 'exists and differs in length' };
  }
  if (!checksum) {
    return force ? { kind: 'overwrite', reason: 'not compared' } : { kind: 'fail', reason: 'exists' };
  }
  if (source.lengthBytes === 0) {
    // Listed as empty is also a file that somebody writes: one that was made since is looked at, the others cost nothing.
    const isNewer = source.modifiedAtMs > destination.modifiedAtMs;
    return isNewer ? { kind: 'compare', reason: 'both empty' } : { kind: 'skip', reason: 'both empty' };
  }
  return { kind: 'compare', reason: 'same length' };
}
