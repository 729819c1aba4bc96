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
}

/** What a copier is sure to have for its transfers, s: less than a Lambda lives. */
const COPIES_FOR_S = 600;
/** What each transfer is to move in that time at least, where a bandwidth is shared by all: less would be cut off too often. */
const LEAST_BYTES = 256 * 1024 ** 2;
/** What a copier is to move in that time at least: a file that is not copied in chunks, which it takes alone once it was cut off. */
const LEAST_BYTES_ALONE = 1024 ** 3;

/**
 * Copiers at once for so many transfers; for as many as are allowed where `threads` is 0 or auto. Within a bandwidth no more than can each
 * copy a large file before their time is over; within a timetable, by the highest of its rates.
 */
export function copiersFor(
  { threads, bandwidth, chunkSize }: Pick<JobSpec['options'], 'threads' | 'bandwidth' | 'chunkSize'>,
  { transfers, copiers, most = Infinity, bytesPerSecond = Infinity }: Scale,
): number {
  const wanted = Math.min(threads === 'auto' || threads === 0 ? Infinity : threads, most);
  const own = new Timetable(bandwidth).most;
  const rate = Math.min(own === 'off' ? Infinity : own, bytesPerSecond);
  const leastBytes = Math.max(transfers * LEAST_BYTES, LEAST_BYTES_ALONE, chunkSize);
  const served = Math.floor((rate * COPIES_FOR_S) / leastBytes);
  return Math.max(1, Math.min(copiers, Math.ceil(wanted / transfers), served));
}
