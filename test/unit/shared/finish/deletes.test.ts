import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeUp } from '../../../../cli/resume.ts';
import { DeadlineReached } from '../../../../shared/deadline.ts';
import { TransportError } from '../../../../shared/errors.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { Endpoints } from '../../../../shared/endpoints/endpoints.ts';
import { deleteEntry } from '../../../../shared/finish/delete-entry.ts';
import { finish, forgetLosses } from '../../../../shared/finish/finish.ts';
import type { Finishing } from '../../../../shared/finish/finishing.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import type { State } from '../../../../shared/machine/state.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { noSplits } from '../../../support/no-splits.ts';

/** Deletions of three batches. */
const EXTRAS = 250;
const disk = new LocalDisk(65_536);

let top: string;
let store: SqliteJobStore;
let manifests: ManifestFile;
let deleted: number;
const left = () => readdirSync(join(top, 'mirror')).filter((name) => name !== 'kept');

/** The first extra cannot be deleted. */
const destination = decorated(disk, {
  delete: async (path) => {
    const where = { operation: 'DELETE', path };
    if (path.endsWith('extra-000')) throw new StorageError('denied', 'not deleted', 'permission denied', where);
    deleted += 1;
    return disk.delete(path);
  },
});

beforeEach(async () => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-deletes-'));
  deleted = 0;
  for (const directory of ['source', 'mirror']) {
    mkdirSync(join(top, directory));
    writeFileSync(join(top, directory, 'kept'), '');
  }
  for (let i = 0; i < EXTRAS; i++) writeFileSync(join(top, `mirror/extra-${String(i).padStart(3, '0')}`), '');
  store = new SqliteJobStore(join(top, 'jobs.db'));
  manifests = new ManifestFile(join(top, 'manifests'));
  const options = { mapping: 'exact', delete: true, skipTrash: true, maxDelete: '100%' };
  const spec = parseJobSpec({ source: 'a:/source', destination: 'b:/mirror', options });
  const roots = [{ source: join(top, 'source'), destination: join(top, 'mirror'), kind: 'directory' as const }];
  await store.create({ ...newJob('job', spec, roots, 0), phase: 'copying' });
  await (await manifests.create('job')).close();
});
afterEach(() => {
  store.close();
  rmSync(top, { recursive: true });
});

async function end(changes: Partial<Finishing> = {}) {
  const job = await store.get('job');
  if (!job) throw new Error('no job');
  const base = { job, store, manifests, deaths: undefined, owner: 'finisher', ...noSplits, log: silentLog };
  const deleting = { lists: manifests, track: () => Promise.reject(new Error()), onDeletion: () => undefined };
  return finish({ ...base, source: disk, destination, deleting, signal: never, isOver: () => false, ...changes });
}

/** As a resume does before it finishes the job. */
async function resume(options: Record<string, unknown> = {}) {
  const state = { store } as unknown as State;
  const given = await store.get('job');
  if (!given) throw new Error('no job');
  const job = await takeUp(state, given, options, { source: disk, destination } as unknown as Endpoints, never);
  await forgetLosses(job, store);
}

const failed = async () => (await store.counters('job')).get('deletes.failed');

describe('a resume of a job that was stopped while it deleted', () => {
  it('tries again what failed in batches that were done', async () => {
    expect(await end({ isOver: () => deleted > 150 })).toBeUndefined();
    expect(await store.finishCursor('job')).toMatchObject({ phase: 'deletes' });
    expect(await failed()).toBe(1);
    await resume();
    expect(await end()).toMatchObject({ outcome: 'Failed' });
    expect(await failed()).toBe(1);
    expect(left()).toEqual(['extra-000']);
    expect((await store.counters('job')).get('deletes.files')).toBe(EXTRAS - 1);
  });

  it('tries again what failed where only directories were left to do', async () => {
    const isOver = () => left().length === 1;
    expect(await end({ isOver })).toBeUndefined();
    expect(await end({ isOver })).toBeUndefined();
    expect(await store.finishCursor('job')).toMatchObject({ phase: 'directories' });
    await resume();
    expect(await end()).toMatchObject({ outcome: 'Failed' });
    expect(await failed()).toBe(1);
  });

  it('deletes nothing more than it may by now', async () => {
    expect(await end({ isOver: () => deleted > 150 })).toBeUndefined();
    const before = left();
    await resume({ maxDelete: 0 });
    const says = `${EXTRAS} of the destination's ${EXTRAS + 1} files would be deleted, more than the limit of 0: nothing more`;
    await expect(end()).rejects.toThrow(says);
    expect(left()).toEqual(before);
    await resume({ maxDelete: EXTRAS });
    expect(await end()).toMatchObject({ outcome: 'Failed' });
    expect(left()).toEqual(['extra-000']);
  });

  it('goes by the list of a version that kept no more than how much it was', async () => {
    expect(await end({ isOver: () => deleted > 150 })).toBeUndefined();
    await store.update('job', { deletes: { files: EXTRAS, bytes: 0 } });
    await resume({ maxDelete: 0 });
    expect(await end()).toMatchObject({ outcome: 'Failed' });
  });
});

describe('a batch of deletions for which the time is over', () => {
  it('ends in the middle, and what has ended is recorded', async () => {
    const late = new AbortController();
    const slow = decorated(destination, {
      delete: async (path, signal) => {
        if (deleted === 20) late.abort(new DeadlineReached(1));
        signal.throwIfAborted();
        return destination.delete(path, signal);
      },
    });
    const deleting = { lists: manifests, track: () => Promise.reject(new Error()), onDeletion: () => undefined };
    const ending = end({ destination: slow, deleting: { ...deleting, late: late.signal } });
    await expect(ending).rejects.toBeInstanceOf(DeadlineReached);
    expect(left().length).toBe(EXTRAS - deleted);
    expect(deleted).toBeLessThan(60);
    expect((await store.counters('job')).get('deletes.files')).toBe(deleted);
    expect(await end()).toMatchObject({ outcome: 'Failed' });
    expect((await store.counters('job')).get('deletes.files')).toBe(EXTRAS - 1);
    expect([...(await store.counters('job')).keys()].filter((name) => name.startsWith('kept'))).toEqual([]);
  });

  it('takes nothing for an answer that was not waited for', async () => {
    const late = new AbortController();
    let listings = 0;
    const source = decorated(disk, {
      async *list(path, signal, after) {
        // By the search, and once more before the deletions.
        if (++listings < 2) {
          yield* disk.list(path, signal, after);
          return;
        }
        late.abort(new DeadlineReached(1));
        throw new TransportError('cut', { operation: 'LIST', path }, {});
      },
    } satisfies Partial<Storage>);
    const deleting = { lists: manifests, track: () => Promise.reject(new Error()), onDeletion: () => undefined };
    const ending = end({ source, deleting: { ...deleting, late: late.signal } });
    await expect(ending).rejects.toBeInstanceOf(DeadlineReached);
    expect(await end()).toMatchObject({ outcome: 'Failed' });
    expect(left()).toEqual(['extra-000']);
  });
});

it('a directory that could not be looked through in time is not said to hold something that stays', async () => {
  const late = new AbortController();
  mkdirSync(join(top, 'mirror/whole'));
  const storage = decorated(disk, {
    async *list(path) {
      late.abort(new DeadlineReached(1));
      throw await Promise.resolve(new TransportError('cut', { operation: 'LIST', path }, {}));
    },
  } satisfies Partial<Storage>);
  const within = { storage, root: join(top, 'mirror'), hides: () => false, signal: late.signal };
  const unit = { root: 0, path: 'whole', kind: 'directory', modifiedAtMs: 0, files: 0, bytes: 0, digest: '' } as const;
  const how = { skipTrash: false, mayHaveBegun: false, reasonToKeep: undefined };
  await expect(deleteEntry(within, unit, how)).rejects.toBeInstanceOf(DeadlineReached);
});

describe('why nothing was deleted', () => {
  it('is told by the job that a finish returns', async () => {
    await store.record('job', (await store.claim('job', 0, 'copier'), 0), 'copier', [
      {
        unit: 0,
        outcome: 'failed',
        bytes: 1,
        retries: 0,
        failure: { path: '/f', operation: '', host: '', reason: '' },
      },
    ]);
    await store.update('job', { expectedFiles: 1 });
    expect(await end()).toMatchObject({ outcome: 'Failed', notDeleted: '1 files failed' });
  });

  it('is told no more once the job is taken up, unless its list was made', async () => {
    await store.update('job', { notDeleted: '1 files failed' });
    await resume();
    expect((await store.get('job'))?.notDeleted).toBeUndefined();
    await store.update('job', { notDeleted: '1 directories', deletes: { files: 1, bytes: 0 } });
    await resume();
    expect((await store.get('job'))?.notDeleted).toBe('1 directories');
  });
});
