import type { Root } from './root.ts';
import type { JobSpec, Verification } from './spec.ts';

export type Phase = 'planning' | 'copying' | 'finishing' | 'done';
/** `Interrupted` by a person or the machine; `Failed` with failed files, or because it could not go on. */
export type Outcome = 'Successful' | 'Failed' | 'Interrupted';

/** A job until its final status and after it. */
export interface Job {
  readonly id: string;
  readonly spec: JobSpec;
  /** Resolved once; empty until then. */
  readonly roots: readonly Root[];
  readonly phase: Phase;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** When its process last said that it lives: about when it died, if it was killed. */
  readonly seenAtMs?: number;
  readonly outcome: Outcome | undefined;
  /** Why it ended before its end; undefined when it went through. */
  readonly error: string | undefined;
  readonly expectedFiles: number;
  readonly expectedBytes: number;
  /** Attributes of directories that could not be preserved, by attribute. */
  readonly directoryWarnings: Readonly<Record<string, number>>;
}

/** Where and why one file failed. */
export interface Failure {
  readonly path: string;
  readonly operation: string;
  readonly host: string;
  /** What came back and what to do next, in one line. */
  readonly reason: string;
}

/** How one unit ended. */
export interface UnitOutcome {
  /** Index in its batch. */
  readonly unit: number;
  readonly outcome: 'copied' | 'skipped' | 'failed';
  /** Bytes that the outcome stands for: written, left alone, or missing. */
  readonly bytes: number;
  /** Of a copied file. */
  readonly verification?: Verification;
  /** Of a skipped file. */
  readonly reason?: string;
  readonly failure?: Failure;
  /** Of a skipped file whose attributes were brought up to date. */
  readonly updated?: true;
  /** Attributes that could not be preserved. */
  readonly warnings?: readonly string[];
  /** Why, without paths: `acl: …`. */
  readonly reasons?: readonly string[];
  readonly retries: number;
}

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

/** Sums over recorded outcomes: `files.copied`, `bytes.copied`, `verified.checksum`, `skipped.<reason>`, `retries`, … */
export type Counters = ReadonlyMap<string, number>;

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

/** The counters that an outcome adds to. */
export function countersOf(outcome: UnitOutcome): Map<string, number> {
  const counters = new Map([
    [`files.${outcome.outcome}`, 1],
    [`bytes.${outcome.outcome}`, outcome.bytes],
  ]);
  if (outcome.verification) counters.set(`verified.${outcome.verification}`, 1);
  if (outcome.outcome === 'skipped' && outcome.reason) counters.set(`skipped.${outcome.reason}`, 1);
  if (outcome.retries > 0) counters.set('retries', outcome.retries);
  if (outcome.updated) counters.set('attributes.updated', 1);
  for (const reason of outcome.reasons ?? []) counters.set(`reasons.${reason}`, 1);
  for (const warning of outcome.warnings ?? [])
    counters.set(`warnings.${warning}`, (counters.get(`warnings.${warning}`) ?? 0) + 1);
  return counters;
}
