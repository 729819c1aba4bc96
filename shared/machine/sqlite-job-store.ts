import { Bitmap, type UnitSet } from '../job/bitmap.ts';
import { SpecError, SupersededError } from '../errors.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import {
  type ChunkRecord,
  type Claim,
  type ClaimedBatch,
  isClean,
  type JobStore,
  type PartedUnit,
  type RecordedFailure,
} from '../job/job-store.ts';
import { FARTHEST_MS, type Lease } from '../limits/leases.ts';
import {
  type CopiedOutcome,
  type Counters,
  countersOf,
  type Failure,
  isOfChunk,
  isUnsettled,
  type MadeFile,
  type Recorded,
  type Unsettled,
} from '../job/outcome.ts';
import { type Job, storedJob } from '../job/job.ts';
import { type FileLine, fileLineOf, type FileLines } from '../job/file-line.ts';
import { packedLines, unpackedLines } from '../job/packed-lines.ts';
import type { CopiedPart, PartedFile } from '../job/parts.ts';
import type { JobOptions } from '../job/spec.ts';

/** What is kept of a job beside its record. */
const TABLES_OF_JOBS = `SELECT tables.name FROM sqlite_master tables, pragma_table_info(tables.name) columns
  WHERE tables.type = 'table' AND columns.name = 'job'`;

/** Rows that are read at once: a statement that stays open would keep SQLite's log from being written back. */
const A_PAGE = 1000;
/** Blocks of lines that are read at once: what was recorded together is one block. */
const BLOCKS_A_PAGE = 50;

/** What is kept of a file in parts beside them: their rows are 1 to `count`, and this is row 0. */
type PartsHead = Omit<PartedFile, 'parts'> & { readonly count: number };

interface BatchRow {
  batch: number;
  owner: string;
  claim: number;
  attempts: number;
  swept: number;
  done: Uint8Array;
  /** Null in rows of an earlier version. */
  clean: Uint8Array | null;
}

/** The embedded job store: one SQLite file for all jobs of a machine. */
export class SqliteJobStore implements JobStore, FileLines {
  readonly #db: SqliteDatabase;

  constructor(file: string) {
    this.#db = new SqliteDatabase(file);
  }

  close(): void {
    this.#db.close();
  }

  create(job: Job): Promise<void> {
    this.#db.run('INSERT INTO jobs (id, started, json) VALUES (?, ?, ?)', job.id, job.startedAtMs, JSON.stringify(job));
    return Promise.resolve();
  }

  get(id: string): Promise<Job | undefined> {
    return Promise.resolve(this.#job(id));
  }

  list(limit: number): Promise<Job[]> {
    const rows = this.#db.all('SELECT json FROM jobs ORDER BY started DESC, id DESC LIMIT ?', limit);
    return Promise.resolve(rows.flatMap((row) => jobOf(row) ?? []));
  }

  update(id: string, changes: Partial<Omit<Job, 'id'>>): Promise<void> {
    return this.#db.transaction(() => this.#update(id, changes));
  }

  setOptions(id: string, changes: Partial<JobOptions>): Promise<void> {
    return this.#db.transaction(() => {
      const spec = this.#job(id)?.spec;
      if (!spec) throw new Error(`no job ${id}`);
      this.#update(id, { spec: { ...spec, options: { ...spec.options, ...changes } } });
    });
  }

  claim(id: string, batch: number, owner: string): Promise<Claim> {
    const row = this.#db.get(
      `INSERT INTO batches (job, batch, owner, claim, done) VALUES (?, ?, ?, 1, x'')
       ON CONFLICT (job, batch) DO UPDATE SET owner = excluded.owner, claim = claim + 1
       RETURNING claim, attempts, swept, done`,
      id,
      batch,
      owner,
    );
    const { claim, attempts, swept, done } = row as unknown as BatchRow;
    return Promise.resolve({ claim, attempts, swept, done: new Bitmap(done) });
  }

  requireOwner(id: string, batch: number, owner: string): Promise<void> {
    return this.#batch(id, batch)?.owner === owner ? Promise.resolve() : Promise.reject(new SupersededError(batch));
  }

  noteAttempt(id: string, batch: number, owner: string, attempt: number): Promise<void> {
    return this.#asOwner(id, batch, owner, 'attempts = max(attempts, ?)', attempt);
  }

  noteSwept(id: string, batch: number, owner: string, claim: number): Promise<void> {
    return this.#asOwner(id, batch, owner, 'swept = max(swept, ?)', claim);
  }

  record(id: string, batch: number, owner: string, outcomes: readonly Recorded[]): Promise<void> {
    return this.#db.transaction(() => {
      const row = this.#batch(id, batch);
      if (row?.owner !== owner) throw new SupersededError(batch);
      const done = new Bitmap(row.done);
      const clean = new Bitmap(row.clean ?? undefined);
      const sums = new Map<string, number>();
      const lines: FileLine[] = [];
      for (const outcome of outcomes) {
        if (done.has(outcome.unit)) continue;
        const line = fileLineOf(outcome);
        if (line) lines.push(line);
        for (const [name, value] of countersOf(outcome)) sums.set(name, (sums.get(name) ?? 0) + value);
        if (isOfChunk(outcome)) this.#keepChunk(id, { ...outcome, batch });
        if (isOfChunk(outcome) && outcome.outcome === 'failed') continue;
        if (outcome.outcome === 'copied' && !isOfChunk(outcome)) this.#keepMade(id, batch, outcome);
        done.add(outcome.unit);
        if (isClean(row.claim, outcome)) clean.add(outcome.unit);
        else clean.delete(outcome.unit);
        if (isUnsettled(outcome)) {
          const sql = 'INSERT INTO failures (job, batch, unit, outcome) VALUES (?, ?, ?, ?)';
          this.#db.run(sql, id, batch, outcome.unit, JSON.stringify(outcome));
        }
      }
      const sql = 'UPDATE batches SET done = ?, clean = ? WHERE job = ? AND batch = ?';
      this.#db.run(sql, done.bytes, clean.bytes, id, batch);
      this.#add(id, sums);
      if (lines.length > 0) this.#db.run('INSERT INTO file_lines (job, lines) VALUES (?, ?)', id, packedLines(lines));
    });
  }

  async *fileLines(id: string): AsyncIterable<FileLine> {
    const sql = 'SELECT id, lines FROM file_lines WHERE job = ? AND id > ? ORDER BY id LIMIT ?';
    const page = (after: number) => this.#db.all(sql, id, after, BLOCKS_A_PAGE);
    for (let rows = page(0); rows.length > 0; rows = page(Number(rows.at(-1)?.['id']))) {
      for (const { lines } of rows) yield* await Promise.resolve(unpackedLines(lines as Uint8Array));
    }
  }

  chunks(id: string, split: number): Promise<ChunkRecord[]> {
    const rows = this.#db.all('SELECT record FROM chunks WHERE job = ? AND split = ? ORDER BY chunk', id, split);
    return Promise.resolve(rows.map(({ record }) => JSON.parse(String(record)) as ChunkRecord));
  }

  async reopenChunks(id: string, split: number, which?: ReadonlySet<number>): Promise<void> {
    const chunks = (await this.chunks(id, split)).filter(({ chunk }) => which?.has(chunk) ?? true);
    return this.#db.transaction(() => {
      // Of the file that they were put together to.
      this.#db.run('DELETE FROM read_again WHERE job = ? AND split = ?', id, split);
      for (const { outcome, batch, unit, chunk, bytes } of chunks) {
        this.#db.run('DELETE FROM chunks WHERE job = ? AND split = ? AND chunk = ?', id, split, chunk);
        if (outcome === 'failed') continue;
        this.#reopenUnit(id, batch, unit);
        this.#add(id, new Map([['chunks.bytes', -bytes]]));
      }
    });
  }

  async giveUpChunks(id: string, split: number): Promise<void> {
    // First, so that no crash leaves chunks that are to be copied again.
    this.#db.run('INSERT OR IGNORE INTO given_up (job, split) VALUES (?, ?)', id, split);
    await this.reopenChunks(id, split);
  }

  noteRefusal(id: string, split: number, owner: string): Promise<boolean> {
    this.#db.run('INSERT OR IGNORE INTO refused (job, split, owner) VALUES (?, ?, ?)', id, split, owner);
    const first = this.#db.get('SELECT owner FROM refused WHERE job = ? AND split = ?', id, split);
    return Promise.resolve(first?.['owner'] !== owner);
  }

  isGivenUp(id: string, split: number): Promise<boolean> {
    return Promise.resolve(this.#db.get('SELECT 1 FROM given_up WHERE job = ? AND split = ?', id, split) !== undefined);
  }

  piecesRead(id: string, split: number, of: string): Promise<Map<number, string>> {
    const sql = 'SELECT piece, blocks FROM read_again WHERE job = ? AND split = ? AND file = ?';
    const rows = this.#db.all(sql, id, split, of);
    return Promise.resolve(new Map(rows.map(({ piece, blocks }) => [Number(piece), String(blocks)])));
  }

  keepPieceRead(id: string, split: number, of: string, piece: number, blocks: string): Promise<void> {
    const sql = 'INSERT OR REPLACE INTO read_again (job, split, piece, file, blocks) VALUES (?, ?, ?, ?, ?)';
    this.#db.run(sql, id, split, piece, of, blocks);
    return Promise.resolve();
  }

  madeFiles(id: string, batch: number): Promise<ReadonlyMap<number, MadeFile>> {
    const rows = this.#db.all('SELECT * FROM made WHERE job = ? AND batch = ?', id, batch);
    const made = rows.map(({ unit, bytes, replaced, file_id: fileId, modified_at: modifiedAtMs }) => {
      const file: MadeFile = {
        bytes: Number(bytes),
        ...(replaced === 1 ? { replaced: true } : {}),
        ...(fileId === null ? {} : { fileId: Number(fileId) }),
        ...(modifiedAtMs === null ? {} : { modifiedAtMs: Number(modifiedAtMs) }),
      };
      return [Number(unit), file] as const;
    });
    return Promise.resolve(new Map(made));
  }

  /** How many files a job has copied of which nothing tells that it made them: an earlier version has. */
  async unknownFiles(id: string): Promise<number> {
    const made = Number(this.#db.get('SELECT count(*) AS count FROM made WHERE job = ?', id)?.['count'] ?? 0);
    return Math.max(0, ((await this.counters(id)).get('files.copied') ?? 0) - made);
  }

  /** Of a job that will not be undone. */
  forgetMadeFiles(id: string): void {
    this.#db.run('DELETE FROM made WHERE job = ?', id);
  }

  /** Units of a batch whose outcome is recorded. */
  doneUnits(id: string, batch: number): UnitSet {
    return new Bitmap(this.#batch(id, batch)?.done);
  }

  parts(id: string, batch: number, unit: number): Promise<PartedFile | undefined> {
    const sql = 'SELECT record FROM parts WHERE job = ? AND batch = ? AND unit = ? ORDER BY part';
    const [head, ...parts] = this.#db
      .all(sql, id, batch, unit)
      .map(({ record }) => JSON.parse(String(record)) as unknown);
    if (!head) return Promise.resolve(undefined);
    const { count, ...file } = head as PartsHead;
    return Promise.resolve({ ...file, parts: parts.slice(0, count) as CopiedPart[] });
  }

  keepParts(id: string, batch: number, owner: string, unit: number, file: PartedFile): Promise<void> {
    const { parts, ...head } = file;
    return this.#db.transaction(() => {
      if (this.#batch(id, batch)?.owner !== owner) throw new SupersededError(batch);
      const sql = 'INSERT OR REPLACE INTO parts (job, batch, unit, part, record) VALUES (?, ?, ?, ?, ?)';
      const last = parts.at(-1);
      this.#db.run(sql, id, batch, unit, 0, JSON.stringify({ ...head, count: parts.length }));
      if (last) this.#db.run(sql, id, batch, unit, parts.length, JSON.stringify(last));
    });
  }

  async *partedFiles(id: string): AsyncIterable<PartedUnit> {
    for (const { batch, unit, record } of this.#db.all('SELECT * FROM parts WHERE job = ? AND part = 0', id)) {
      const { names } = JSON.parse(String(record)) as PartsHead;
      yield await Promise.resolve({ batch: Number(batch), unit: Number(unit), names });
    }
  }

  reopenFailed(id: string, which: (failure: Failure) => boolean = () => true): Promise<void> {
    return this.#db.transaction(() => {
      const sums = new Map<string, number>();
      const page = (after: number) =>
        this.#db.all(
          'SELECT sequence, batch, unit, outcome FROM failures WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?',
          id,
          after,
          A_PAGE,
        );
      for (let rows = page(0); rows.length > 0; rows = page(Number(rows.at(-1)?.['sequence']))) {
        for (const { sequence, batch, unit, outcome } of rows) {
          const unsettled = JSON.parse(String(outcome)) as Unsettled;
          if (!which(unsettled.failure)) continue;
          this.#reopenUnit(id, Number(batch), Number(unit));
          this.#db.run('DELETE FROM failures WHERE sequence = ?', Number(sequence));
          const counted = countersOf(unsettled);
          for (const [name, value] of counted) sums.set(name, (sums.get(name) ?? 0) - value);
        }
      }
      this.#add(id, sums);
    });
  }

  async *claims(id: string, from = 0): AsyncIterable<ClaimedBatch> {
    const page = (first: number) =>
      this.#db.all(
        'SELECT * FROM batches WHERE job = ? AND batch >= ? ORDER BY batch LIMIT ?',
        id,
        first,
        A_PAGE,
      ) as unknown as BatchRow[];
    for (let rows = page(from); rows.length > 0; rows = page((rows.at(-1)?.batch ?? 0) + 1)) {
      for (const { batch, claim, attempts, swept, done, clean } of rows) {
        const sets = { done: new Bitmap(done), clean: new Bitmap(clean ?? undefined) };
        yield await Promise.resolve({ batch, claim, attempts, swept, ...sets });
      }
    }
  }

  finishCursor(id: string): Promise<unknown> {
    const row = this.#db.get('SELECT cursor FROM finishing WHERE job = ?', id);
    return Promise.resolve(row && (JSON.parse(String(row['cursor'])) as unknown));
  }

  keepFinishCursor(id: string, cursor: object | undefined): Promise<void> {
    if (cursor) {
      this.#db.run('INSERT OR REPLACE INTO finishing (job, cursor) VALUES (?, ?)', id, JSON.stringify(cursor));
    } else this.#db.run('DELETE FROM finishing WHERE job = ?', id);
    return Promise.resolve();
  }

  beginSecondPass(id: string): Promise<boolean> {
    return this.#db.transaction(() => {
      if (this.#job(id)?.pass === 2) return false;
      this.#update(id, { phase: 'planning', pass: 2 });
      this.#db.run('DELETE FROM finishing WHERE job = ?', id);
      return true;
    });
  }

  endFinish(id: string, ending: Partial<Omit<Job, 'id'>>): Promise<void> {
    return this.#db.transaction(() => {
      this.#update(id, ending);
      if (ending.outcome === 'Successful') {
        this.#db.run('DELETE FROM chunks WHERE job = ?', id);
        this.#db.run('DELETE FROM given_up WHERE job = ?', id);
        this.#db.run('DELETE FROM refused WHERE job = ?', id);
        this.#db.run('DELETE FROM read_again WHERE job = ?', id);
        this.#db.run('DELETE FROM parts WHERE job = ?', id);
      }
      this.#db.run('DELETE FROM finishing WHERE job = ?', id);
    });
  }

  lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease> {
    const row = this.#db.get(
      `INSERT INTO leases (budget, ends_at, count) VALUES (?1, ?2 + ?3, 1)
       ON CONFLICT (budget) DO UPDATE SET count = count + 1,
         ends_at = ?3 + CASE WHEN ends_at BETWEEN ?2 AND ?4 THEN ends_at ELSE ?2 END
       RETURNING ends_at, count`,
      budget,
      nowMs,
      lastsMs,
      nowMs + FARTHEST_MS,
    );
    if (row?.['count'] === 1) this.#db.run('DELETE FROM leases WHERE ends_at < ?', nowMs - FARTHEST_MS);
    return Promise.resolve({ startAtMs: Number(row?.['ends_at']) - lastsMs, count: Number(row?.['count']) });
  }

  counters(id: string): Promise<Counters> {
    const rows = this.#db.all('SELECT name, value FROM counters WHERE job = ? AND value <> 0', id);
    return Promise.resolve(new Map(rows.map(({ name, value }) => [String(name), Number(value)])));
  }

  failures(id: string, limit: number, after = '0'): Promise<RecordedFailure[]> {
    if (!/^\d{1,15}$/.test(after))
      throw new SpecError(`"${after}" is not the mark of a failure`, 'take it from the page before');
    const rows = this.#db.all(
      'SELECT sequence, batch, outcome FROM failures WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?',
      id,
      Number(after),
      limit,
    );
    const failures = rows.map(({ sequence, batch, outcome }) => {
      const { failure, unit } = JSON.parse(String(outcome)) as Unsettled;
      return { ...failure, sequence: String(sequence), batch: Number(batch), unit };
    });
    return Promise.resolve(failures);
  }

  /** Whether chunks or parts of a job's files may stand at the destination. */
  hasPieces(id: string): boolean {
    const pieces = ['chunks', 'parts'].map((table) => this.#db.get(`SELECT 1 FROM ${table} WHERE job = ?`, id));
    return pieces.some((row) => row !== undefined);
  }

  /** Removes all that is kept of a job. */
  forget(id: string): Promise<void> {
    return this.#db.transaction(() => {
      for (const { name } of this.#db.all(TABLES_OF_JOBS))
        this.#db.run(`DELETE FROM ${String(name)} WHERE job = ?`, id);
      this.#db.run('DELETE FROM jobs WHERE id = ?', id);
    });
  }

  /** Gives the space of what was removed back to the disk. Others wait meanwhile. */
  shrink(): void {
    this.#db.run('VACUUM');
    this.#db.get('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #job(id: string): Job | undefined {
    return jobOf(this.#db.get('SELECT json FROM jobs WHERE id = ?', id));
  }

  /** Only within a transaction. */
  #update(id: string, changes: Partial<Omit<Job, 'id'>>): void {
    const job = this.#job(id);
    if (!job) throw new Error(`no job ${id}`);
    this.#db.run('UPDATE jobs SET json = ? WHERE id = ?', JSON.stringify({ ...job, ...changes }), id);
  }

  #batch(id: string, batch: number): BatchRow | undefined {
    const row = this.#db.get('SELECT * FROM batches WHERE job = ? AND batch = ?', id, batch);
    return row as unknown as BatchRow | undefined;
  }

  #add(id: string, sums: ReadonlyMap<string, number>): void {
    const add = `INSERT INTO counters (job, name, value) VALUES (?, ?, ?)
       ON CONFLICT (job, name) DO UPDATE SET value = value + excluded.value`;
    for (const [name, value] of sums) this.#db.run(add, id, name, value);
  }

  #keepMade(id: string, batch: number, { unit, bytes, made = {} }: CopiedOutcome): void {
    const sql =
      'INSERT OR REPLACE INTO made (job, batch, unit, bytes, replaced, file_id, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?)';
    const { replaced = false, fileId = null, modifiedAtMs = null } = made;
    this.#db.run(sql, id, batch, unit, bytes, replaced ? 1 : 0, fileId, modifiedAtMs);
  }

  #keepChunk(id: string, record: ChunkRecord): void {
    const sql = 'INSERT OR REPLACE INTO chunks (job, split, chunk, record) VALUES (?, ?, ?, ?)';
    this.#db.run(sql, id, record.split, record.chunk, JSON.stringify(record));
  }

  #reopenUnit(id: string, batch: number, unit: number): void {
    const row = this.#batch(id, batch);
    const done = new Bitmap(row?.done);
    const clean = new Bitmap(row?.clean ?? undefined);
    done.delete(unit);
    clean.delete(unit);
    this.#db.run(
      'UPDATE batches SET done = ?, clean = ? WHERE job = ? AND batch = ?',
      done.bytes,
      clean.bytes,
      id,
      batch,
    );
  }

  #asOwner(id: string, batch: number, owner: string, change: string, value: number): Promise<void> {
    const sql = `UPDATE batches SET ${change} WHERE job = ? AND batch = ? AND owner = ?`;
    const { changes } = this.#db.run(sql, value, id, batch, owner);
    return changes === 1 ? Promise.resolve() : Promise.reject(new SupersededError(batch));
  }
}

function jobOf(row: Record<string, unknown> | undefined): Job | undefined {
  return row && storedJob(JSON.parse(String(row['json'])) as Job);
}
