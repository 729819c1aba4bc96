import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import { type Job, keptNote, newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import type { RecordedFailure } from '../../../../shared/job/job-store.ts';
import { execute, type Execution } from '../../../../shared/machine/executor.ts';
import { openState, type State } from '../../../../shared/machine/state.ts';
import { openTypeChanges } from '../../../../shared/machine/type-changes.ts';
import { SourceChangedError } from '../../../../shared/errors.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { noSplits } from '../../../support/no-splits.ts';

/** A mirror that has a directory where the source has a file. */

const disk = new LocalDisk(65_536);

let top: string;
let state: State;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-passes-'));
  state = openState({ HDFS_FANOUT_HOME: join(top, 'home') });
  put('source/kept', 'kept');
  put('source/name', 'new');
  put('mirror/kept', 'kept');
  put('mirror/name/old', 'old');
});
afterEach(() => {
  state.store.close();
  rmSync(top, { recursive: true });
});

function put(path: string, content: string): void {
  mkdirSync(join(top, path, '..'), { recursive: true });
  writeFileSync(join(top, path), content);
}

async function create(changed: object = {}): Promise<Job> {
  const options = {
    mapping: 'exact',
    existing: 'update',
    delete: true,
    skipTrash: true,
    maxDelete: '100%',
    ...changed,
  };
  const spec = parseJobSpec({ source: 'a:/source', destination: 'b:/mirror', options });
  const roots = [{ source: join(top, 'source'), destination: join(top, 'mirror'), kind: 'directory' as const }];
  const job = newJob('job', spec, roots, 0);
  await state.store.create(job);
  return job;
}

async function jobNow(): Promise<Job> {
  const job = await state.store.get('job');
  if (!job) throw new Error('no job');
  return job;
}

/** Runs the job from wherever it stands. */
async function run(changes: Partial<Execution> = {}): Promise<Job> {
  const told = { progress: new Progress(), log: silentLog, onOutcome: () => undefined };
  return execute(await jobNow(), { state, source: disk, destination: disk, signal: never, ...told, ...changes });
}

/** The same object, but for some of its methods. */
function changed<T extends object>(of: T, methods: Partial<T>): T {
  return new Proxy(of, {
    get: (target, name) => {
      if (name in methods) return Reflect.get(methods, name) as unknown;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** As a resume does before it runs the job. */
async function takeUp(): Promise<void> {
  const job = await jobNow();
  await state.store.update('job', { phase: 'copying', outcome: undefined, notDeleted: keptNote(job) });
  await state.store.reopenFailed('job');
}

/** A disk that refuses some operation at paths that end so. */
function refusing(operation: 'read' | 'delete', ...ends: string[]): Storage {
  const isRefused = (path: string) => ends.some((end) => path.endsWith(end));
  const denied = (path: string) =>
    Promise.reject(new StorageError('denied', 'AccessControlException', 'no', { operation, path }));
  return decorated(disk, {
    ...(operation === 'read'
      ? { read: (path, ...rest) => (isRefused(path) ? denied(path) : disk.read(path, ...rest)) }
      : {}),
    ...(operation === 'delete' ? { delete: (path) => (isRefused(path) ? denied(path) : disk.delete(path)) } : {}),
  });
}

const mirrored = () => readdirSync(join(top, 'mirror')).sort();

describe('a job that waits for the plan of its second pass', () => {
  const killed = () => Promise.reject(new Error('killed'));

  it('is not ended by a finish that is called again', async () => {
    await create();
    await expect(run({ state: { ...state, manifests: changed(state.manifests, { extend: killed }) } })).rejects.toThrow(
      'killed',
    );
    const job = await jobNow();
    expect(job).toMatchObject({ phase: 'planning', pass: 2 });
    const { store, manifests, lists } = state;
    using typeChanges = openTypeChanges(job, lists);
    const deleting = { lists: manifests, typeChanges, track: killed, onDeletion: () => undefined };
    const rest = { deaths: undefined, owner: 'again', ...noSplits, log: silentLog, signal: never, isOver: () => false };
    const again = await finish({ job, source: disk, destination: disk, store, manifests, deleting, ...rest });
    expect(again).toMatchObject({ phase: 'planning', pass: 2 });
    expect(await jobNow()).toEqual(job);
    expect(await run()).toMatchObject({ outcome: 'Successful', expectedFiles: 2 });
    expect(readdirSync(join(top, 'mirror'))).toEqual(['kept', 'name']);
  });
});

describe('type changes of a job that is live', () => {
  const isOfDeletes = (name: string) => name === 'job.deletes';

  it('fail by name where more directories vanished than can be held', async () => {
    await create({ live: true });
    const vanished = (_: unknown, index: number): RecordedFailure => ({
      ...{ path: `/vanished/${index}`, directory: true, operation: '', host: '', reason: '' },
      ...{ batch: 0, unit: index, sequence: String(index) },
    });
    const { store } = state;
    const crowded = changed(store, {
      counters: async (id) => new Map([...(await store.counters(id)), ['files.vanished', 0]]),
      failures: (_id, _limit, after) =>
        Promise.resolve(after === undefined ? Array.from({ length: 10_001 }, vanished) : []),
    });
    const ended = await run({ state: { ...state, store: crowded } });
    const notDeleted = 'more than 10000 directories vanished while they were walked';
    expect(ended).toMatchObject({ outcome: 'Failed', expectedFiles: 2, notDeleted });
    expect((await store.failures('job', 10)).map(({ path }) => path)).toEqual([join(top, 'source/name')]);
    expect(readdirSync(join(top, 'mirror/name'))).toEqual(['old']);
  });

  it.each([
    ['before the old one is deleted', 'read', ['kept', 'name']],
    ['behind that', 'extend', ['kept']],
  ] as const)('have vanished where their source vanishes %s', async (_, when, left) => {
    await create({ live: true });
    const { manifests } = state;
    const vanish = () => {
      rmSync(join(top, 'source/name'), { force: true });
    };
    const watched = changed(manifests, {
      read: (name, from) => {
        if (when === 'read' && isOfDeletes(name)) vanish();
        return manifests.read(name, from);
      },
      extend: (name, batches) => {
        if (when === 'extend') vanish();
        return manifests.extend(name, batches);
      },
    });
    expect(await run({ state: { ...state, manifests: watched } })).toMatchObject({ outcome: 'Successful' });
    const counters = await state.store.counters('job');
    expect([counters.get('files.vanished'), counters.get('files.failed')]).toEqual([1, undefined]);
    expect(mirrored()).toEqual(left);
  });
});

describe('a resume in which a file fails that had not failed when deletions were listed', () => {
  beforeEach(() => {
    put('source/changing', 'new');
    put('mirror/extra', 'extra');
  });

  /** The source changes whenever it is read. */
  const changing = decorated(disk, {
    read: (path, range, signal) =>
      path.endsWith('/changing')
        ? Promise.reject(new SourceChangedError('it changed', { operation: 'OPEN', path }))
        : disk.read(path, range, signal),
  });

  it('deletes nothing more, and the next one goes on with the list', async () => {
    await create({ live: true });
    const dying = decorated(disk, {
      delete: (path) => (path.endsWith('/extra') ? Promise.reject(new Error('killed')) : disk.delete(path)),
    });
    await expect(run({ source: changing, destination: dying })).rejects.toThrow('killed');
    await state.store.update('job', { notDeleted: '1 directories' });
    const { deletes } = await jobNow();
    await takeUp();
    const before = mirrored();
    expect(await run({ source: refusing('read', '/changing') })).toMatchObject({
      outcome: 'Failed',
      notDeleted: '1 files failed, and 1 type changes wait for that',
      deletes,
    });
    expect(mirrored()).toEqual(before);
    expect(before).toContain('extra');
    await takeUp();
    expect(await run()).toMatchObject({ outcome: 'Successful', notDeleted: '1 directories' });
    expect(mirrored()).toEqual(['changing', 'kept', 'name']);
  });

  it('does not try again in its second pass what could not be deleted', async () => {
    await create({ live: true });
    const ended = await run({ source: changing, destination: refusing('delete', '/extra') });
    expect(ended).toMatchObject({ outcome: 'Failed', pass: 2 });
    expect(ended.notDeleted).toBeUndefined();
    await takeUp();
    const waiting = await run({ source: refusing('read', '/changing') });
    expect(waiting).toMatchObject({ outcome: 'Failed', notDeleted: '1 files failed' });
    expect(mirrored()).toEqual(['extra', 'kept', 'name']);
    await takeUp();
    const whole = await run();
    expect(whole).toMatchObject({ outcome: 'Successful' });
    expect(whole.notDeleted).toBeUndefined();
    expect(mirrored()).toEqual(['changing', 'kept', 'name']);
  });

  it('says nothing of deletions where all were done before a file of the second pass failed', async () => {
    await create();
    const ended = await run({ source: refusing('read', '/name') });
    expect(ended).toMatchObject({ outcome: 'Failed', pass: 2 });
    expect(ended.notDeleted).toBeUndefined();
    expect(mirrored()).toEqual(['changing', 'kept']);
  });
});
