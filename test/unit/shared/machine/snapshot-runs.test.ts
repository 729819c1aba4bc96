import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { messageOf } from '../../../../shared/errors.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { type JobStatus, jobStatus } from '../../../../shared/job/job-status.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { execute } from '../../../../shared/machine/executor.ts';
import { openState, type State } from '../../../../shared/machine/state.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { snapshotDisk } from '../../../support/snapshot-disk.ts';

/** Jobs one after the other on a disk with snapshots; test/integration/snapshots does the same on daemons. */

const { signal } = new AbortController();
let top: string;
let state: State;
let disk: Storage;
let open: Set<string>;
let jobs: number;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-snapshots-'));
  state = openState({ HDFS_FANOUT_HOME: join(top, 'home') });
  open = new Set();
  disk = snapshotDisk(join(top, 'data'), open);
  jobs = 0;
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const at = (path: string) => join(top, path);
function put(path: string, content = path): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

interface Ran {
  readonly id: string;
  readonly status: JobStatus;
  /** Why it could not go on. */
  readonly error: string | undefined;
}

/** Takes a job up, or begins one. */
async function run(options: object = {}, ends: Partial<Record<'source' | 'destination', Storage>> = {}, id?: string) {
  const [from, to] = [at('data'), at('mirror')];
  const all = { mapping: 'exact', snapshot: true, existing: 'update', ...options };
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}`, options: all });
  const begun = newJob(id ?? `j${++jobs}`, spec, [{ source: from, destination: to, kind: 'directory' }], Date.now());
  if (id === undefined) await state.store.create(begun);
  const told = { progress: new Progress(), log: silentLog, onOutcome: () => undefined };
  const job = (await state.store.get(begun.id)) ?? begun;
  const how = { state, source: disk, destination: disk, signal, ...told, ...ends };
  const error = await execute(job, how).then(() => undefined, messageOf);
  const ended = (await state.store.get(job.id)) ?? job;
  return { id: job.id, status: jobStatus(ended, await state.store.counters(job.id)), error } satisfies Ran;
}

/** A destination that gives no file a path with this name in it. */
const refusing = (name: string): Storage =>
  decorated(disk, {
    rename: (path, newPath, overwrite, both) =>
      newPath.split('/').includes(name)
        ? Promise.reject(new StorageError('denied', 'EACCES', 'refused', { operation: 'RENAME', path: newPath }))
        : disk.rename(path, newPath, overwrite, both),
  });

/** A source that makes snapshots and does not tell what has changed. */
const tellingNothing = (): Storage =>
  decorated(disk, {
    snapshots: {
      ...disk.snapshots,
      async *changes(path: string) {
        await Promise.resolve();
        throw new StorageError('limit', 'too large', 'an answer of more than 64 MiB', { operation: 'DIFF', path });
      },
    } as NonNullable<Storage['snapshots']>,
  });

/** A source that tells renames of what its disk tells to be gone and made, and whose inodes snapshots keep. */
const renaming = (renames: Readonly<Record<string, string>>): Storage => {
  const { snapshots } = disk;
  if (!snapshots) throw new Error('a disk without snapshots');
  const isRenamed = (path: string) => path in renames || Object.values(renames).includes(path);
  return decorated(disk, {
    stat: async (path, both) => {
      const status = await disk.stat(path, both);
      const [, , name = ''] = /\/\.snapshot\/([^/]+)\/(.*)$/.exec(path) ?? [];
      const [index] = Object.entries(renames).flatMap((pair, i) => (pair.includes(name) ? [i] : []));
      return status && index !== undefined ? { ...status, fileId: 1_000_000 + index } : status;
    },
    snapshots: {
      ...snapshots,
      async *changes(...asked) {
        for await (const change of snapshots.changes(...asked)) if (!isRenamed(change.path)) yield change;
        for (const [path, target] of Object.entries(renames)) yield { kind: 'rename', path, target };
      },
    },
  });
};

/** A source whose snapshots nobody may drop. */
const keepingSnapshots = (): Storage =>
  decorated(disk, {
    snapshots: {
      ...disk.snapshots,
      drop: (path: string) =>
        Promise.reject(
          new StorageError('denied', 'AccessControlException', 'not yours', { operation: 'DELETESNAPSHOT', path }),
        ),
    } as NonNullable<Storage['snapshots']>,
  });

/** Every entry of a tree, with mode and content. */
function tree(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(at(root), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(at(root), path);
    if (name.split('/').includes('.snapshot')) continue;
    const mode = (lstatSync(path).mode & 0o777).toString(8);
    found[name] = entry.isDirectory() ? `directory ${mode}` : `${mode} ${readFileSync(path, 'utf8')}`;
  }
  return found;
}

const expectMirror = () => expect(tree('mirror')).toEqual(tree('data'));
const snapshots = () => readdirSync(at('data/.snapshot')).sort();
const all = { preserve: true, attributes: ['permission', 'times'], delete: true, skipTrash: true, maxDelete: '100%' };

describe('a job with --snapshot', () => {
  beforeEach(() => {
    for (const file of ['a/1', 'a/2', 'a/deep/3', 'b/4', 'c']) put(`data/${file}`);
  });

  it('looks at everything the first time, and at nothing when nothing has changed', async () => {
    const first = await run(all);
    expect(first.status).toMatchObject({
      Outcome: 'Successful',
      Snapshot: at('data/.snapshot/hdfs-fanout-j1'),
      'Whole Walk': 'no base: no earlier job with --snapshot is known',
      'Entries Looked At': 8,
      'Files Copied': 5,
    });
    expectMirror();
    const second = await run(all);
    expect(second.status).toMatchObject({
      Outcome: 'Successful',
      'Snapshot Base': 'hdfs-fanout-j1',
      'Entries Looked At': 0,
      'Files Expected': 0,
    });
    expect(second.status).not.toHaveProperty('Whole Walk');
    expect(snapshots()).toEqual(['hdfs-fanout-j2']);
  });

  it('copies what the source was when it began', async () => {
    const source = decorated(disk, {
      async read(path, range, both) {
        put('data/c', 'changed while the job ran');
        return disk.read(path, range, both);
      },
    });
    expect((await run({}, { source })).status.Outcome).toBe('Successful');
    expect(readFileSync(at('mirror/c'), 'utf8')).toBe('data/c');
    expect((await run()).status).toMatchObject({ 'Entries Looked At': 1, 'Files Copied': 1 });
    expectMirror();
  });

  it('looks at what was made, modified, renamed and deleted alone', async () => {
    await run(all);
    put('data/a/1', 'rewritten');
    put('data/new/dir/5');
    renameSync(at('data/b'), at('data/a/moved'));
    rmSync(at('data/c'));
    chmodSync(at('data/a/deep'), 0o700);
    const { status } = await run(all);
    // a, a/1, a/deep, a/moved, a/moved/4, new, new/dir, new/dir/5
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Entries Looked At': 8,
      'Files Copied': 3,
      'Files Deleted': 2,
    });
    expectMirror();
  });

  it('renames at the destination what was renamed, and looks at all that is in it', async () => {
    put('data/b/deep/er/5');
    await run(all);
    const inodes = ['a', 'b/deep', 'c'].map((name) => lstatSync(at(`mirror/${name}`)).ino);
    renameSync(at('data/a'), at('data/moved'));
    mkdirSync(at('data/new/dir'), { recursive: true });
    renameSync(at('data/b/deep'), at('data/new/dir/deep'));
    renameSync(at('data/c'), at('data/c é'));
    put('data/moved/1', 'rewritten');
    put('mirror/a/2', 'spoilt');
    const renames = { a: 'moved', 'b/deep': 'new/dir/deep', c: 'c é' };
    const { status } = await run(all, { source: renaming(renames) });
    expect(status).toMatchObject({ 'Entries Renamed': 3, 'Files Copied': 2, 'Files Deleted': 0 });
    expectMirror();
    const now = Object.values(renames).map((name) => lstatSync(at(`mirror/${name}`)).ino);
    expect(now).toEqual(inodes);
  });

  it('renames only where one snapshot lies between', async () => {
    await run(all);
    put('data/b/refused');
    await run(all, { destination: refusing('refused') });
    renameSync(at('data/a'), at('data/moved'));
    const { status } = await run(all, { source: renaming({ a: 'moved' }) });
    expect(status).toMatchObject({ 'Renames Not Made': { 'an earlier job did not succeed': 2 }, 'Files Copied': 4 });
    expectMirror();
  });

  it('copies what the destination refuses to rename, and renames the others', async () => {
    await run(all);
    for (const name of ['a', 'b', 'c']) renameSync(at(`data/${name}`), at(`data/${name}2`));
    const asked: string[] = [];
    const destination = decorated(disk, {
      rename: (path, newPath, overwrite, both) => {
        if (path !== at('mirror/b')) return disk.rename(path, newPath, overwrite, both);
        asked.push(newPath);
        return Promise.reject(new StorageError('quota', 'NSQuotaExceeded', 'full', { operation: 'RENAME', path }));
      },
    });
    const source = renaming({ a: 'a2', b: 'b2', c: 'c2' });
    const { status } = await run(all, { source, destination });
    expect(status).toMatchObject({ 'Entries Renamed': 2, 'Renames Not Made': { 'the destination refused it': 1 } });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1, 'Files Deleted': 1 });
    expect(asked).toEqual([at('mirror/b2')]);
    expectMirror();
  });

  it('looks at what a job that failed had to look at, and at what it may have copied', async () => {
    await run(all);
    put('data/a/1', 'rewritten');
    put('data/briefly/x');
    put('data/b/refused');
    const failed = await run(all, { destination: refusing('refused') });
    expect(failed.status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 1 });
    expect(existsSync(at('mirror/briefly/x'))).toBe(true);
    rmSync(at('data/briefly'), { recursive: true });
    expect(snapshots()).toEqual(['hdfs-fanout-j1', 'hdfs-fanout-j2']);
    const { status } = await run(all);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1', 'Files Copied': 1 });
    expectMirror();
    expect(snapshots()).toEqual(['hdfs-fanout-j3']);
  });

  it('is taken up again from its own snapshot', async () => {
    await run(all);
    put('data/b/refused');
    const failed = await run(all, { destination: refusing('refused') });
    put('data/b/refused', 'later');
    await state.store.update(failed.id, { phase: 'copying' });
    await state.store.reopenFailed(failed.id);
    const again = await run(all, {}, failed.id);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1' });
    expect(readFileSync(at('mirror/b/refused'), 'utf8')).toBe('data/b/refused');
    expect(snapshots()).toEqual(['hdfs-fanout-j2']);
  });

  it('is not gone on with when its snapshot is gone', async () => {
    put('data/b/refused');
    const failed = await run(all, { destination: refusing('refused') });
    rmSync(at('data/.snapshot/hdfs-fanout-j1'), { recursive: true });
    await state.store.update(failed.id, { phase: 'copying' });
    await state.store.reopenFailed(failed.id);
    const { error, status } = await run(all, {}, failed.id);
    expect(error).toContain('is gone: the job cannot copy from its snapshot any more (copy again');
    expect(status.Outcome).toBe('Failed');
  });

  it.each<[string, object, string]>([
    ['--repair is given', { repair: true }, '--repair asks for it'],
    ['another choice is made', { exclude: ['c'] }, 'no base: the job j1 had another exclude'],
  ])('looks at everything when %s', async (_, options, why) => {
    await run(all);
    rmSync(at('mirror/a/1'));
    expect((await run(all)).status).toMatchObject({ 'Entries Looked At': 0 });
    const { status } = await run({ ...all, ...options });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why.replace('j1', 'j2'), 'Files Copied': 1 });
  });

  it('looks at everything where somebody has dropped the base, also after planning', async () => {
    await run(all);
    rmSync(at('data/.snapshot/hdfs-fanout-j1'), { recursive: true });
    put('data/c', 'rewritten');
    const { status } = await run(all);
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Whole Walk': 'no base: the job j1 has no snapshot any more',
    });
    rmSync(at('data/b'), { recursive: true });
    put('data/c', 'again');
    const destination = decorated(disk, {
      write: (path, body, options, both) => {
        rmSync(at('data/.snapshot/hdfs-fanout-j2'), { recursive: true, force: true });
        return disk.write(path, body, options, both);
      },
    });
    const third = await run(all, { destination });
    expect(third.status).toMatchObject({
      Outcome: 'Successful',
      'Snapshot Base': 'hdfs-fanout-j2',
      'Files Deleted': 1,
    });
    expectMirror();
  });

  it('looks at everything where another directory has the name of the mirror', async () => {
    await run(all);
    renameSync(at('mirror'), at('aside'));
    mkdirSync(at('mirror'));
    const { status } = await run(all);
    const why = 'no base: the job j1 wrote to another directory of this name';
    expect(status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why, 'Files Copied': 5 });
    expectMirror();
  });

  it('looks at everything where the mirror became another directory while a job ran', async () => {
    let isMoved = false;
    const destination = decorated(disk, {
      rename: async (path, newPath, overwrite, both) => {
        await disk.rename(path, newPath, overwrite, both);
        const names = (of: string) => Object.keys(tree(of)).sort().join();
        // After the last of them.
        if (isMoved || names('mirror') !== names('data')) return;
        isMoved = true;
        renameSync(at('mirror'), at('aside'));
        mkdirSync(at('mirror'));
      },
    });
    expect((await run({ threads: 1 }, { destination })).status.Outcome).toBe('Successful');
    expect(tree('mirror')).toEqual({});
    expect((await run({ threads: 1 })).status.Outcome).toBe('Successful');
    expectMirror();
  });

  it('looks at everything where a job without it has written to the mirror since', async () => {
    await run(all);
    await run({ ...all, snapshot: false });
    const why = 'the job j2 has written to the destination since: without --snapshot';
    expect((await run(all)).status).toMatchObject({ 'Whole Walk': why });
  });

  it('looks at everything where what has changed cannot be told', async () => {
    await run(all);
    const { status } = await run(all, { source: tellingNothing() });
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Whole Walk': expect.stringContaining('too large') as string,
    });
    expect((await run(all)).status).toMatchObject({ 'Snapshot Base': 'hdfs-fanout-j2' });
  });

  it('looks at everything where a job since the base turned to everything and failed', async () => {
    await run();
    put('data/a/1', 'changed');
    rmSync(at('mirror/a'), { recursive: true });
    const failed = await run({}, { source: tellingNothing(), destination: refusing('1') });
    expect(failed.status).toMatchObject({ Outcome: 'Failed' });
    rmSync(at('mirror/a/2'));
    const why = 'the job j2 has written to the destination since: it looked at everything';
    expect((await run()).status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why });
    expectMirror();
  });

  it('looks at everything where the destination may be another one of its name', async () => {
    const destination = decorated(disk, {
      stat: async (path, both) => {
        const status = await disk.stat(path, both);
        return status && { ...status, fileId: undefined };
      },
    });
    await run({}, { destination });
    rmSync(at('mirror'), { recursive: true });
    mkdirSync(at('mirror'));
    put('data/a/1', 'changed');
    const { status } = await run({}, { destination });
    const why = expect.stringContaining('its server does not tell from another one') as string;
    expect(status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why });
    expectMirror();
  });

  it('looks at everything after a directory that was not given its attributes', async () => {
    const destination = decorated(disk, {
      stat: (path, both) =>
        path === at('mirror/b') && existsSync(at('mirror/b/4'))
          ? Promise.reject(new StorageError('denied', 'EACCES', 'refused', { operation: 'GETFILESTATUS', path }))
          : disk.stat(path, both),
    });
    await run(all, { destination });
    const { status } = await run(all);
    const why = 'no base: the job j1 left out directories: directory refused';
    expect(status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why });
    expectMirror();
  });

  it.each([
    ['was removed', () => rmSync(at('mirror/a'), { recursive: true })],
    ['was removed, and its parent too', () => rmSync(at('mirror/a/deep'), { recursive: true })],
  ])('copies all of a directory that %s at the destination, where something in it has changed', async (_, change) => {
    await run(all);
    change();
    put('data/a/deep/new');
    expect((await run(all)).status.Outcome).toBe('Successful');
    expectMirror();
  });

  it('copies all of such a directory also when the job that began with it has failed, or was killed', async () => {
    await run(all);
    rmSync(at('mirror/a'), { recursive: true });
    put('data/a/deep/refused');
    const stop = new Error('killed');
    // The directories are made, and nothing is copied.
    const dying = decorated(disk, {
      makeDirectory: async (path, permission, both) => {
        await disk.makeDirectory(path, permission, both);
        if (path.endsWith('deep')) throw stop;
      },
    });
    expect((await run(all, { destination: dying })).error).toBe('killed');
    expect(readdirSync(at('mirror/a'))).toEqual(['deep']);
    const killed = await run(all, { destination: refusing('refused') }, 'j2');
    expect(killed.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 3 });
    rmSync(at('mirror/a/1'));
    const { status } = await run(all);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1', 'Files Copied': 2 });
    expectMirror();
  });

  it.each([
    ['a directory stands in place of a file', 'a/1', 'mirror/a/1/in it', 1],
    ['a file stands in place of a directory', 'a/deep/new', 'mirror/a/deep', 2],
  ])('replaces what somebody made at the destination where %s that has changed', async (_, changed, made, copied) => {
    await run(all);
    put(`data/${changed}`, 'changed');
    rmSync(at(copied === 1 ? `mirror/${changed}` : made), { recursive: true });
    put(made);
    const { status } = await run(all);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1', 'Files Copied': copied });
    expectMirror();
  });

  it('copies all of such a directory also when the job that began with it has skipped a file in it', async () => {
    await run({ openFiles: 'skip' });
    put('data/a/1', 'changed');
    rmSync(at('mirror/a'), { recursive: true });
    open.add('hdfs-fanout-j2/a/2');
    await run({ openFiles: 'skip' });
    open.clear();
    const { status } = await run({ openFiles: 'skip' });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1' });
    expectMirror();
  });

  it('does not make a directory anew that vanishes while it runs', async () => {
    await run(all);
    put('data/a/deep/new');
    let looks = 0;
    const destination = decorated(disk, {
      stat: async (path, both) => {
        // Behind the look for what the destination lacks.
        if (path === at('mirror/a') && ++looks > 1) rmSync(at('mirror/a'), { recursive: true, force: true });
        return disk.stat(path, both);
      },
    });
    const { error } = await run(all, { destination });
    expect(error).toContain(`${at('mirror/a')} vanished while the job looked at what has changed in it`);
    expect((await run(all)).status.Outcome).toBe('Successful');
    expectMirror();
  });

  it('does not make a directory anew for a file that it copies', async () => {
    put('data/new/one');
    put('data/new/two');
    await run();
    put('data/new/one', 'changed');
    const destination = decorated(disk, {
      // As a server that makes what a file is to be in.
      write: (path, body, options, both) => {
        rmSync(at('mirror/new'), { recursive: true, force: true });
        if (!options.parentStands) mkdirSync(dirname(path), { recursive: true });
        return disk.write(path, body, options, both);
      },
    });
    const { status } = await run({}, { destination });
    expect(status['Files Failed']).toBe(1);
    await run();
    expectMirror();
  });

  it('holds deletions against all files of the destination', async () => {
    for (let file = 0; file < 100; file++) put(`data/many/${file}`);
    await run(all);
    for (let file = 0; file < 11; file++) rmSync(at(`data/many/${file}`));
    const { error } = await run({ ...all, maxDelete: '10%' });
    expect(error).toContain("11 of the destination's 105 files would be deleted, more than the limit of 10");
    const { status } = await run({ ...all, maxDelete: '11%' });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 11, 'Snapshot Base': 'hdfs-fanout-j1' });
    expectMirror();
  });

  it('deletes nothing where the source has become empty', async () => {
    await run(all);
    for (const name of ['a', 'b', 'c']) rmSync(at(`data/${name}`), { recursive: true });
    const { error } = await run(all);
    expect(error).toContain('the source has become empty: nothing is deleted');
    expect(Object.keys(tree('mirror'))).toHaveLength(8);
  });

  it('deletes nothing where its snapshot goes while it looks for what to delete', async () => {
    await run(all);
    for (const name of ['1', '2', 'deep/3']) rmSync(at(`data/a/${name}`));
    let looks = 0;
    const source = decorated(disk, {
      stat: async (path, both) => {
        if (path.endsWith('/a/1') && ++looks > 1)
          rmSync(at('data/.snapshot/hdfs-fanout-j2'), { recursive: true, force: true });
        return disk.stat(path, both);
      },
    });
    const { status } = await run(all, { source });
    expect(status['Files Deleted']).toBe(0);
    expect(Object.keys(tree('mirror'))).toHaveLength(8);
  });

  it('does not end well where its snapshot goes while it copies, whatever it takes for no failure, and drops none', async () => {
    await run({ live: true });
    for (let i = 0; i < 50; i++) put(`data/new/${i}`);
    let writes = 0;
    const destination = decorated(disk, {
      write: (path, body, options, both) => {
        if (++writes === 2) rmSync(at('data/.snapshot/hdfs-fanout-j2'), { recursive: true });
        return disk.write(path, body, options, both);
      },
    });
    const { status, error } = await run({ live: true, threads: 1 }, { destination });
    expect(status.Outcome).toBe('Failed');
    expect(error).toContain('is gone: the job cannot copy from its snapshot any more');
    expect(snapshots()).toEqual(['hdfs-fanout-j1']);
    await run({ live: true });
    expectMirror();
  });

  it('ends well where its snapshot goes once all is done', async () => {
    await run(all);
    put('data/a/1', 'changed');
    const { store } = state;
    const keep = store.keepFinishCursor.bind(store);
    store.keepFinishCursor = (id, cursor) => {
      if (cursor && 'losses' in cursor) rmSync(at('data/.snapshot/hdfs-fanout-j2'), { recursive: true });
      return keep(id, cursor);
    };
    const { status, error } = await run(all);
    store.keepFinishCursor = keep;
    expect({ error, outcome: status.Outcome }).toEqual({ error: undefined, outcome: 'Successful' });
    expectMirror();
    expect((await run(all)).status['Whole Walk']).toContain(
      'the job j2 has written to the destination since: its snapshot is gone',
    );
  });

  it('stays successful when something fails while it clears away', async () => {
    await run();
    const { snapshots: own } = disk;
    if (!own) throw new Error('a disk without snapshots');
    const drop = () => Promise.reject(new Error('out of memory'));
    const { status } = await run({}, { source: decorated(disk, { snapshots: { ...own, drop } }) });
    expect(status.Outcome).toBe('Successful');
  });

  it('tells of a snapshot that cannot be dropped, and is successful', async () => {
    await run(all);
    const { status } = await run(all, { source: keepingSnapshots() });
    const why = expect.stringContaining('not yours') as string;
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshots Not Dropped': why });
    const { status: last } = await run(all);
    expect(last).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j2' });
    expect(last).not.toHaveProperty('Snapshots Not Dropped');
    expect(snapshots()).toEqual(['hdfs-fanout-j3']);
  });

  it('does not take a file that somebody still writes for a whole one, and is no base while one was', async () => {
    open.add('hdfs-fanout-j1/a/1');
    const failed = await run(all);
    expect(failed.status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 1, 'Files Copied': 4 });
    open.add('hdfs-fanout-j2/a/1');
    const skipped = await run({ ...all, openFiles: 'skip' });
    expect(skipped.status).toMatchObject({ Outcome: 'Successful', Skipped: { 'open for writing': 1 } });
    expect(existsSync(at('mirror/a/1'))).toBe(false);
    const { status } = await run({ ...all, openFiles: 'skip' });
    const why = 'no base: the job j2 skipped files: open for writing';
    expect(status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why, 'Files Copied': 1 });
    expectMirror();
  });

  it('goes on from the last complete job while a file is open again and again', async () => {
    const skipping = { ...all, openFiles: 'skip' };
    await run(skipping);
    for (const job of ['j2', 'j3']) {
      open.add(`hdfs-fanout-${job}/a/1`);
      put('data/a/1', `open in ${job}`);
      const { status } = await run(skipping);
      expect(status).toMatchObject({ 'Snapshot Base': 'hdfs-fanout-j1', Skipped: { 'open for writing': 1 } });
    }
    expect(snapshots()).toEqual(['hdfs-fanout-j1', 'hdfs-fanout-j2', 'hdfs-fanout-j3']);
    const { status } = await run(skipping);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': 'hdfs-fanout-j1', 'Files Copied': 1 });
    expectMirror();
    expect(snapshots()).toEqual(['hdfs-fanout-j4']);
  });

  it('says so where it keeps many snapshots, and drops them where they are too many', async () => {
    const skipping = { ...all, openFiles: 'skip' };
    await run(skipping);
    let last: JobStatus | undefined;
    for (let job = 2; job <= 65; job++) {
      open.add(`hdfs-fanout-j${job}/a/1`);
      put('data/a/1', `open in ${job}`);
      last = (await run(skipping)).status;
      expect('Snapshots Not Dropped' in last, `job ${job}`).toBe(job > 10);
      if (job === 64) expect(snapshots()).toHaveLength(64);
    }
    const told = last?.['Snapshots Not Dropped'];
    expect(told).toContain('65 are needed since hdfs-fanout-j1, the last run that copied every file');
    expect(told).toContain('they are dropped, and the next run looks at everything');
    expect(snapshots()).toEqual(['hdfs-fanout-j65']);
    const { status } = await run(skipping);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1 });
    expect(status['Whole Walk']).toContain('skipped files: open for writing');
    expectMirror();
  }, 120_000);

  it('keeps no snapshots that no job goes on from', async () => {
    const skipping = { ...all, openFiles: 'skip' };
    for (const job of ['j1', 'j2']) {
      open.add(`hdfs-fanout-${job}/a/1`);
      await run(skipping);
      expect(snapshots()).toEqual([`hdfs-fanout-${job}`]);
    }
  });

  it('is refused where there is nothing to make a snapshot of, with what to do', async () => {
    const no = { ...disk.snapshots, rootOf: () => Promise.resolve(undefined) } as NonNullable<Storage['snapshots']>;
    const { error, status } = await run(all, { source: decorated(disk, { snapshots: no }) });
    expect(error).toContain(`is not snapshottable (let the superuser say: hdfs dfsadmin -allowSnapshot ${at('data')})`);
    expect(status.Outcome).toBe('Failed');
    expect(existsSync(at('mirror'))).toBe(false);
    // It can be gone on with once that is done, and is no base that was never there.
    expect((await run(all, {}, 'j1')).status.Outcome).toBe('Successful');
    expectMirror();
  });
});

describe('a mirror of a tree that changes at random', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'é', 'x y');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), path, text: fc.string({ maxLength: 3 }) }),
    fc.record({ kind: fc.constant('rewrite' as const), path }),
    fc.record({ kind: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o700, 0o755) }),
    fc.record({ kind: fc.constant('rename' as const), path, to: path }),
    fc.record({ kind: fc.constant('remove' as const), path }),
    fc.record({ kind: fc.constant('lose' as const), path }),
    fc.record({ kind: fc.constant('spoil' as const), path }),
  );
  const round = fc.record({
    mutations: fc.array(mutation, { minLength: 1, maxLength: 5 }),
    /** Between a job that fails and the next one. */
    later: fc.array(mutation, { maxLength: 3 }),
    fails: fc.option(name, { nil: undefined }),
  });
  const quietly = (work: () => void) => {
    try {
      work();
    } catch {
      // There is no such name, or another kind of thing has it.
    }
  };

  it('is equal to it after each job that was successful, whatever jobs between them have failed', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 5 }), async (rounds) => {
        for (const left of ['data', 'mirror', 'home']) rmSync(at(left), { recursive: true, force: true });
        state = openState({ HDFS_FANOUT_HOME: at('home') });
        put('data/stays/x');
        expect((await run(all)).status.Outcome).toBe('Successful');
        for (const { mutations, later, fails } of rounds) {
          for (const change of mutations) quietly(() => mutate(change, ++number));
          const failed = fails === undefined ? undefined : await run(all, { destination: refusing(fails) });
          if (failed) for (const change of later) quietly(() => mutate(change, ++number));
          const { status, error } = await run(all);
          expect({ error, outcome: status.Outcome }).toEqual({ error: undefined, outcome: 'Successful' });
          expectMirror();
          expect((await run(all)).status).toMatchObject({ 'Entries Looked At': 0, 'Files Deleted': 0 });
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
  }, 120_000);

  /** A name may become one of another kind. */
  function mutate(change: typeof mutation extends fc.Arbitrary<infer T> ? T : never, number: number): void {
    const changed = at(`data/${change.path}`);
    switch (change.kind) {
      case 'write':
        rmSync(changed, { recursive: true, force: true });
        return put(relative(top, changed), change.text);
      case 'rewrite': {
        // The same length and time.
        const { mtime, size } = lstatSync(changed);
        writeFileSync(changed, String(number).padEnd(size, '.').slice(0, size));
        return utimesSync(changed, mtime, mtime);
      }
      case 'chmod':
        return chmodSync(changed, change.mode);
      case 'rename':
        return renameSync(changed, at(`data/${change.to}`));
      case 'remove':
        return rmSync(changed, { recursive: true });
      case 'lose':
        // A directory of the mirror that is looked at, since something in it has changed.
        put(relative(top, join(changed, 'changed')), String(number));
        return rmSync(at(`mirror/${change.path}`), { recursive: true });
      case 'spoil': {
        // Something of another kind at the mirror, since something in it, or it itself, has changed.
        const isFile = lstatSync(changed).isFile();
        const spoilt = `mirror/${change.path}`;
        if (!existsSync(at(spoilt))) return;
        put(relative(top, isFile ? changed : join(changed, 'changed')), String(number));
        rmSync(at(spoilt), { recursive: true });
        return put(isFile ? `${spoilt}/in it` : spoilt);
      }
    }
  }
});
