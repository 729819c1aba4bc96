import { availableParallelism } from 'node:os';
import type { CopierMeans } from '../shared/machine/copier-pool.ts';

/** The only argument of a process that this program has started to copy. No command is called so. */
const COPIER = '--copier-process';

/** Transfers at once that are worth a process of their own, where the user does not say how many processes. */
const THREADS_EACH = 4;

/** Processes that copy where the user does not say: what copying leaves idle serves whatever else runs on the machine. */
const usualCopiers = Math.max(1, Math.floor(availableParallelism() / 2));

/** @param asked  what the user says, if anything */
export function copierMeans(asked: number | undefined, clusters: CopierMeans['clusters']): CopierMeans {
  const program = { file: process.argv[1] ?? '', args: [COPIER] };
  if (asked !== undefined) return { program, atMost: asked, leastThreads: 1, clusters };
  return { program, atMost: usualCopiers, leastThreads: THREADS_EACH, clusters };
}

/** Whether this process was started to copy. Only a parent's channel makes it one. */
export function isCopier(): boolean {
  return process.argv[2] === COPIER && process.send !== undefined;
}
