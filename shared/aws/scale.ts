import type { JobSpec } from '../job/spec.ts';
import { Timetable } from '../limits/timetable.ts';

/** What bounds the copiers of a job, beside what its own options say. Kept with the job at work. */
export interface Scale {
  /** Transfers at once in one copier. */
  readonly transfers: number;
  /** Copiers at once. */
  readonly copiers: number;
  /** Transfers at once that both clusters allow, if they say. */
  readonly most?: number;
  /** The bandwidth that the clusters allow, if they say. */
  readonly bytesPerSecond?: number;
  /** Requests a second that they allow to their namenodes, if they say. */
  readonly opsPerSecond?: number;
}

/** What a copier is sure to have for its transfers, s: less than a Lambda lives. */
const COPIES_FOR_S = 600;
/** What each transfer is to move in that time at least, where a bandwidth is shared by all: less would be cut off too often. */
const LEAST_BYTES = 256 * 1024 ** 2;
/** What a copier is to move in that time at least: a file that is not copied in chunks, which it takes alone once it was cut off. */
const LEAST_BYTES_ALONE = 1024 ** 3;
/** Requests to one cluster's namenodes that each transfer may send in that time at least: some files, however many attributes they have. */
const LEAST_OPS = 100;

/**
 * Copiers at once for so many transfers; for as many as are allowed where `threads` is 0 or auto. Within a bandwidth no more than can each
 * copy a large file before their time is over, within a number of requests no more than can each copy some files; within a timetable, by the
 * highest of its rates.
 */
export function copiersFor(
  options: Pick<JobSpec['options'], 'threads' | 'bandwidth' | 'namenodeOps' | 'chunkSize'>,
  { transfers, copiers, most = Infinity, bytesPerSecond = Infinity, opsPerSecond = Infinity }: Scale,
): number {
  const { threads, bandwidth, namenodeOps, chunkSize } = options;
  const wanted = Math.min(threads === 'auto' || threads === 0 ? Infinity : threads, most);
  const own = new Timetable(bandwidth).most;
  const rate = Math.min(own === 'off' ? Infinity : own, bytesPerSecond);
  const leastBytes = Math.max(transfers * LEAST_BYTES, LEAST_BYTES_ALONE, chunkSize);
  const served = Math.floor((rate * COPIES_FOR_S) / leastBytes);
  const ops = Math.min(namenodeOps === 'off' ? Infinity : namenodeOps, opsPerSecond);
  const answered = Math.floor((ops * COPIES_FOR_S) / (transfers * LEAST_OPS));
  return Math.max(1, Math.min(copiers, Math.ceil(wanted / transfers), served, answered));
}
