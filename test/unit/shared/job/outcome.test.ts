import { describe, expect, it } from 'vitest';
import { countersOf, failedOutcome, type UnitOutcome } from '../../../../shared/job/outcome.ts';
import { copiedChunk, failed, failedChunk, overtaken } from '../../../support/outcomes.ts';

const ended = { unit: 0, bytes: 10, retries: 0 };

describe('countersOf', () => {
  it.each<[string, UnitOutcome, Record<string, number>]>([
    [
      'a copied file by the level that was reached',
      { ...ended, outcome: 'copied', verification: 'read-back', retries: 2 },
      { 'files.copied': 1, 'bytes.copied': 10, 'verified.read-back': 1, retries: 2 },
    ],
    [
      'attributes that a copied file lost, and why',
      {
        ...ended,
        outcome: 'copied',
        verification: 'none',
        warnings: ['owner', 'group', 'owner'],
        reasons: ['owner: no', 'group: no'],
      },
      {
        'files.copied': 1,
        'bytes.copied': 10,
        'verified.none': 1,
        'warnings.owner': 2,
        'warnings.group': 1,
        'reasons.owner: no': 1,
        'reasons.group: no': 1,
      },
    ],
    [
      'a skipped file by its reason',
      { ...ended, outcome: 'skipped', reason: 'exists', updated: true, warnings: ['acl'] },
      { 'files.skipped': 1, 'bytes.skipped': 10, 'skipped.exists': 1, 'attributes.updated': 1, 'warnings.acl': 1 },
    ],
    ['a copied chunk by its bytes alone', copiedChunk(0, 0, 0), { 'chunks.bytes': 1000 }],
    ['a failed chunk not at all', failedChunk(0, 0, 0), {}],
    [
      'a file that was put together, in place of its chunks',
      { ...ended, outcome: 'copied', verification: 'checksum', chunkBytes: 10 },
      { 'files.copied': 1, 'bytes.copied': 10, 'chunks.bytes': -10, 'verified.checksum': 1 },
    ],
    [
      'a failed file',
      { ...ended, outcome: 'failed', retries: 11, failure: { path: '/in', operation: 'OPEN', host: '', reason: 'no' } },
      { 'files.failed': 1, 'bytes.failed': 10, retries: 11 },
    ],
    [
      'a file that failed because its source changed',
      failed(0, { failure: { path: '/in', operation: 'OPEN', host: '', reason: 'no', overtaken: 'changed' } }),
      { 'files.failed': 1, 'bytes.failed': 1, 'failed.changed': 1, retries: 2 },
    ],
    ['one that vanished', overtaken(0, 'vanished'), { 'files.vanished': 1, 'bytes.vanished': 5, retries: 1 }],
  ])('counts %s', (_what, outcome, counters) => {
    expect(Object.fromEntries(countersOf(outcome))).toEqual(counters);
  });
});

it('a unit that ended with its copier fails under its source path, with all its bytes', () => {
  const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
  const unit = {
    kind: 'file',
    root: 0,
    path: 'a',
    lengthBytes: 7,
    modifiedAtMs: 0,
    blockBytes: 0,
    decision: 'copy',
  } as const;
  expect(failedOutcome(roots, 4, unit, 'its copier died')).toEqual({
    unit: 4,
    outcome: 'failed',
    bytes: 7,
    retries: 0,
    failure: { path: '/in/a', operation: 'COPY', host: '', reason: 'its copier died' },
  });
});

it('a chunk that ended with its copier says which one it was', () => {
  const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
  const file = {
    kind: 'file',
    root: 0,
    path: 'a',
    lengthBytes: 25,
    modifiedAtMs: 0,
    blockBytes: 0,
    decision: 'copy',
    split: { number: 3, chunkBytes: 10 },
  } as const;
  expect(failedOutcome(roots, 4, { kind: 'chunk', chunk: 2, file }, 'its copier died')).toEqual({
    kind: 'chunk',
    split: 3,
    chunk: 2,
    unit: 4,
    outcome: 'failed',
    bytes: 5,
    retries: 0,
    failure: { path: '/in/a', operation: 'COPY', host: '', reason: 'chunk 3 of 3: its copier died' },
  });
});
