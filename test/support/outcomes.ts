import { randomUUID } from 'node:crypto';
import { parseJobSpec } from '../../shared/job/spec.ts';
import type { Job } from '../../shared/job/job.ts';
import type {
  CopiedChunk,
  CopiedOutcome,
  FailedChunk,
  FailedOutcome,
  Overtaken,
  OvertakenOutcome,
  SkippedOutcome,
  UnitOutcome,
} from '../../shared/job/outcome.ts';

/** A job of a test's own, so that tests can share a store. */
export function newJob(changes: Partial<Job> = {}): Job {
  return {
    id: randomUUID(),
    spec: parseJobSpec({ source: 'a:/in', destination: 'b:/out' }),
    roots: [],
    phase: 'planning',
    startedAtMs: 1_700_000_000_000,
    endedAtMs: undefined,
    outcome: undefined,
    error: undefined,
    expectedFiles: 0,
    expectedBytes: 0,
    directoryWarnings: {},
    ...changes,
  };
}

export const copied = (unit: number, changes: Partial<CopiedOutcome> = {}): CopiedOutcome => ({
  unit,
  outcome: 'copied',
  bytes: 100,
  verification: 'checksum',
  retries: 0,
  ...changes,
});

export const skipped = (unit: number, reason = 'identical content'): SkippedOutcome => ({
  unit,
  outcome: 'skipped',
  bytes: 10,
  reason,
  retries: 0,
});

export const failed = (unit: number, changes: Partial<FailedOutcome> = {}): FailedOutcome => ({
  unit,
  outcome: 'failed',
  bytes: 1,
  failure: { path: `/in/${unit}`, operation: 'OPEN', host: 'nn1:9870', reason: 'denied (ask for it)' },
  retries: 2,
  ...changes,
});

export const overtaken = (
  unit: number,
  outcome: Overtaken,
  changes: Partial<OvertakenOutcome> = {},
): OvertakenOutcome => ({
  unit,
  outcome,
  bytes: 5,
  failure: { path: `/in/${unit}`, operation: 'OPEN', host: '', reason: 'it is in use', overtaken: outcome },
  retries: 1,
  ...changes,
});

export const copiedChunk = (unit: number, split: number, chunk: number): CopiedChunk => ({
  kind: 'chunk',
  unit,
  split,
  chunk,
  outcome: 'copied',
  bytes: 1000,
  retries: 0,
  verification: 'checksum',
  digests: { 'CRC32C/512/1024/': 'AAAA' },
  fileId: 7,
});

export const failedChunk = (unit: number, split: number, chunk: number): FailedChunk => ({
  kind: 'chunk',
  unit,
  split,
  chunk,
  outcome: 'failed',
  bytes: 1000,
  retries: 0,
  failure: { path: '/in/long', operation: 'OPEN', host: 'nn1:9870', reason: 'denied (ask for it)' },
});

/** The counters that these outcomes should add up to, without those that are zero. */
export function countersIn(outcomes: readonly UnitOutcome[]): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, value: number) => {
    if (value !== 0) sums.set(name, (sums.get(name) ?? 0) + value);
  };
  for (const outcome of outcomes) {
    add(`files.${outcome.outcome}`, 1);
    add(`bytes.${outcome.outcome}`, outcome.bytes);
    if (outcome.outcome === 'copied') add(`verified.${outcome.verification}`, 1);
    if (outcome.outcome === 'skipped') add(`skipped.${outcome.reason}`, 1);
    add('retries', outcome.retries);
  }
  return sums;
}
