import { join, parentOf } from '../storage/path.ts';

/**
 * Beginning of every temporary name. `_` is ignored by Hive and MapReduce; the planner ignores the whole
 * prefix on both sides, so that another job's half-written file is never copied.
 */
const PREFIX = '_hdfs-fanout.';

export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Which try of which claim of which unit. */
export interface Attempt {
  readonly job: string;
  readonly batch: number;
  readonly unit: number;
  readonly claim: number;
  readonly attempt: number;
}

/**
 * Where one try writes: in the final path's own directory, since a rename does not cross encryption zones or
 * nameservices. Never the same for two tries, of the same length whatever the final name, and derived from what the job store
 * keeps, so that each can be swept by name.
 */
export function temporaryPath(finalPath: string, { job, batch, unit, claim, attempt }: Attempt): string {
  return join(parentOf(finalPath), `${PREFIX}${job}.${batch}.${unit}.${claim}.${attempt}`);
}

/** Where a chunk of a file stands once it is whole: whichever claim copied it, until the file is put together. */
export function chunkPath(finalPath: string, job: string, split: number, chunk: number): string {
  return join(parentOf(finalPath), `${PREFIX}${job}.s${split}.${chunk}`);
}

/**
 * Where a file is written that goes in parts. Each try gives it another name by a rename, so that what comes late of an earlier one, of a
 * copier that was given up for dead too, finds no file to add to.
 */
export function partsPath(finalPath: string, { job, batch, unit, claim, attempt }: Attempt): string {
  return join(parentOf(finalPath), `${PREFIX}${job}.p${batch}.${unit}.${claim}.${attempt}`);
}

/** Where a sample of a tree is copied to see how fast that is: a directory, which is removed again. */
export function samplePath(directory: string, id: string): string {
  return join(directory, `${PREFIX}sample.${id}`);
}

/** A directory that is made and removed at once, to see whether it shows elsewhere. */
export function probeName(random: string): string {
  return `${PREFIX}probe.${random}`;
}
