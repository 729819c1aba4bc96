import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import type { EntryCount, SnapshotChange, Snapshots } from '../../shared/storage/capabilities.ts';
import { decorated } from '../../shared/storage/decorated.ts';
import { StorageError } from '../../shared/storage/errors.ts';
import { isWithin } from '../../shared/storage/path.ts';
import type { Storage } from '../../shared/storage/storage.ts';

/**
 * A disk of which one directory has snapshots: copies of it below its `.snapshot`, which it does not list.
 * @param open  the files in snapshots that somebody still writes
 */
export function snapshotDisk(root: string, open: ReadonlySet<string> = new Set()): Storage {
  const disk = new LocalDisk(65_536);
  const image = (name: string) => join(root, '.snapshot', name);
  const snapshots: Snapshots = {
    rootOf: (path) => Promise.resolve(isWithin(path, root) ? root : undefined),
    create: (_, name) => {
      if (!existsSync(image(name))) {
        mkdirSync(image(name), { recursive: true });
        const names = readdirSync(root).filter(isNoSnapshot);
        if (names.length > 0) execFileSync('cp', ['-a', '--', ...names, image(name)], { cwd: root });
      }
      return Promise.resolve();
    },
    drop: (_, name) => {
      const isThere = existsSync(image(name));
      rmSync(image(name), { recursive: true, force: true });
      return Promise.resolve(isThere);
    },
    // In the order in which they were made.
    names: () =>
      Promise.resolve(
        existsSync(image(''))
          ? readdirSync(image('')).sort((a, b) => lstatSync(image(a)).birthtimeMs - lstatSync(image(b)).birthtimeMs)
          : [],
      ),
    isOpen: (_, fileId) =>
      Promise.resolve([...open].some((path) => lstatSync(image(path), { throwIfNoEntry: false })?.ino === fileId)),
    async *changes(_, from, to, within) {
      const missing = [from, to].find((name) => !existsSync(join(image(name), within)));
      if (missing !== undefined)
        throw new StorageError('not-found', 'FileNotFoundException', 'it is gone', {
          operation: 'DIFF',
          path: missing,
        });
      yield* await Promise.resolve(changesIn(join(image(from), within), join(image(to), within), ''));
    },
  };
  return decorated(disk, {
    snapshots,
    countEntries: (directory) => Promise.resolve(countIn(directory)),
    async *list(directory, signal, after) {
      for await (const page of disk.list(directory, signal, after)) {
        yield page.filter(({ name }) => directory !== root || name !== '.snapshot');
      }
    },
  });
}

function isNoSnapshot(path: string): boolean {
  return !path.split('/').includes('.snapshot');
}

/** How a directory differs from what it was; times of directories are those of their names. */
function* changesIn(before: string, now: string, below: string): Generator<SnapshotChange> {
  const names = new Set([...readdirSync(before), ...readdirSync(now)]);
  for (const name of names) {
    const [a, b] = [join(before, name), join(now, name)];
    const path = join(below, name);
    const kinds = [a, b].map((at) => existsSync(at) && (lstatSync(at).isDirectory() ? 'directory' : 'file'));
    if (kinds[0] !== kinds[1]) {
      if (kinds[0]) yield { kind: 'delete', path };
      if (kinds[1]) yield { kind: 'create', path };
    } else {
      const [one, other] = [lstatSync(a), lstatSync(b)];
      const isSame = one.mtimeMs === other.mtimeMs && one.mode === other.mode;
      const isFile = kinds[0] === 'file';
      if (!isSame || (isFile && !readFileSync(a).equals(readFileSync(b)))) yield { kind: 'modify', path };
      if (!isFile) yield* changesIn(a, b, path);
    }
  }
}

function countIn(directory: string): EntryCount {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    isNoSnapshot(relative(directory, join(entry.parentPath, entry.name))),
  );
  const files = entries.filter((entry) => entry.isFile()).length;
  return { files, directories: entries.length - files };
}
