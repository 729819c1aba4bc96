import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Storage, LockedPath } from '../../../../shared/storage/storage.ts';
import { DestinationLock } from '../../../../shared/machine/destination-lock.ts';
import { clientOf } from '../../../support/scripted-server.ts';

const root = (path: string, namespace = 'prod'): LockedPath => ({ namespace, path });
const rootsOf = (fs: Storage, path: string): LockedPath[] => fs.addressesOf(path).map((address) => root(path, address));
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-locks-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const acquire = (job: string, ...roots: LockedPath[]) => DestinationLock.acquire(directory, job, roots);
const busy = expect.objectContaining({ name: 'DestinationBusyError', disposition: 'fail-job' }) as Error;

describe('DestinationLock', () => {
  it.each([
    ['the same root', '/data/in', '/data/in'],
    ['a root inside', '/data/in', '/data/in/deep/er'],
    ['a root around', '/data/in', '/data'],
    ['everything', '/data/in', '/'],
  ])('keeps another job from %s', (_what, held, wanted) => {
    const lock = acquire('first', root('/elsewhere'), root(held));
    expect(() => acquire('second', root('/free'), root(wanted))).toThrow(busy);
    expect(() => acquire('second', root(wanted))).toThrow(/the job first is writing to \/\S+, which overlaps \//);
    lock.release();
    acquire('second', root(wanted)).release();
  });

  it.each<[string, LockedPath, LockedPath]>([
    ['a sibling', root('/data/in'), root('/data/out')],
    ['a sibling whose name begins the same', root('/data/in'), root('/data/in2')],
    ['the same path of another cluster', root('/data/in', 'prod'), root('/data/in', 'staging')],
  ])('lets another job have %s', (_what, held, wanted) => {
    const locks = [acquire('first', held), acquire('second', wanted)];
    for (const lock of locks) lock.release();
  });

  it('is not said to be held when its file cannot be read', () => {
    writeFileSync(join(directory, 'first.lock'), 'this is no database'.repeat(100));
    const error = { name: 'StateError', reason: 'cannot keep the records of jobs: file is not a database' };
    expect(() => acquire('first', root('/data/in'))).toThrow(expect.objectContaining(error) as Error);
  });

  it('keeps a job from running twice, whatever its roots', () => {
    const lock = acquire('job', root('/a'));
    expect(() => acquire('job', root('/b'))).toThrow('the job job is running already');
    lock.release();
    acquire('job', root('/b')).release();
  });

  it('is not held by one that was refused', () => {
    const first = acquire('first', root('/a'));
    expect(() => acquire('second', root('/a'), root('/b'))).toThrow(busy);
    acquire('third', root('/b')).release();
    first.release();
    acquire('second', root('/a'), root('/b')).release();
  });

  it('meets an alias of the same cluster: it is known by its namenodes, not its name', () => {
    const [one, alias] = [
      clientOf(['http://nn1:9870', 'http://nn2:9870'], { name: 'prod' }),
      clientOf(['http://nn2:9870'], { name: 'also-prod' }),
    ];
    const lock = acquire('first', ...rootsOf(one, '/data'));
    expect(() => acquire('second', ...rootsOf(alias, '/data'))).toThrow(busy);
    lock.release();
  });
});

/** Takes a lock, says so, and keeps it until it is killed. */
const holder = `
  import { DestinationLock } from ${JSON.stringify(import.meta.resolve('../../../../shared/machine/destination-lock.ts'))};
  const [directory, job, path] = process.argv.slice(1);
  globalThis.lock = DestinationLock.acquire(directory, job, [{ namespace: 'prod', path }]);
  console.log('held');
  setInterval(() => undefined, 1000);
`;

/** Ends as a job does once it is told so, and at once another takes its lock anew. */
const successor = `
  import { DatabaseSync } from 'node:sqlite';
  import { existsSync, rmSync, writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const [directory, job] = process.argv.slice(1);
  const file = directory + '/' + job + '.lock';
  const locked = () => {
    const database = new DatabaseSync(file);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  };
  const first = locked();
  console.log('held');
  while (!existsSync(directory + '/end')) await sleep(1);
  rmSync(file);
  globalThis.lock = locked();
  first.close();
  writeFileSync(directory + '/ended', '');
  setInterval(() => undefined, 1000);
`;

async function startHolder(job: string, path: string, program = holder): Promise<ChildProcess> {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, directory, job, path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the holder ended'))),
  ]);
  return child;
}

describe('DestinationLock across processes', () => {
  it('is held as long as its process lives, and free once that was killed', async () => {
    const child = await startHolder('theirs', '/data/in');
    expect(() => acquire('ours', root('/data'))).toThrow(/the job theirs is writing to \/data\/in/);
    expect(() => acquire('theirs', root('/other'))).toThrow('the job theirs is running already');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = acquire('ours', root('/data'));
    expect(() => acquire('another', root('/data/in'))).toThrow(/the job ours is writing/);
    lock.release();
    acquire('theirs', root('/data/in')).release();
  });

  it('is not held by who waited for a file that lost its name to that of another', async () => {
    const child = await startHolder('job', '/data/in', successor);
    const exec: (sql: string) => void = Reflect.get(DatabaseSync.prototype, 'exec');
    let isOpen = false;
    // The file is open by now, and not locked: its holder ends, and another gets the name and its lock, before it is.
    const locking = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
      if (!isOpen) writeFileSync(join(directory, 'end'), '');
      isOpen = true;
      const untilMs = Date.now() + 60_000;
      while (!existsSync(join(directory, 'ended'))) if (Date.now() > untilMs) throw new Error('no successor came');
      Reflect.apply(exec, this, [sql]);
    });
    try {
      expect(() => acquire('job', root('/data/in'))).toThrow(busy);
      expect(isOpen).toBe(true);
    } finally {
      locking.mockRestore();
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    acquire('job', root('/data/in')).release();
  });
});
