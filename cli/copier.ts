import { availableParallelism, totalmem } from 'node:os';
import { removeKerberosHomesOf } from '../shared/hdfs/kerberos-leftovers.ts';
import { usualCopiers } from '../shared/machine/copier-count.ts';
import type { CopierMeans } from '../shared/machine/copier-pool.ts';

/** The only argument of a process that this program has started to copy. No command is called so. */
const COPIER = '--copier-process';

/** Transfers at once that are worth a process of their own, where the user does not say how many processes. */
const THREADS_EACH = 4;

/** Most of what a copy allocates is gone a moment later: V8 would let it grow into memory that nothing needs. */
const SMALL_HEAP = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

/** @param asked  what the user says, if anything */
export function copierMeans(
  asked: number | undefined,
  clusters: CopierMeans['clusters'],
  onAnswer?: CopierMeans['onAnswer'],
): CopierMeans {
  const program = { file: process.argv[1] ?? '', args: [COPIER], flags: SMALL_HEAP, onKilled: removeKerberosHomesOf };
  if (asked !== undefined) return { program, atMost: asked, areAskedFor: true, leastThreads: 1, clusters, onAnswer };
  const atMost = usualCopiers(availableParallelism(), memoryBytes());
  return { program, atMost, areAskedFor: false, leastThreads: THREADS_EACH, clusters, onAnswer };
}

/** What a container may use, or what is free where none sets a limit. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : process.availableMemory();
}

/** Whether this process was started to copy. Only a parent's channel makes it one. */
export function isCopier(): boolean {
  return process.argv[2] === COPIER && process.send !== undefined;
}
