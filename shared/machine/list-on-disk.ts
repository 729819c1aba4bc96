import { DatabaseSync } from 'node:sqlite';
import { listedPath, type ListLine } from '../plan/list-lines.ts';
import { childOf } from '../plan/entry.ts';
import type { GrowingList, ListedName, ListedPath } from '../plan/path-list.ts';
import { told } from './told.ts';

/** Kept in memory before SQLite begins to write to its file, KiB. */
const CACHE_KIB = 32 * 1024;
const INSERTS_AT_ONCE = 10_000;
const PAGE = 500;

/**
 * A list of paths in a file of SQLite: each directory's names in the namenode's order, however they were listed, each once.
 */
export class ListOnDisk implements GrowingList, Disposable {
  readonly #db: DatabaseSync;
  readonly #insert;
  readonly #list;
  readonly #select;
  readonly #page;
  readonly #unlisted;

  /** @param file  left out: a temporary one that has no name and vanishes with the process */
  constructor(file = '') {
    this.#db = new DatabaseSync(file);
    // It is filled by one process before any other knows of it, and filled again where that was killed.
    this.#db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};`);
    this.#db.exec(
      `CREATE TABLE IF NOT EXISTS names (
        directory TEXT, key BLOB, listed INTEGER NOT NULL, PRIMARY KEY (directory, key)) WITHOUT ROWID;`,
    );
    this.#insert = this.#db.prepare('INSERT OR IGNORE INTO names (directory, key, listed) VALUES (?, ?, ?);');
    this.#list = this.#db.prepare('UPDATE names SET listed = 1 WHERE directory = ? AND key = ?;');
    this.#select = this.#db.prepare('SELECT listed FROM names WHERE directory = ? AND key = ?;');
    this.#page = this.#db.prepare(
      `SELECT key, listed FROM names WHERE directory = ? AND key > ? ORDER BY key LIMIT ${PAGE};`,
    );
    this.#unlisted = this.#db.prepare(
      `SELECT directory, key FROM names WHERE listed = 0 AND (directory, key) > (?, ?) ORDER BY directory, key LIMIT ${PAGE};`,
    );
  }

  /** @param root  that absolute lines must lie in. @throws SpecError for a line that is no path below it; StateError when there is no room */
  async fill(lines: AsyncIterable<ListLine>, root: string): Promise<void> {
    await this.addAll(pathsOf(lines, root));
  }

  /** @throws StateError when there is no room */
  async addAll(paths: AsyncIterable<ListedPath> | Iterable<ListedPath>): Promise<void> {
    let inserted = 0;
    told(() => this.#db.exec('BEGIN'));
    for await (const path of paths) {
      told(() => {
        this.#add(path);
        if (++inserted % INSERTS_AT_ONCE === 0) this.#db.exec('COMMIT; BEGIN');
      });
    }
    told(() => this.#db.exec('COMMIT'));
  }

  /** @throws StateError when there is no room */
  add(path: ListedPath): void {
    told(() => this.#add(path));
  }

  /** How many paths are listed. */
  get length(): number {
    const row = this.#db.prepare('SELECT count(*) AS listed FROM names WHERE listed = 1;').get();
    return Number(row?.['listed'] ?? 0);
  }

  /** A path, and all that lead to it. */
  #add({ path, isListed }: ListedPath): void {
    const [directory, key] = placeOf(path);
    if (this.#insert.run(directory, key, isListed ? 1 : 0).changes === 0) {
      if (isListed) this.#list.run(directory, key);
      return;
    }
    for (let above = directory; above !== '';) {
      const [higher, name] = placeOf(above);
      if (this.#insert.run(higher, name, 0).changes === 0) return;
      above = higher;
    }
  }

  *unlisted(): Generator<string, undefined> {
    let [directory, last] = ['', new Uint8Array()];
    for (;;) {
      const rows = this.#unlisted.all(directory, last) as { directory: string; key: Uint8Array<ArrayBuffer> }[];
      for (const row of rows) {
        yield childOf(row.directory, nameOf(row.key));
        [directory, last] = [row.directory, row.key];
      }
      if (rows.length < PAGE) return undefined;
    }
  }

  *namesIn(directory: string, after?: string): Generator<ListedName, undefined> {
    let last = after === undefined ? new Uint8Array() : keyOf(after);
    for (;;) {
      const rows = this.#page.all(directory, last) as { key: Uint8Array; listed: number }[];
      for (const { key, listed } of rows) {
        yield { name: nameOf(key), isListed: listed === 1 };
        last = key;
      }
      if (rows.length < PAGE) return undefined;
    }
  }

  find(path: string): ListedName | undefined {
    const [directory, key] = placeOf(path);
    const row = this.#select.get(directory, key);
    return row && { name: nameOf(key), isListed: row['listed'] === 1 };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

async function* pathsOf(lines: AsyncIterable<ListLine>, root: string): AsyncGenerator<ListedPath> {
  for await (const line of lines) yield { path: listedPath(line, root), isListed: true };
}

function placeOf(path: string): readonly [directory: string, key: Uint8Array] {
  const cut = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, cut)), keyOf(path.slice(cut + 1))];
}

/** SQLite compares blobs byte by byte, unsigned; the namenode compares names signed. */
function keyOf(name: string): Uint8Array {
  return Buffer.from(name).map((byte) => byte ^ 0x80);
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.map((byte) => byte ^ 0x80)).toString();
}
