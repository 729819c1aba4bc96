import type { Storage } from '../storage/storage.ts';
import type { Job } from './job.ts';

/**
 * Transfers at once over a whole job: what was asked for, within what both clusters allow.
 * @param usual  transfers at once where neither the job nor a cluster sets a number
 */
export function threadsOf(job: Job, source: Storage, destination: Storage, usual: number): number {
  const { threads } = job.spec.options;
  const caps = [source.maxConcurrency, destination.maxConcurrency].filter((cap) => cap !== undefined);
  const wanted = threads > 0 ? threads : caps.length > 0 ? Infinity : usual;
  return Math.max(1, Math.min(wanted, ...caps));
}
