import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import type { Finishing } from '../../../../shared/finish/finishing.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { never } from '../../../support/files.ts';
import { copied, newJob } from '../../../support/outcomes.ts';
import { noSplits } from '../../../support/no-splits.ts';

const unit = (path: string): FileUnit => ({
  kind: 'file',
  root: 0,
  path,
  lengthBytes: 1,
  modifiedAtMs: 1,
  blockBytes: 1,
  decision: 'copy',
});

/** A job of batches of four units, of which each batch's first was copied at its second try. */
async function finishable(batches: number) {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-finish-'));
  const store = new SqliteJobStore(join(directory, 'jobs.db'));
  const manifests = new ManifestFile(join(directory, 'manifests'));
  const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
  const job = newJob({ roots, phase: 'copying', expectedFiles: 4 * batches });
  await store.create(job);
  const manifest = await manifests.create(job.id);
  for (let batch = 0; batch < batches; batch++) {
    await manifest.append({ batch, units: Array.from({ length: 4 }, (_, index) => unit(`d${batch}/f${index}`)) });
    await store.claim(job.id, batch, 'copier');
    await store.noteAttempt(job.id, batch, 'copier', 1);
    await store.record(job.id, batch, 'copier', [copied(0, { retries: 1 }), copied(1), copied(2), copied(3)]);
  }
  await manifest.close();
  const names: string[] = [];
  /** Told of each name that is swept; what it throws ends the finish. */
  const hook = { onDelete: () => undefined as unknown };
  const destination = decorated(new LocalDisk(65_536), {
    delete: (path) => {
      hook.onDelete();
      names.push(path.replace(job.id, 'JOB'));
      return Promise.resolve(false);
    },
  });
  const deaths = undefined;
  const base = { store, manifests, source: destination, destination, deaths, owner: 'finisher', ...noSplits };
  const rest = { log: silentLog, signal: never, isOver: () => false };
  const finishing = async (changes: Partial<Finishing> = {}): Promise<Finishing> => ({
    job: (await store.get(job.id)) ?? job,
    ...base,
    ...rest,
    ...changes,
  });
  const remove = () => {
    store.close();
    rmSync(directory, { recursive: true });
  };
  return { job, store, names, hook, finishing, remove };
}

let one: Awaited<ReturnType<typeof finishable>>;
beforeEach(async () => {
  one = await finishable(30);
});
afterEach(() => one.remove());

describe('the end of a job', () => {
  it('sweeps the names of units that were tried again, and no others', async () => {
    expect(await finish(await one.finishing())).toMatchObject({ phase: 'done', outcome: 'Successful' });
    const expected = Array.from({ length: 30 }, (_, batch) =>
      [0, 1].map((attempt) => `/out/d${batch}/_hdfs-fanout.JOB.${batch}.0.1.${attempt}`),
    );
    expect(one.names.toSorted()).toEqual(expected.flat().toSorted());
    expect(await one.store.get(one.job.id)).toMatchObject({ phase: 'done', outcome: 'Successful' });
    expect(await one.store.finishCursor(one.job.id)).toBeUndefined();
  });

  it.each([1, 2, 5])('that stops after %d steps goes on there, and nothing is done twice', async (steps) => {
    let invocations = 0;
    for (let ended; !ended; invocations++) {
      let left = steps;
      ended = await finish(await one.finishing({ isOver: () => --left <= 0 }));
    }
    expect(invocations).toBeGreaterThan(30 / steps);
    expect(one.names).toHaveLength(60);
    expect(await one.store.get(one.job.id)).toMatchObject({ phase: 'done', outcome: 'Successful' });
  });

  it('that is killed does again only what it did in the last seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let left = 41;
      one.hook.onDelete = () => {
        vi.advanceTimersByTime(500);
        if (--left < 0) throw new Error('killed');
      };
      await expect(finish(await one.finishing())).rejects.toThrow('killed');
      expect(one.names).toHaveLength(41);
      expect(await one.store.finishCursor(one.job.id)).toMatchObject({ phase: 'sweep' });
      one.hook.onDelete = () => undefined;
      expect(await finish(await one.finishing())).toMatchObject({ outcome: 'Successful' });
      // Five seconds are ten names, and a batch has two.
      expect(one.names.length).toBeLessThanOrEqual(60 + 12);
    } finally {
      vi.useRealTimers();
    }
  });

  it('begins anew where another version kept its cursor', async () => {
    await one.store.keepFinishCursor(one.job.id, { root: 3, walk: undefined, warnings: {} });
    expect(await finish(await one.finishing())).toMatchObject({ outcome: 'Successful' });
    expect(one.names).toHaveLength(60);
  });

  it('does not come while a planned file has no outcome, and is kept at its last step', async () => {
    await one.store.update(one.job.id, { expectedFiles: 121 });
    await expect(finish(await one.finishing())).rejects.toMatchObject({ name: 'IncompleteError' });
    expect(await one.store.get(one.job.id)).toMatchObject({ phase: 'finishing' });
    expect(await one.store.finishCursor(one.job.id)).toMatchObject({ phase: 'status' });
  });

  it('records as failed what a dead copier left, once, wherever it stops', async () => {
    const { store, job } = one;
    await store.claim(job.id, 7, 'copier');
    await store.record(job.id, 7, 'copier', []);
    await store.update(job.id, { expectedFiles: 124 });
    const dead = new Map([[30, 'Lambda.Unknown']]);
    const asked: number[] = [];
    const deaths: Finishing['deaths'] = {
      hasDeaths: () => Promise.resolve(dead.size > 0),
      deathOf: (_, batch) => (asked.push(batch), Promise.resolve(dead.get(batch))),
      forgetDeaths: () => (dead.clear(), Promise.resolve(true)),
      release: () => Promise.resolve(),
    };
    const whole = await one.finishing();
    const last = { batch: 30, units: [0, 1, 2, 3].map((index) => unit(`d30/f${index}`)) };
    const manifest = await (whole.manifests as ManifestFile).create(job.id);
    for (let batch = 0; batch < 30; batch++) await manifest.append({ ...last, batch });
    await manifest.append(last);
    await manifest.close();
    let ended;
    while (!ended) {
      let left = 4;
      ended = await finish(await one.finishing({ deaths, isOver: () => --left <= 0 }));
    }
    expect(ended).toMatchObject({ outcome: 'Failed' });
    expect(asked).toEqual([30]);
    const failures = await store.failures(job.id, 10);
    expect(failures.map(({ path }) => path)).toEqual([0, 1, 2, 3].map((index) => `/in/d30/f${index}`));
    expect(failures[0]?.reason).toContain('its copier died each time it was tried: Lambda.Unknown');
    expect((await store.counters(job.id)).get('files.failed')).toBe(4);
  });
});
