import assert from 'node:assert/strict';
import type { JobStatus } from '../../shared/job/job-status.ts';
import type { TestHdfs } from './hdfs.ts';
import { type Kinds, RandomTree } from './random-tree.ts';
import { Seeded } from './seeded.ts';
import { toldTree, type Sighting } from './told-tree.ts';
import { differences, hasSameContent, listedTree, type Whole, type WholeTree, wholeTree } from './whole-tree.ts';

const FILES = 25;
const MUTATIONS = 14;

/** One end of a mirror. */
export interface End {
  readonly hdfs: TestHdfs;
  readonly root: string;
}

/** Files and bytes that a status tells. */
type Counts = Pick<
  JobStatus,
  'Files Copied' | 'Files Skipped' | 'Files Failed' | 'Files Deleted' | 'Size Copied' | 'Size Skipped' | 'Size Deleted'
>;

/**
 * A source that is changed at random, and its mirrors. What a run has to do, and whether it did it, is found out by
 * walking both trees with the client of the tests. What fails tells the seed and what was done last.
 */
export class MirrorRounds {
  readonly #seed: number;
  readonly #random: Seeded;
  readonly #source: End;
  readonly #tree: RandomTree;
  readonly #log: string[] = [];
  #sighting: Promise<Sighting> | undefined;
  /** What the source was when a mirror was brought up to date last. */
  readonly #mirrored = new Map<End, Sighting>();

  constructor(seed: number, source: End) {
    this.#seed = seed;
    this.#random = new Seeded(seed);
    this.#source = source;
    this.#tree = new RandomTree(source.hdfs, source.root, this.#random);
  }

  get random(): Seeded {
    return this.#random;
  }

  /** Begins the source with a few dozen entries of every kind. */
  async begin(): Promise<void> {
    await this.#source.hdfs.mkdirs(this.#source.root);
    await this.#tree.grow(FILES);
    await this.mutate(2 * MUTATIONS);
  }

  /** Changes the source. @param unlisted  also extended attributes of files whose content stays */
  async mutate(count = MUTATIONS, unlisted = true): Promise<void> {
    this.#sighting = undefined;
    await this.#noting(this.#tree, 'source', () => this.#tree.mutate(count, unlisted));
  }

  /** Changes a mirror by hand. */
  async meddle({ hdfs, root }: End, unlisted: boolean, count = 5): Promise<void> {
    const kinds = await kindsOf({ hdfs, root });
    const tree = new RandomTree(hdfs, root, this.#random, kinds);
    await this.#noting(tree, 'mirror', () => tree.mutate(count, unlisted));
  }

  /** What is about to be done, told where it fails. */
  note(what: string): void {
    this.#log.push(what);
  }

  /** How many entries were renamed at the mirrors. */
  renamed = 0;

  /** Mirrors by `run`, which must do exactly what is to be done, and must leave both trees equal. */
  async mirror(to: End, run: () => Promise<JobStatus>): Promise<void> {
    await this.#telling(async () => {
      const [sighting, source] = await Promise.all([sightingOf(to), this.#sourceNow()]);
      const status = await run();
      const { 'Entries Renamed': renamed = 0 } = status;
      const moved = movesOf(sighting.inodes, await inodesOf(to));
      assert.ok(moved.tops.size <= renamed, `${moved.tops.size} entries have moved, and ${renamed} are told`);
      this.renamed += renamed;
      for (const [path, now] of moved.tops) {
        const inode = this.#mirrored.get(to)?.inodes.get(path);
        assert.ok(inode !== undefined && inode === source.inodes.get(now), `${path} is ${now} at the mirror alone`);
      }
      const before = movedTree(sighting.tree, moved.paths);
      expectCounts(status, expected(source.tree, before));
      await this.#expectEqual(to, before, status);
      this.#mirrored.set(to, source);
    });
  }

  /** Mirrors again by `run`, which must do nothing. */
  async mirrorAgain(to: End, run: () => Promise<JobStatus>): Promise<void> {
    await this.#telling(async () => {
      const [{ tree }, before, inodes] = await Promise.all([this.#sourceNow(), treeOf(to), inodesOf(to)]);
      const status = await run();
      expectCounts(status, expected(tree, tree));
      assert.equal(status['Attributes Updated'], 0, 'attributes that a run updates that has nothing to do');
      assert.deepEqual(await inodesOf(to), inodes, 'inodes of the mirror');
      await this.#expectEqual(to, before, status);
    });
  }

  /** Fails with the seed and the last of the log. */
  async #telling<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const last = this.#log.slice(-60).join('\n');
      throw new Error(`seed ${this.#seed}, after\n${last}\n${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  /** @param before  what the mirror was before the job of this status */
  async #expectEqual(to: End, before: WholeTree, status: JobStatus): Promise<void> {
    const [source, after] = await Promise.all([this.#sourceNow(), treeOf(to)]);
    const base = isNarrowed(status) ? this.#mirrored.get(to) : undefined;
    const told = new Map(base ? toldTree(source, base, before, after) : source.tree);
    const [root, image] = [told.get(''), status.Snapshot];
    // It has the time at which its snapshot was made, and changes when one is dropped.
    if (root && image !== undefined)
      told.set('', { ...root, modifiedAtMs: (await this.#source.hdfs.status(image)).modificationTime });
    assert.deepEqual(differences(told, after), [], 'both trees are equal');
  }

  /** Nobody but `mutate` changes it. */
  #sourceNow(): Promise<Sighting> {
    return (this.#sighting ??= sightingOf(this.#source));
  }

  async #noting(tree: RandomTree, where: string, work: () => Promise<void>): Promise<void> {
    const known = tree.log.length;
    try {
      await this.#telling(work);
    } finally {
      this.#log.push(...tree.log.slice(known).map((line) => `${where}: ${line}`));
    }
  }
}

async function kindsOf({ hdfs, root }: End): Promise<Kinds> {
  if (!(await hdfs.exists(root))) return new Map();
  const listed = [...(await listedTree(hdfs, root))];
  return new Map(listed.map(([path, { type }]) => [path, type === 'FILE' ? 'file' : 'directory']));
}

async function treeOf({ hdfs, root }: End): Promise<WholeTree> {
  return (await hdfs.exists(root)) ? wholeTree(hdfs, root) : new Map();
}

interface Moved {
  /** What of it has another path now, with that. */
  readonly paths: ReadonlyMap<string, string>;
  /** Those that did not move with their directory alone. */
  readonly tops: ReadonlyMap<string, string>;
}

/** What has moved in a tree, by its inodes: also what was replaced where it had moved to, as its directory tells. */
function movesOf(before: Sighting['inodes'], after: Sighting['inodes']): Moved {
  const now = new Map([...after].map(([path, inode]) => [inode, path]));
  const paths = new Map<string, string>();
  const tops = new Map<string, string>();
  for (const [path, inode] of [...before].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const cut = path.lastIndexOf('/');
    const directory = path.slice(0, Math.max(0, cut));
    const along = (paths.get(directory) ?? directory) + path.slice(Math.max(0, cut));
    const found = now.get(inode) ?? along;
    if (found !== along) tops.set(path, found);
    if (found !== path) paths.set(path, found);
  }
  return { paths, tops };
}

function movedTree(tree: WholeTree, paths: Moved['paths']): WholeTree {
  return new Map([...tree].map(([path, entry]) => [paths.get(path) ?? path, entry]));
}

async function sightingOf(end: End): Promise<Sighting> {
  const [tree, inodes] = await Promise.all([treeOf(end), inodesOf(end)]);
  return { tree, inodes };
}

async function inodesOf({ hdfs, root }: End): Promise<ReadonlyMap<string, number>> {
  if (!(await hdfs.exists(root))) return new Map();
  const listed = [...(await listedTree(hdfs, root))];
  return new Map(listed.map(([path, { fileId }]) => [path, fileId]));
}

/** What a run has to do, by content. */
function expected(source: WholeTree, before: WholeTree): Counts {
  const files = filesOf(source);
  const [copied, skipped] = [
    files.filter(([path, file]) => !hasSameContent(file, before.get(path))),
    files.filter(([path, file]) => hasSameContent(file, before.get(path))),
  ];
  const deleted = filesOf(before).filter(([path]) => source.get(path)?.kind !== 'file');
  return {
    'Files Copied': copied.length,
    'Files Skipped': skipped.length,
    'Files Failed': 0,
    'Files Deleted': deleted.length,
    'Size Copied': bytesOf(copied),
    'Size Skipped': bytesOf(skipped),
    'Size Deleted': bytesOf(deleted),
  };
}

/** Whether a job has looked only at what has changed since a snapshot. */
const isNarrowed = (status: JobStatus): boolean => status['Snapshot Base'] !== undefined;

/** What a job skips it has looked at, which need not be all that it could skip. */
function expectCounts(status: JobStatus, all: Counts): void {
  const counts = countsOf(status);
  if (!isNarrowed(status)) {
    assert.deepEqual(counts, all, 'the counts of the status');
    return;
  }
  const { 'Files Skipped': files, 'Size Skipped': bytes } = counts;
  assert.deepEqual(counts, { ...all, 'Files Skipped': files, 'Size Skipped': bytes }, 'the counts of the status');
  assert.ok(
    files <= all['Files Skipped'] && bytes <= all['Size Skipped'],
    `${files} files, ${bytes} bytes are skipped`,
  );
}

function countsOf(status: JobStatus): Counts {
  return {
    'Files Copied': status['Files Copied'],
    'Files Skipped': status['Files Skipped'],
    'Files Failed': status['Files Failed'],
    'Files Deleted': status['Files Deleted'],
    'Size Copied': status['Size Copied'],
    'Size Skipped': status['Size Skipped'],
    'Size Deleted': status['Size Deleted'],
  };
}

const filesOf = (tree: WholeTree): [string, Whole][] => [...tree].filter(([, { kind }]) => kind === 'file');
const bytesOf = (files: readonly [string, Whole][]): number =>
  files.reduce((sum, [, { lengthBytes }]) => sum + lengthBytes, 0);
