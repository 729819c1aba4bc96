import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { execute } from '../../../../shared/machine/executor.ts';
import { KeptLists } from '../../../../shared/machine/kept-lists.ts';
import { MadeDirectories } from '../../../../shared/machine/made-directories.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import type { State } from '../../../../shared/machine/state.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { DirectoryTree } from '../../../support/directory-tree.ts';
import { errorOf, never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';
import { noSplits } from '../../../support/no-splits.ts';

let directory: string;
let store: SqliteJobStore;
let manifests: ManifestFile;
let state: State;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-executor-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
  manifests = new ManifestFile(join(directory, 'manifests'));
  const madeDirectories = (job: string) => new MadeDirectories(join(directory, `${job}.directories`));
  const lists = new KeptLists(join(directory, 'lists'));
  state = { directory, locks: directory, store, manifests, lists, madeDirectories };
});
afterEach(() => {
  vi.useRealTimers();
  store.close();
  rmSync(directory, { recursive: true });
});

async function jobOf(id: string): Promise<Job> {
  const job = await store.get(id);
  if (!job) throw new Error('the job is gone');
  return job;
}

/** Takes the job up as a resume does and runs it to its end. */
async function resume(id: string, source: Storage, destination: Storage, signal = never): Promise<Job> {
  await store.update(id, { phase: 'copying' });
  await store.reopenFailed(id);
  const rest = { progress: new Progress(), log: silentLog, signal, onOutcome: () => undefined };
  return execute(await jobOf(id), { state, source, destination, ...rest });
}

describe('a resume whose owner has mended what attributes of directories were lost to', () => {
  const spec = parseJobSpec({
    source: 'a:/tree',
    destination: 'b:/tree',
    options: { attributes: ['times'], strictPreserve: true },
  });
  const roots = [{ source: '/tree', destination: '/tree', kind: 'directory' as const }];
  const denied = new StorageError('denied', 'AccessControlException', 'no', { operation: 'SETTIMES', path: 'x' });

  it.each([
    ['while it set them', 'directories', 24],
    ['before the last change of the job', 'status', 44],
  ])('sets them, although the finish was stopped %s', async (_, phase, names) => {
    const job = newJob({ spec, roots, phase: 'copying' });
    await store.create(job);
    await (await manifests.create(job.id)).close();
    const source = new DirectoryTree([20], 1000);
    const destination = new DirectoryTree([20], 2000);
    for (let i = 0; i < 10; i++) destination.refused.set(`/tree/d00000${i}`, denied);
    let left = names;
    const rest = {
      deaths: undefined,
      owner: 'one',
      ...noSplits,
      log: silentLog,
      signal: never,
      isOver: () => --left < 0,
    };
    expect(await finish({ job, store, manifests, source, destination, ...rest })).toBeUndefined();
    const cursor = await store.finishCursor(job.id);
    expect(cursor).toMatchObject({ phase });
    expect(JSON.stringify(cursor)).toContain('"times":10');
    await store.update(job.id, { directoryWarnings: { times: 10 }, directoryLosses: ['one'] });
    destination.refused.clear();
    const ended = await resume(job.id, source, destination);
    expect(ended).toMatchObject({ outcome: 'Successful', directoryWarnings: {} });
    expect(ended.directoryLosses).toBeUndefined();
    expect(new Set(destination.setPaths).size).toBe(21);
  });

  it('says nothing of the losses of the finish before, even if it ends before its own', async () => {
    const job = newJob({ spec, roots, phase: 'copying', directoryWarnings: { times: 10 }, directoryLosses: ['one'] });
    await store.create(job);
    await (await manifests.create(job.id)).close();
    const gone = new StorageError('denied', 'X', 'no', { operation: 'GETFILESTATUS', path: 'x' });
    const source = decorated(new DirectoryTree([1], 1000), { stat: () => Promise.reject(gone) });
    expect(await errorOf(resume(job.id, source, new DirectoryTree([1], 1000)))).toBe(gone);
    expect((await jobOf(job.id)).directoryWarnings).toEqual({});
    expect((await jobOf(job.id)).directoryLosses).toBeUndefined();
  });
});

describe('a file that is copied after a finish was stopped', () => {
  const YEAR_2001 = new Date(1_000_000_000_000);
  let from: string;
  let to: string;
  let job: Job;
  beforeEach(async () => {
    [from, to] = [join(directory, 'from'), join(directory, 'to')];
    for (const name of ['a', 'b']) {
      mkdirSync(join(from, name), { recursive: true });
      writeFileSync(join(from, name, 'file'), name);
    }
    for (const path of ['a', 'b', '.']) utimesSync(join(from, path), YEAR_2001, YEAR_2001);
    const spec = parseJobSpec({
      source: 'a:/from',
      destination: 'b:/to',
      options: { attributes: ['times'], verify: 'length' },
    });
    job = newJob({ spec, roots: [{ source: from, destination: to, kind: 'directory' }] });
    await store.create(job);
  });

  it.each(['directories', 'status'] as const)(
    'in %s is swept after, and the times of its directories are set again',
    async (phase) => {
      const source = new LocalDisk(65_536);
      const denied = new StorageError('denied', 'X', 'no', { operation: 'OPEN', path: 'x' });
      const refusing = decorated(source, {
        read: (path, ...others) => (path.includes('/a/') ? Promise.reject(denied) : source.read(path, ...others)),
      });
      const disk = new LocalDisk(65_536);
      const rest = { progress: new Progress(), log: silentLog, signal: never, onOutcome: () => undefined };
      await execute(job, { state, source: refusing, destination: disk, ...rest });
      expect((await store.counters(job.id)).get('files.failed')).toBe(1);
      expect(statSync(to).mtimeMs).toBe(YEAR_2001.getTime());
      // Where a finish is stopped that has done all but the root, and one that has done the root as well.
      const losses = { warnings: {}, examples: [] };
      const root = await source.stat(from, never);
      const walk = { open: [{ name: '', source: root, after: 'b' }] };
      const stopped = phase === 'status' ? { phase, losses } : { phase, at: { root: 0, walk, losses } };
      await store.keepFinishCursor(job.id, stopped);
      const deleted: string[] = [];
      const watched = decorated(disk, {
        delete: (path) => {
          deleted.push(path.replace(job.id, 'JOB'));
          return disk.delete(path);
        },
      });
      const ended = await resume(job.id, source, watched);
      expect(ended.outcome).toBe('Successful');
      const modified = ['a', 'b', '.'].map((path) => statSync(join(to, path)).mtimeMs);
      expect(modified).toEqual([YEAR_2001, YEAR_2001, YEAR_2001].map((date) => date.getTime()));
      const ofTheSecondClaim = deleted.filter((path) => /_hdfs-fanout\.JOB\.\d+\.\d+\.2\.\d+$/.test(path));
      expect(ofTheSecondClaim).not.toEqual([]);
    },
  );
});
