import type { Root } from './root.ts';
import type { Verification } from './spec.ts';
import { sourcePathOf, type FileUnit } from './unit.ts';

/** Where and why one file failed. */
export interface Failure {
  readonly path: string;
  readonly operation: string;
  readonly host: string;
  /** What the server answered and what to do next, in one line. */
  readonly reason: string;
}

/** How one unit ended. */
export type UnitOutcome = FileOutcome;

/**
 * How a file ended, whichever step was its last. Each planned file gets exactly one of these, and only these count files: the outcome of a
 * step that does not end its file is another type.
 */
export type FileOutcome = CopiedOutcome | SkippedOutcome | FailedOutcome;
export type FileEnding = FileOutcome['outcome'];

interface Ended {
  /** Index of the unit in its batch. */
  readonly unit: number;
  /** Bytes that the outcome stands for: written, left alone, or missing. */
  readonly bytes: number;
  /** Tries of the unit after the first one. */
  readonly retries: number;
  /** What a try wrote may still stand under its temporary name: it could not be deleted. */
  readonly remains?: true;
}

/** What an outcome tells of attributes. */
export interface ToldOfAttributes {
  /** Attributes that could not be preserved. */
  readonly warnings?: readonly string[];
  /** Why attributes could not be preserved, without paths: `acl: …`. */
  readonly reasons?: readonly string[];
}

export interface CopiedOutcome extends Ended, ToldOfAttributes {
  readonly outcome: 'copied';
  /** The verification level that was reached. */
  readonly verification: Verification;
}

export interface SkippedOutcome extends Ended, ToldOfAttributes {
  readonly outcome: 'skipped';
  readonly reason: string;
  /** The attributes of the file that stands at the destination were brought up to date. */
  readonly updated?: true;
}

export interface FailedOutcome extends Ended {
  readonly outcome: 'failed';
  readonly failure: Failure;
}

/** The outcome of a file whose copier ended before the file did. */
export function failedOutcome(roots: readonly Root[], index: number, unit: FileUnit, reason: string): FailedOutcome {
  const failure = { path: sourcePathOf(roots, unit), operation: 'COPY', host: '', reason };
  return { unit: index, outcome: 'failed', bytes: unit.lengthBytes, retries: 0, failure };
}

/** Sums over recorded outcomes: `files.copied`, `bytes.copied`, `verified.checksum`, `skipped.<reason>`, `retries`, … */
export type Counters = ReadonlyMap<string, number>;

/** The counters that an outcome adds to. */
export function countersOf(outcome: UnitOutcome): Map<string, number> {
  const counters = countersOfFile(outcome);
  switch (outcome.outcome) {
    case 'copied':
      counters.set(`verified.${outcome.verification}`, 1);
      addAttributes(counters, outcome);
      break;
    case 'skipped':
      counters.set(`skipped.${outcome.reason}`, 1);
      if (outcome.updated) counters.set('attributes.updated', 1);
      addAttributes(counters, outcome);
      break;
    case 'failed':
      break;
  }
  return counters;
}

/** Counts a file: outcomes of files alone come here, and a file has one. */
function countersOfFile({ outcome, bytes, retries }: FileOutcome): Map<string, number> {
  const counters = new Map([
    [`files.${outcome}`, 1],
    [`bytes.${outcome}`, bytes],
  ]);
  if (retries > 0) counters.set('retries', retries);
  return counters;
}

function addAttributes(counters: Map<string, number>, { warnings = [], reasons = [] }: ToldOfAttributes): void {
  for (const reason of reasons) counters.set(`reasons.${reason}`, 1);
  for (const warning of warnings) counters.set(`warnings.${warning}`, (counters.get(`warnings.${warning}`) ?? 0) + 1);
}
