import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { DestinationBusyError } from '../errors.ts';
import type { LockedPath } from '../storage/storage.ts';
import { isWithin } from '../storage/path.ts';
import { told } from './told.ts';

/** SQLITE_BUSY: https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
/** For whoever only asks whether a lock is held, ms. */
const ASKING_MS = 100;
/** For a lock file that is deleted while it is locked. */
const OWN_TRIES = 3;
/** Between a job's name and the process id, in the name of a copier's lock file. */
const SHARE = '.copier-';
/** For how long the copiers of a process that was killed are waited for, ms: longer than they take to end. */
const ENDING_MS = 60_000;

/**
 * Keeps two jobs of this machine and user from writing to overlapping destinations, and one job from running twice.
 *
 * A job holds its own lock file by an OS lock (SQLite's exclusive one), which ends with the process, also by `kill -9`;
 * a table says which roots it is for. Its copier processes hold files of their own beside it (`LockShare`): the job runs
 * until the last of all these is free. Jobs on other machines and in AWS are not seen.
 */
export class DestinationLock {
  readonly #held: DatabaseSync;
  readonly #directory: string;
  readonly #table: DatabaseSync;
  readonly #job: string;

  private constructor(held: DatabaseSync, directory: string, table: DatabaseSync, job: string) {
    this.#held = held;
    this.#directory = directory;
    this.#table = table;
    this.#job = job;
  }

  /** @throws DestinationBusyError at once, without waiting; StateError when the lock cannot be kept */
  static acquire(directory: string, job: string, roots: readonly LockedPath[]): DestinationLock {
    return told(() => DestinationLock.#acquire(directory, job, roots));
  }

  static #acquire(directory: string, job: string, roots: readonly LockedPath[]): DestinationLock {
    const held = tryOwnLock(lockFile(directory, job));
    if (!held) throw new DestinationBusyError(`the job ${job} is running already`, 'wait for its end');
    if (!sharesOf(directory, job).every(isFree)) {
      held.close();
      throw new DestinationBusyError(`the copiers of the job ${job} are still ending`, 'try again in a minute');
    }
    const table = new DatabaseSync(join(directory, 'locks.db'), { timeout: 10_000 });
    table.exec('CREATE TABLE IF NOT EXISTS roots (job TEXT, place TEXT, path TEXT)');
    table.exec('BEGIN IMMEDIATE');
    try {
      for (const row of table.prepare('SELECT job, place, path FROM roots WHERE job <> ?').all(job)) {
        const other = { job: String(row['job']), namespace: String(row['place']), path: String(row['path']) };
        const clash = roots.find(({ namespace, path }) => namespace === other.namespace && overlap(path, other.path));
        if (!clash || isDead(directory, other.job)) continue;
        throw new DestinationBusyError(
          `the job ${other.job} is writing to ${other.path}, which overlaps ${clash.path}`,
          `wait for its end: hdfs-fanout status ${other.job}`,
        );
      }
      table.prepare('DELETE FROM roots WHERE job = ?').run(job);
      const insert = table.prepare('INSERT INTO roots (job, place, path) VALUES (?, ?, ?)');
      for (const { namespace, path } of roots) insert.run(job, namespace, path);
      table.exec('COMMIT');
      return new DestinationLock(held, directory, table, job);
    } catch (error) {
      if (table.isTransaction) table.exec('ROLLBACK');
      table.close();
      held.close();
      throw error;
    }
  }

  /** To be called when no copier process of the job is left. */
  release(): void {
    try {
      this.#table.prepare('DELETE FROM roots WHERE job = ?').run(this.#job);
    } catch {
      // A full disk. Rows of a job whose file is not held count for nothing.
    }
    this.#table.close();
    // What copiers have left that were killed.
    for (const share of sharesOf(this.#directory, this.#job)) rmSync(share, { force: true });
    rmSync(lockFile(this.#directory, this.#job), { force: true });
    this.#held.close();
  }
}

/** A copier process's share of its job's lock. Ends with the process, also by `kill -9`. */
export class LockShare {
  readonly #held: DatabaseSync;
  readonly #file: string;

  private constructor(held: DatabaseSync, file: string) {
    this.#held = held;
    this.#file = file;
  }

  /** @throws StateError when the lock cannot be kept */
  static acquire(directory: string, job: string): LockShare {
    const file = join(directory, `${job}${SHARE}${process.pid}.lock`);
    const held = told(() => tryLock(file));
    if (!held) throw new Error(`somebody holds ${file}, which is of this process`);
    return new LockShare(held, file);
  }

  release(): void {
    rmSync(this.#file, { force: true });
    this.#held.close();
  }
}

/** Whether a process is at work on a job. Asks without excluding anybody: the lock of a job that begins now is waited for. */
export function isHeld(directory: string, job: string): boolean {
  return [lockFile(directory, job), ...sharesOf(directory, job)].some(isHeldFile);
}

/**
 * Waits for the copiers of a job whose process was killed: they take back what they have begun, and end. Not for a job that is at work.
 * @param onWait  called once, if there is anything to wait for
 */
export async function copiersEnded(
  directory: string,
  job: string,
  signal: AbortSignal,
  onWait: () => void,
): Promise<void> {
  const untilMs = Date.now() + ENDING_MS;
  const areEnding = () => sharesOf(directory, job).some(isHeldFile) && !isHeldFile(lockFile(directory, job));
  if (!areEnding()) return;
  onWait();
  while (areEnding() && Date.now() < untilMs) await sleep(ASKING_MS, undefined, { signal });
}

function isHeldFile(file: string): boolean {
  if (!existsSync(file)) return false;
  let probe: DatabaseSync | undefined;
  try {
    probe = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    probe.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    probe?.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function overlap(a: string, b: string): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

function lockFile(directory: string, job: string): string {
  return join(directory, `${job}.lock`);
}

/** Lock files of the job's copiers, also of those that were killed. */
function sharesOf(directory: string, job: string): readonly string[] {
  const names = readdirSync(directory).filter((name) => name.startsWith(`${job}${SHARE}`) && name.endsWith('.lock'));
  return names.map((name) => join(directory, name));
}

function tryLock(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: ASKING_MS });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** As `tryLock`, of a file that its last holder may be deleting just now: a lock of a file that has lost its name excludes nobody. */
function tryOwnLock(file: string): DatabaseSync | undefined {
  for (let tries = 1; ; tries++) {
    try {
      const before = inodeOf(file);
      const lock = tryLock(file);
      const now = inodeOf(file);
      // Another one may have its name by now, and another process that one's lock.
      if (!lock || (now !== undefined && now === (before ?? now))) return lock;
      lock.close();
    } catch (error) {
      if (existsSync(file) || tries === OWN_TRIES) throw error;
    }
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

function isDead(directory: string, job: string): boolean {
  return [lockFile(directory, job), ...sharesOf(directory, job)].every(isFree);
}

function isFree(file: string): boolean {
  try {
    const lock = tryLock(file);
    lock?.close();
    return lock !== undefined;
  } catch (error) {
    // Whoever held it has deleted it just now.
    if (existsSync(file)) throw error;
    return true;
  }
}
