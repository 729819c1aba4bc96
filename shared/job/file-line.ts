import { isOfChunk, type Recorded, type Timing } from './outcome.ts';
import type { Verification } from './spec.ts';

/**
 * What a job keeps of each unit that ended, for its report: how, when and how long it took. Lines tell no counts, which the job's counters
 * tell: those of a copier that was killed may be missing, and a file that failed has one more for each time that it was taken up again.
 */
export interface FileLine {
  /** At the source; of a deletion at the destination. */
  readonly path: string;
  /** Of a chunk its own. */
  readonly bytes: number;
  /** Of a chunk: one that was copied, which ends no file. */
  readonly outcome: 'copied' | 'skipped' | 'failed' | 'vanished' | 'changed' | 'chunk' | 'deleted' | 'kept';
  /** Why it was skipped, or kept at the destination. Of what failed the job store tells. */
  readonly reason?: string;
  readonly verification?: Verification;
  /** Chunks had copied it: its bytes are those of their lines. */
  readonly isJoined?: true;
  readonly endedAtMs: number;
  /** From when its transfer had its turn. */
  readonly tookMs: number;
  readonly retries: number;
  /** Hosts at which a try failed, each as often as one did. */
  readonly hosts?: readonly string[];
  /** Where the trash holds it, as it was when it went there. */
  readonly trash?: string;
}

/** What the lines of a job are read from. */
export interface FileLines {
  /** The lines of a job, in no order. */
  fileLines(job: string): AsyncIterable<FileLine>;
}

/** Adds to an outcome what its line tells of time. @param path  as a person knows it */
export function timed<Outcome extends Recorded>(outcome: Outcome, path: string, beganAtMs: number): Outcome {
  const endedAtMs = Date.now();
  const timing: Timing = { path, endedAtMs, tookMs: Math.max(0, endedAtMs - beganAtMs) };
  return { ...outcome, timing };
}

/** The line of an outcome; none of one without a time, nor of a chunk or a deletion that failed. */
export function fileLineOf(outcome: Recorded): FileLine | undefined {
  const { timing, bytes, retries, hosts, chunkBytes } = outcome;
  if (!timing) return undefined;
  const told = {
    ...timing,
    bytes,
    retries,
    ...(hosts ? { hosts } : {}),
    ...(chunkBytes === undefined ? {} : { isJoined: true as const }),
  };
  if ('kind' in outcome && outcome.outcome === 'failed') return undefined;
  if (isOfChunk(outcome)) return { ...told, outcome: 'chunk' };
  switch (outcome.outcome) {
    case 'copied':
      return { ...told, outcome: 'copied', verification: outcome.verification };
    case 'skipped':
    case 'kept':
      return { ...told, outcome: outcome.outcome, reason: outcome.reason };
    case 'deleted':
      return { ...told, outcome: 'deleted', ...(outcome.trash === undefined ? {} : { trash: outcome.trash }) };
    case 'failed':
    case 'vanished':
    case 'changed':
      return { ...told, outcome: outcome.outcome };
    // Nothing was copied: the report of a verification is another.
    case 'compared':
      return undefined;
  }
}
