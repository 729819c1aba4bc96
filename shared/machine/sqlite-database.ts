import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { told } from './told.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, started INTEGER NOT NULL, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS batches (
    job TEXT, batch INTEGER, owner TEXT NOT NULL, claim INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    swept INTEGER NOT NULL DEFAULT 0, done BLOB NOT NULL, clean BLOB, PRIMARY KEY (job, batch)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS failures (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, batch INTEGER NOT NULL, unit INTEGER NOT NULL,
    outcome TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS failures_of_job ON failures (job, sequence);
  CREATE TABLE IF NOT EXISTS counters (
    job TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (job, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS file_lines (
    id INTEGER PRIMARY KEY, job TEXT NOT NULL, lines BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS file_lines_of_job ON file_lines (job, id);
  CREATE TABLE IF NOT EXISTS leases (
    budget TEXT PRIMARY KEY, ends_at REAL NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chunks (
    job TEXT, split INTEGER, chunk INTEGER, record TEXT NOT NULL, PRIMARY KEY (job, split, chunk)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    job TEXT, batch INTEGER, unit INTEGER, part INTEGER, record TEXT NOT NULL, PRIMARY KEY (job, batch, unit, part)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS given_up (job TEXT, split INTEGER, PRIMARY KEY (job, split)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS refused (
    job TEXT, split INTEGER, owner TEXT NOT NULL, PRIMARY KEY (job, split)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS read_again (
    job TEXT, split INTEGER, piece INTEGER, file TEXT NOT NULL, blocks TEXT NOT NULL, PRIMARY KEY (job, split, piece)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS made (
    job TEXT, batch INTEGER, unit INTEGER, bytes INTEGER NOT NULL, replaced INTEGER NOT NULL, file_id INTEGER,
    modified_at INTEGER, PRIMARY KEY (job, batch, unit)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS finishing (job TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
`;
/** For another process that writes, ms. */
const BUSY_MS = 10_000;
/** SQLITE_BUSY: https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

type Value = string | number | Uint8Array | null;

/** The records of all jobs of a machine in one SQLite file. What SQLite refuses later than at the opening is thrown as StateError. */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  /** By their text: each file asks twice whose its batch is, and compiling that costs more than its answer. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: BUSY_MS });
    this.#turnToWal();
    // NORMAL loses the last transactions at a power failure, not at a crash of the process; they are then compared again.
    this.#db.exec('PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
    this.#addClean();
  }

  close(): void {
    this.#db.close();
  }

  /** Two processes that make the file at once: SQLite's own timeout does not hold for the change of the journal's mode. */
  #turnToWal(): void {
    const untilMs = Date.now() + BUSY_MS;
    for (;;) {
      try {
        this.#db.exec('PRAGMA journal_mode = WAL;');
        return;
      } catch (error) {
        if (!isBusy(error) || Date.now() > untilMs) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  /** A file of an earlier version has no such column. */
  #addClean(): void {
    const hasClean = () => this.all('PRAGMA table_info(batches)').some(({ name }) => name === 'clean');
    if (hasClean()) return;
    this.#db.exec('BEGIN IMMEDIATE');
    if (!hasClean()) this.#db.exec('ALTER TABLE batches ADD COLUMN clean BLOB');
    this.#db.exec('COMMIT');
  }

  run(sql: string, ...values: Value[]) {
    return told(() => this.#statement(sql).run(...values));
  }

  get(sql: string, ...values: Value[]) {
    return told(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: Value[]) {
    return told(() => this.#statement(sql).all(...values));
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Rejects with what the work threw, and nothing of it stays. */
  transaction<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => {
      told(() => this.#db.exec('BEGIN IMMEDIATE'));
      let done;
      try {
        done = work();
        told(() => this.#db.exec('COMMIT'));
      } catch (error) {
        // A full disk has rolled it back already.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
      resolve(done);
    });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
