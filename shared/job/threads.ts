import type { Storage } from '../storage/storage.ts';
import type { Job } from './job.ts';

/** Transfers at once over a whole job. */
export interface Threads {
  /** At the beginning, and throughout where they are not `isAuto`. */
  readonly first: number;
  readonly most: number;
  /** Whether the job finds their number itself, from 1 to `most`. */
  readonly isAuto: boolean;
}

/**
 * Transfers at once over a whole job: what was asked for, within what both clusters allow.
 * @param usual  transfers at once where neither the job nor a cluster sets a number; with `auto`, at first
 * @param autoMost  with `auto`, the most where no cluster sets a number
 */
export function threadsOf(
  { spec }: Pick<Job, 'spec'>,
  source: Storage,
  destination: Storage,
  usual: number,
  autoMost = usual,
): Threads {
  const { threads } = spec.options;
  const caps = [source.maxConcurrency, destination.maxConcurrency].filter((cap) => cap !== undefined);
  const within = (wanted: number) => Math.max(1, Math.min(wanted, ...caps));
  if (threads === 'auto') return { first: within(usual), most: within(autoMost), isAuto: true };
  const fixed = within(threads > 0 ? threads : caps.length > 0 ? Infinity : usual);
  return { first: fixed, most: fixed, isAuto: false };
}
