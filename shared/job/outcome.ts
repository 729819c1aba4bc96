import type { Verification } from './spec.ts';

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

/** Sums over recorded outcomes: `files.copied`, `bytes.copied`, `verified.checksum`, `skipped.<reason>`, `retries`, … */
export type Counters = ReadonlyMap<string, number>;

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
