import type { RetryPolicy } from '../retry.ts';

/**
 * Whole tries of one file, on top of those of each request: at most 12, and at least 3 however long they take, until no byte
 * has moved for 180 s; waits 0.25 s to 10 s. Long enough for a datanode to restart or to be dropped by the namenode.
 */
export const wholeFile: RetryPolicy = {
  attempts: 12,
  leastAttempts: 3,
  totalMs: 180_000,
  baseMs: 250,
  capMs: 10_000,
};

/**
 * A rename, as often as it takes to outlast a failover or a restart, and at least 3 times however long each waits for its turn: nothing
 * but the request is repeated.
 */
export const promoting: RetryPolicy = { attempts: 60, leastAttempts: 3, totalMs: 120_000, baseMs: 250, capMs: 5000 };
