import { describe, expect, it } from 'vitest';
import { isLong, obstacleToParts } from '../../../../shared/copy/long-files.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { transfer } from '../../../../shared/copy/transfer.ts';
import { Deadline } from '../../../../shared/deadline.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { JobStore } from '../../../../shared/job/job-store.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import type { Appending } from '../../../../shared/storage/capabilities.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';

const GIB = 1024 ** 3;
const { options } = parseJobSpec({ source: 'a:/in', destination: 'b:/out' });
const unitOf = (lengthBytes: number): FileUnit => ({
  kind: 'file',
  root: 0,
  path: 'file',
  lengthBytes,
  modifiedAtMs: 0,
  blockBytes: 2 ** 27,
  decision: 'copy',
});
const disk = new LocalDisk(65_536);

it.each([
  [GIB, true, false],
  [GIB + 1, true, true],
  [4 * GIB, false, false],
  [4 * GIB + 1, false, true],
])('a file of %i bytes, by a copier whose time is bounded: %s, is long: %s', (lengthBytes, isBounded, expected) => {
  expect(isLong(unitOf(lengthBytes), options, isBounded)).toBe(expected);
});

describe('a long file does not go in parts', () => {
  const refused = new StorageError('unsupported', 'X', 'Append is not enabled', { operation: 'APPEND', path: '/x' });
  const appendable = (refusal?: StorageError) =>
    decorated(disk, { appending: { refusal: () => refusal } as unknown as Appending });
  const stripe = { cellBytes: 1024, dataUnits: 2 };

  it.each([
    ['with --direct', unitOf(1), { ...options, direct: true }, appendable(), '--direct writes to the final name'],
    ['to what cannot add', unitOf(1), options, disk, 'local cannot add to files'],
    [
      'into stripes',
      { ...unitOf(1), newStripe: stripe },
      options,
      appendable(),
      'an erasure-coded directory at the destination',
    ],
    ['once its server has refused', unitOf(1), options, appendable(refused), 'X: Append is not enabled'],
    ['never', unitOf(1), options, appendable(), undefined],
  ])('%s', (_, unit, given, destination, expected) => {
    expect(obstacleToParts(unit, given, destination, '/x')).toBe(expected);
  });
});

it('a file that outlasts any invocation as one stream fails before a byte of it is moved, and says why', async () => {
  const spec = parseJobSpec({ source: 'local:/in', destination: 'local:/out' });
  const unasked = () => {
    throw new Error('it was to be left alone');
  };
  const untouched = decorated(disk, { read: unasked, write: unasked, stat: unasked });
  const context = {
    job: newJob('job', spec, [{ source: '/in', destination: '/out', kind: 'directory' }], 0),
    source: untouched,
    destination: untouched,
    store: { parts: () => Promise.resolve(undefined) } as Partial<JobStore> as JobStore,
    owner: 'owner',
    progress: new Progress(),
    log: silentLog,
    signal: new AbortController().signal,
    deadline: new Deadline(60_000),
  };
  const claim = { claim: 1, attempts: 0, swept: 0, done: new Set<number>() };
  const outcome = await transfer(context, 0, 0, unitOf(9 * GIB), claim);
  expect(outcome).toMatchObject({
    outcome: 'failed',
    failure: {
      path: '/in/file',
      reason:
        '9.0 GiB do not fit into one invocation of 60 s, and it cannot be copied in parts: local cannot add to files (split it (--split-above), or copy it with hdfs-fanout copy)',
    },
  });
});
