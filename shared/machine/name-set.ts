import { DatabaseSync } from 'node:sqlite';
import { told } from './told.ts';

/** Kept in memory before SQLite begins to write to its file, KiB. */
const CACHE_KIB = 8 * 1024;

/** A set of names on disk: a temporary file of SQLite, which has no name and vanishes with the process. */
export class NamesOnDisk implements Disposable {
  // An empty file name asks SQLite for such a file, in the first of $SQLITE_TMPDIR, $TMPDIR, /var/tmp and /tmp that can be written.
  readonly #db = new DatabaseSync('');
  readonly #insert;
  readonly #select;

  constructor() {
    // Nobody reads it after a crash.
    this.#db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};`);
    this.#db.exec('CREATE TABLE names (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);');
    this.#insert = this.#db.prepare('INSERT OR IGNORE INTO names (name) VALUES (?);');
    this.#select = this.#db.prepare('SELECT name FROM names WHERE position > ? ORDER BY position;');
  }

  /** @returns false when the name was there already. @throws StateError when there is no room */
  add(name: string): boolean {
    return told(() => this.#insert.run(name).changes === 1);
  }

  /** The names in the order in which they were added, without the first `count`. */
  *after(count: number): Iterable<string> {
    for (const { name } of this.#select.iterate(count)) yield String(name);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
