import { DatabaseSync } from 'node:sqlite';
import { messageOf, type Where } from '../errors.ts';
import type { SnapshotChange } from '../storage/capabilities.ts';
import { StorageError } from '../storage/errors.ts';
import { refusalOfListedName } from './names.ts';

/** Kept in memory before SQLite begins to write to its file, KiB. */
const CACHE_KIB = 8 * 1024;
/** Directories whose later name is remembered. */
const REMEMBERED = 10_000;

/**
 * What a namenode tells of two snapshots, as it comes, and what it means: a namenode calls everything by the path that led to it in the
 * earlier snapshot, but for where a rename leads to. It lies in a temporary file of SQLite, which has no name and vanishes with the process:
 * what one entry means may depend on any other.
 *
 * A listing in pages may tell an entry twice, and also tell what happened below a directory that was deleted: neither shows here.
 *
 * @see Hadoop SnapshotDiffReportGenerator, DirectorySnapshottableFeature.computeDiffRecursively
 */
export class SnapshotChanges implements Disposable {
  // An empty file name asks SQLite for such a file, in the first of $SQLITE_TMPDIR, $TMPDIR, /var/tmp and /tmp that can be written.
  readonly #db = new DatabaseSync('');
  readonly #where: Where;
  readonly #gone;
  readonly #found;
  readonly #targetOf;
  readonly #isRenamed;
  readonly #laterNames = new Map<string, string | undefined>();

  constructor(where: Where) {
    this.#where = where;
    // Nobody reads it after a crash.
    this.#db.exec(
      `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};
      CREATE TABLE gone (path TEXT PRIMARY KEY, target TEXT, inode INTEGER) WITHOUT ROWID;
      CREATE TABLE found (kind TEXT, path TEXT, inode INTEGER, PRIMARY KEY (kind, path)) WITHOUT ROWID;
      CREATE INDEX renamed ON gone (inode) WHERE target IS NOT NULL;`,
    );
    this.#gone = this.#db.prepare('INSERT OR IGNORE INTO gone (path, target, inode) VALUES (?, ?, ?);');
    this.#found = this.#db.prepare('INSERT OR IGNORE INTO found (kind, path, inode) VALUES (?, ?, ?);');
    this.#targetOf = this.#db.prepare('SELECT target FROM gone WHERE path = ?;');
    this.#isRenamed = this.#db.prepare('SELECT 1 FROM gone WHERE inode = ? AND target IS NOT NULL;');
  }

  /** @param target  its name in the later snapshot; undefined where it was deleted, or moved out of sight */
  addGone(path: string, target: string | undefined, inode?: number): void {
    this.#check(path);
    if (target !== undefined) this.#check(target);
    this.#told(() => this.#gone.run(path, target ?? null, inode ?? null));
  }

  /** @param path  its name below the directory as that was called in the earlier snapshot. What was renamed may be added too, with its inode */
  addMade(path: string, inode?: number): void {
    this.#check(path);
    this.#told(() => this.#found.run('create', path, inode ?? null));
  }

  addModified(path: string): void {
    if (path !== '') this.#check(path);
    this.#told(() => this.#found.run('modify', path, null));
  }

  *all(): Generator<SnapshotChange> {
    for (const { path, target } of this.#rows('SELECT path, target FROM gone')) {
      const source = String(path);
      if (typeof target === 'string') yield { kind: 'rename', path: source, target };
      else if (this.#laterName(directoryOf(source)) !== undefined) yield { kind: 'delete', path: source };
    }
    for (const { path } of this.#rows("SELECT path FROM found WHERE kind = 'modify'")) {
      const now = this.#laterName(String(path));
      if (now !== undefined) yield { kind: 'modify', path: now };
    }
    for (const { path, inode } of this.#rows("SELECT path, inode FROM found WHERE kind = 'create'")) {
      if (typeof inode === 'number' && this.#told(() => this.#isRenamed.get(inode))) continue;
      // What has the name of something that was renamed is not that: only its directory may be called otherwise now.
      const directory = this.#laterName(directoryOf(String(path)));
      if (directory !== undefined) yield { kind: 'create', path: below(directory, nameOf(String(path))) };
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** What an entry of the earlier snapshot is called in the later one; undefined where it was deleted, alone or with what it was in. */
  #laterName(path: string): string | undefined {
    if (path === '') return '';
    if (this.#laterNames.has(path)) return this.#laterNames.get(path);
    const gone = this.#told(() => this.#targetOf.get(path));
    const directory = gone ? undefined : this.#laterName(directoryOf(path));
    const kept = directory === undefined ? undefined : below(directory, nameOf(path));
    const now = gone ? ((gone['target'] as string | null) ?? undefined) : kept;
    if (this.#laterNames.size >= REMEMBERED) this.#laterNames.clear();
    this.#laterNames.set(path, now);
    return now;
  }

  *#rows(sql: string) {
    const rows = this.#db.prepare(sql).iterate();
    for (;;) {
      const next = this.#told(() => rows.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** @throws StorageError for a path that would lead elsewhere, or that no request can carry */
  #check(path: string): void {
    for (const name of path.split('/')) {
      const refusal = refusalOfListedName(name);
      if (refusal !== undefined) throw new StorageError('invalid', 'invalid', '', this.#where, { reason: refusal });
    }
  }

  /** @throws StorageError limit where there is no room */
  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error)) throw error;
      const reason = `this machine cannot keep so many changes in a temporary file: ${messageOf(error)}`;
      throw new StorageError('limit', 'SQLite', '', this.#where, { reason, remedy: 'make room in $TMPDIR' });
    }
  }
}

/** The directory of a relative path; '' at the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
