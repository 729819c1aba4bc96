import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deletesOf } from '../../../../shared/job/deletion.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { openState, type State } from '../../../../shared/machine/state.ts';
import { forgetJob, prunableJobs } from '../../../../shared/machine/prune.ts';
import { dropOldRecords } from '../../../../shared/machine/undo-records.ts';
import { copied, newJob } from '../../../support/outcomes.ts';

const DAY = 24 * 3_600_000;

let directory: string;
let state: State;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-records-'));
  state = openState({ HDFS_FANOUT_HOME: directory });
});
afterEach(() => {
  state.store.close();
  rmSync(directory, { recursive: true });
});

/** A job that ended well, with records. @param day  of its beginning */
async function ended(id: string, day: number, to = 'b:/out', options: object = {}, changes: Partial<Job> = {}) {
  const spec = parseJobSpec({ source: 'a:/in', destination: to, options });
  const times = { startedAtMs: day * DAY, endedAtMs: day * DAY + 1 };
  const job = newJob({ id, spec, ...times, outcome: 'Successful', ...changes });
  await state.store.create(job);
  for (const name of [id, deletesOf(id)]) await (await state.manifests.create(name)).close();
  await state.store.claim(id, 0, 'me');
  await state.store.record(id, 0, 'me', [copied(0)]);
  return job;
}

it('forgets what jobs did that were followed or are a week old, but for those that keep backups or may go on', async () => {
  await ended('followed', 8);
  await ended('old', 1, 'b:/elsewhere');
  await ended('young', 8, 'b:/elsewhere');
  await ended('kept', 1, 'b:/out', { backupDir: '/kept' });
  await ended('failed', 1, 'b:/out', {}, { outcome: 'Failed' });
  const latest = await ended('latest', 9);
  await dropOldRecords(latest, state, 9 * DAY);
  const left = ['failed', 'kept', 'latest', 'young'];
  expect(state.manifests.names().sort()).toEqual(left.flatMap((id) => [id, deletesOf(id)]).sort());
  expect((await state.store.madeFiles('followed', 0)).size).toBe(0);
  expect((await state.store.madeFiles('kept', 0)).get(0)).toEqual({ bytes: 100 });
});

it('prunes no job that keeps backups as long as it can be undone, and of others all that is kept', async () => {
  await ended('bare', 1);
  await ended('kept', 1, 'b:/out', { backupDir: '/kept' });
  await ended('undone', 1, 'b:/out', { backupDir: '/kept' }, { undone: { atMs: 2 * DAY, isWhole: true } });
  await ended('in part', 1, 'b:/out', { backupDir: '/kept' }, { undone: { atMs: 2 * DAY, isWhole: false } });
  const noting = state.madeDirectories('bare').noting({ makeDirectory: () => Promise.resolve() } as never);
  await noting.makeDirectory('/out/made', undefined, new AbortController().signal);
  const files = () => readdirSync(join(directory, 'manifests')).filter((name) => name.startsWith('bare'));
  expect(files()).toHaveLength(3);
  for (const { job, kept } of await prunableJobs(state, new Set(['kept']))) {
    if (kept === undefined) await forgetJob(state, job);
    else
      expect(kept).toBe(
        `an undo would put back what it keeps in /kept/${job.id}: hdfs-fanout clean ${job.id} gives that up`,
      );
  }
  const left = await state.store.list(10);
  expect(left.map(({ id }) => id).sort()).toEqual(['in part', 'kept']);
  expect(files()).toEqual([]);
});
