import type { Job } from './job.ts';
import type { Counters, Failure, UnitOutcome } from './outcome.ts';

/** What a copier gets when it takes a batch over. */
export interface Claim {
  /** From 1; higher than any before it. */
  readonly claim: number;
  /** Highest attempt number that any earlier claim may have used. */
  readonly attempts: number;
  /** Claims up to this one were swept. */
  readonly swept: number;
  /** Indices of units whose outcome is recorded. */
  readonly done: ReadonlySet<number>;
}

/**
 * Keeps jobs, batches, failures and counters. Two implementations, SQLite and DynamoDB; one test suite
 * (test/contract/job-store) runs against both.
 *
 * The last claim of a batch wins. Every later write names its owner, and one by a loser changes nothing and throws SupersededError.
 * Recording is one transaction: outcomes, failures and counters together, so that a copier killed anywhere leaves
 * each unit counted once or not at all.
 */
export interface JobStore {
  create(job: Job): Promise<void>;
  get(id: string): Promise<Job | undefined>;
  /** Newest first. */
  list(limit: number): Promise<Job[]>;
  update(id: string, changes: Partial<Omit<Job, 'id'>>): Promise<void>;

  /** Takes a batch over, whoever had it. */
  claim(id: string, batch: number, owner: string): Promise<Claim>;
  /** Before a CREATE and before a promote, so that a copier that was given up for dead changes nothing when it wakes. */
  requireOwner(id: string, batch: number, owner: string): Promise<void>;
  /** Before a unit is tried again: no temporary name is ever used that a sweep would not find. */
  noteAttempt(id: string, batch: number, owner: string, attempt: number): Promise<void>;
  /** After the names of all claims up to `claim` were deleted. */
  noteSwept(id: string, batch: number, owner: string, claim: number): Promise<void>;
  /** Recording a unit again changes nothing. */
  record(id: string, batch: number, owner: string, outcomes: readonly UnitOutcome[]): Promise<void>;

  /** Takes failed units back, counters and failure records included, so that they are tried again. */
  reopenFailed(id: string): Promise<void>;
  /** Batches that were claimed, with what a sweep needs. */
  claims(id: string): AsyncIterable<Claim & { readonly batch: number }>;

  counters(id: string): Promise<Counters>;
  /** In the order of recording. @param after  the last page's last `sequence`. @throws SpecError when it is no such mark */
  failures(id: string, limit: number, after?: string): Promise<RecordedFailure[]>;
}

/** A failure as it was recorded, with the unit that it is of. */
export interface RecordedFailure extends Failure {
  readonly sequence: string;
  readonly batch: number;
  readonly unit: number;
}
