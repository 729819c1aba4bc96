import { availableParallelism } from 'node:os';
import type { CopierProgram } from '../shared/machine/copier-process.ts';

/** The only argument of a process that this program has started to copy. No command is called so. */
const COPIER = '--copier-process';

/** This program itself, as a process that copies. */
export const copierProgram: CopierProgram = { file: process.argv[1] ?? '', args: [COPIER] };

/** Processes that copy where the user does not say: what copying leaves idle serves whatever else runs on the machine. */
export const usualCopiers = Math.max(1, Math.floor(availableParallelism() / 2));

/** Whether this process was started to copy. Only a parent's channel makes it one. */
export function isCopier(): boolean {
  return process.argv[2] === COPIER && process.send !== undefined;
}
