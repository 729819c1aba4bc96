import type { Leases } from '../limits/leases.ts';
import type { UnitSet } from './bitmap.ts';
import type { Job } from './job.ts';
import type { PartedFile } from './parts.ts';
import type { JobOptions } from './spec.ts';
import {
  type ChunkOutcome,
  type Counters,
  type Failure,
  isUnsettled,
  type Recorded,
  type UnitOutcome,
} from './outcome.ts';

/** What a copier gets when it takes a batch over. */
export interface Claim {
  /** From 1; higher than any before it. */
  readonly claim: number;
  /** Highest attempt number that any earlier claim may have used. */
  readonly attempts: number;
  /** Claims up to this one were swept. */
  readonly swept: number;
  /** Indices of units whose outcome is recorded. */
  readonly done: UnitSet;
}

/** A batch that was claimed, with what a sweep needs. */
export interface ClaimedBatch extends Claim {
  readonly batch: number;
  /**
   * Indices of units that were copied or skipped at their first try, under the batch's first claim, and left nothing that could not be
   * deleted: nothing of them can stand under a temporary name.
   */
  readonly clean: UnitSet;
}

/**
 * Keeps jobs, batches, failures and counters. Two implementations, SQLite and DynamoDB; one test suite
 * (test/contract/job-store) runs against both.
 *
 * The last claim of a batch wins. Every later write names its owner, and one by a loser changes nothing and throws SupersededError.
 * Recording is one transaction: outcomes, failures and counters together, so that a copier killed anywhere leaves
 * each unit counted once or not at all.
 */
export interface JobStore extends Leases {
  create(job: Job): Promise<void>;
  get(id: string): Promise<Job | undefined>;
  /** Newest first. */
  list(limit: number): Promise<Job[]>;
  update(id: string, changes: Partial<Omit<Job, 'id'>>): Promise<void>;
  /** Changes these options of a job's spec and no others, in one step: of two changes at once neither takes the other back. */
  setOptions(id: string, changes: Partial<JobOptions>): Promise<void>;

  /** Takes a batch over, whoever had it. */
  claim(id: string, batch: number, owner: string): Promise<Claim>;
  /** Before a CREATE and before a promote, so that a copier that was given up for dead changes nothing when it wakes. */
  requireOwner(id: string, batch: number, owner: string): Promise<void>;
  /** Before a unit is tried again: no temporary name is ever used that a sweep would not find. */
  noteAttempt(id: string, batch: number, owner: string, attempt: number): Promise<void>;
  /** After the names of all claims up to `claim` were deleted. */
  noteSwept(id: string, batch: number, owner: string, claim: number): Promise<void>;
  /** Recording a unit again changes nothing, but for a failed chunk: its failure is kept, and the unit stays without an outcome. */
  record(id: string, batch: number, owner: string, outcomes: readonly Recorded[]): Promise<void>;

  /** What became of a split file's chunks, in no order; of each the last outcome. @param split  number of the file */
  chunks(id: string, split: number): Promise<ChunkRecord[]>;
  /**
   * Takes the chunks of a split file back, so that a resumed job copies them again.
   * @param which  their numbers; default: all
   */
  reopenChunks(id: string, split: number, which?: ReadonlySet<number>): Promise<void>;
  /** Takes them back for good: a resumed job copies the file as one stream. */
  giveUpChunks(id: string, split: number): Promise<void>;
  /** Notes that a server did not join the chunks of a split file. @returns whether another owner had noted that before */
  noteRefusal(id: string, split: number, owner: string): Promise<boolean>;
  /** Whether the chunks of a split file were given up. */
  isGivenUp(id: string, split: number): Promise<boolean>;
  /**
   * What was read again of a split file that was put together: digests of blocks in base64, by the number of the piece. Taking chunks back
   * forgets it first.
   * @param of  tells which file, and in which layout it is digested
   */
  piecesRead(id: string, split: number, of: string): Promise<Map<number, string>>;
  keepPieceRead(id: string, split: number, of: string, piece: number, blocks: string): Promise<void>;

  /** What is known of a unit that is copied in parts; undefined where nothing is. */
  parts(id: string, batch: number, unit: number): Promise<PartedFile | undefined>;
  /**
   * Keeps it in place of what was known.
   * @param file  of its parts the last one alone may be another than those that are kept
   */
  keepParts(id: string, batch: number, owner: string, unit: number, file: PartedFile): Promise<void>;

  /** The units of which something is kept as of files in parts, in no order. */
  partedFiles(id: string): AsyncIterable<PartedUnit>;

  /**
   * Takes units back that failed, vanished or changed, counters and records of why included, so that they are tried again.
   * @param which  tells which of them; default: all. The others stay as they are, and counted
   */
  reopenFailed(id: string, which?: (failure: Failure) => boolean): Promise<void>;
  /** Batches that were claimed, in their order, a page in memory. @param from  the first batch of interest */
  claims(id: string, from?: number): AsyncIterable<ClaimedBatch>;

  /** Where a finish of the job goes on: the plain JSON that was kept; undefined where none is kept. */
  finishCursor(id: string): Promise<unknown>;
  /** @param cursor  undefined: a finish begins at its beginning */
  keepFinishCursor(id: string, cursor: object | undefined): Promise<void>;
  /**
   * The job is planned again, in its second pass; the cursor is gone with that, both or neither.
   * @returns false where its second pass has begun: nothing is changed
   */
  beginSecondPass(id: string): Promise<boolean>;
  /** The last change of a job that is being finished; the cursor is gone with it, both or neither. */
  endFinish(id: string, ending: Partial<Omit<Job, 'id'>>): Promise<void>;

  counters(id: string): Promise<Counters>;
  /** What failed, vanished or changed, in the order of recording. @param after  the last page's last `sequence`. @throws SpecError when it is no such mark */
  failures(id: string, limit: number, after?: string): Promise<RecordedFailure[]>;
}

/** What a copier of batches needs of a job store. */
export interface BatchStore extends Pick<
  JobStore,
  'claim' | 'requireOwner' | 'noteAttempt' | 'noteSwept' | 'isGivenUp' | 'parts' | 'keepParts'
> {
  record(id: string, batch: number, owner: string, outcomes: readonly UnitOutcome[]): Promise<void>;
}

/** Whether nothing can be left of a unit under a temporary name. @param claim  the number of the claim that it was recorded under */
export function isClean(claim: number, outcome: Recorded): boolean {
  const { retries, remains } = outcome;
  return claim === 1 && retries === 0 && !isUnsettled(outcome) && !remains;
}

/** What is asked of a store when a file is put together of its chunks. */
export type ChunkStore = Pick<
  JobStore,
  'chunks' | 'reopenChunks' | 'giveUpChunks' | 'noteRefusal' | 'isGivenUp' | 'piecesRead' | 'keepPieceRead'
>;

/** A unit that is or was copied in parts. */
export type PartedUnit = Pick<PartedFile, 'names'> & { readonly batch: number; readonly unit: number };

/** What became of a chunk, as it was recorded. */
export type ChunkRecord = ChunkOutcome & { readonly batch: number };

/** Why a unit failed, vanished or changed, as it was recorded. */
export interface RecordedFailure extends Failure {
  readonly sequence: string;
  readonly batch: number;
  readonly unit: number;
}
