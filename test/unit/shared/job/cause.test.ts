import { expect, it } from 'vitest';
import { causeOf, hasCause, requireCause } from '../../../../shared/job/cause.ts';
import type { RecordedFailure } from '../../../../shared/job/job-store.ts';

const failure = (reason: string, changes: Partial<RecordedFailure> = {}): RecordedFailure => ({
  ...{ path: '/in/a/file', operation: 'OPEN', host: 'nn1:9870', reason, sequence: '1', batch: 0, unit: 0 },
  ...changes,
});

it.each([
  ['denied (ask for it)', 'OPEN: denied (ask for it)'],
  [
    'Permission denied: inode="/in/a/file":hdfs:hdfs:-rw-------',
    'OPEN: Permission denied: inode="…":hdfs:hdfs:-rw-------',
  ],
  ['/out/a/file: exists and differs (use --force to overwrite)', 'OPEN: exists and differs (use --force to overwrite)'],
  ['/out/a b/file: exists', 'OPEN: exists'],
  ['the quota of /data/team is exceeded', 'OPEN: the quota of … is exceeded'],
  ['its directory /in/a is gone', 'OPEN: its directory … is gone'],
  [
    'Could not obtain block: BP-1:blk_1073741825_1001 file=/in/a/file',
    'OPEN: Could not obtain block: BP-1:blk_N file=…',
  ],
  ['connect ECONNREFUSED 10.0.0.7:9864', 'OPEN: connect ECONNREFUSED HOST'],
  ['dn7.prod.example:9864 closed the connection', 'OPEN: HOST closed the connection'],
  ['65536 bytes were read of 131072', 'OPEN: N bytes were read of N'],
  ['HTTP 503: the gateway', 'OPEN: HTTP 503: the gateway'],
  ['chunk 3 of 8: denied', 'OPEN: a chunk: denied'],
  ['see https://example.org/a/b', 'OPEN: see https://example.org/a/b'],
])('the cause of "%s" is "%s"', (reason, cause) => {
  expect(causeOf(failure(reason))).toBe(cause);
});

it('holds no character that a terminal obeys, and is no longer than a person types', () => {
  expect(causeOf(failure('a\u001b[31m\nb'))).toBe('OPEN: a\\u001b[31m\\nb');
  const long = causeOf(failure('x'.repeat(5000)));
  expect(long).toHaveLength(300);
  expect(hasCause(long)(failure('x'.repeat(5000)))).toBe(true);
});

it('is that of all files that failed in one way, and of no others', () => {
  const one = failure('/out/a/file: exists');
  const other = failure('/out/b/name: exists', { path: '/in/b/name' });
  expect(hasCause(causeOf(one))(other)).toBe(true);
  expect(hasCause(causeOf(one))(failure('denied'))).toBe(false);
  expect(hasCause(causeOf(one))({ ...other, operation: 'CREATE' })).toBe(false);
});

it('is refused where nothing failed for it, with those that there are', async () => {
  const all = [failure('denied'), failure('it’s gone', { sequence: '2' })];
  const store = {
    failures: (_: string, _limit: number, after?: string) => Promise.resolve(after === undefined ? all : []),
  };
  await expect(requireCause('OPEN: denied', 'job', store)).resolves.toBeUndefined();
  await expect(requireCause('OPEN: other', 'job', store)).rejects.toThrow(
    "--only: no file of the job job failed for 'OPEN: other' (the reasons are 'OPEN: denied', 'OPEN: it’s gone')",
  );
  const none = { failures: () => Promise.resolve([]) };
  await expect(requireCause('OPEN: other', 'job', none)).rejects.toThrow('leave out --only');
});
