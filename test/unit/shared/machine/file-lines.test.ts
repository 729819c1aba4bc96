import { expect, it } from 'vitest';
import { timed } from '../../../../shared/job/file-line.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { allOf } from '../../../support/files.ts';
import { copied, copiedChunk, failed, failedChunk, skipped } from '../../../support/outcomes.ts';

it('lines are kept with the outcomes of their transaction, each once', async () => {
  const store = new SqliteJobStore(':memory:');
  await store.claim('job', 0, 'me');
  const outcomes = [copied(0), skipped(1), failed(2), copiedChunk(3, 0, 0), failedChunk(4, 0, 1)];
  const all = outcomes.map((outcome) => timed(outcome, `/in/${outcome.unit}`, 0));
  await store.record('job', 0, 'me', all);
  // Told again, and by a copier that lost its batch.
  await store.record('job', 0, 'me', all);
  await expect(store.record('job', 0, 'loser', [timed(copied(5), '/in/5', 0)])).rejects.toThrow();
  await store.record('job', 0, 'me', [copied(6)]);
  const lines = await allOf(store.fileLines('job'));
  expect(lines.map(({ path, outcome, bytes }) => [path, outcome, bytes])).toEqual([
    ['/in/0', 'copied', 100],
    ['/in/1', 'skipped', 10],
    ['/in/2', 'failed', 1],
    ['/in/3', 'chunk', 1000],
  ]);
  expect(lines[0]?.tookMs).toBe(lines[0]?.endedAtMs);
  for (let batch = 1; batch < 200; batch++) {
    await store.claim('job', batch, 'me');
    await store.record('job', batch, 'me', [timed(copied(0), `/in/${batch}/0`, 0)]);
  }
  expect(await allOf(store.fileLines('job'))).toHaveLength(4 + 199);
  expect(await allOf(store.fileLines('another'))).toEqual([]);
  store.close();
});
