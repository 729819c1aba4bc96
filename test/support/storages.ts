import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Cluster, loadClusters } from '../../shared/hdfs/cluster.ts';
import type { Storage } from '../../shared/storage/storage.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { silentLog } from '../../shared/log.ts';
import { counted } from './counted-storage.ts';
import { TestHdfs } from './hdfs.ts';

/** A storage with a directory of a test file’s own in it. */
export interface OpenStorage extends AsyncDisposable {
  readonly fs: Storage;
  readonly root: string;
}

/** A storage that has everything that is optional. @throws Error naming what it lacks */
export function complete({ fs, root }: OpenStorage): { readonly fs: Required<Storage>; readonly root: string } {
  const optional = [
    'names',
    'posix',
    'hadoop',
    'checksums',
    'replacesAtOnce',
    'requireWritable',
    'closedLength',
  ] as const;
  const lacking = optional.filter((name) => fs[name] === undefined);
  if (lacking.length > 0) throw new Error(`${fs.name} lacks ${lacking.join(', ')}`);
  return { fs: fs as Required<Storage>, root };
}

/** Every implementation of Storage. What only some of them can do, and why, is told here and nowhere else. */
export const storages = [
  {
    name: 'LocalDisk',
    open: openLocal,
    /** Tests may run as root, whom nothing is denied: refusals are tested on WebHDFS, with another user. */
    refuses: false,
    /** The disk keeps neither checksums nor blocks nor ACLs nor extended attributes, and its owners are not Hadoop's. */
    keepsHadoopAttributes: false,
    /** CREATE makes missing parents, and open(2) does not; the engine makes directories first everywhere. */
    makesParents: false,
    replacesAtOnce: true,
    listsInPages: true,
  },
  {
    name: 'WebHdfs',
    open: openHdfs,
    refuses: true,
    keepsHadoopAttributes: true,
    makesParents: true,
    replacesAtOnce: true,
    listsInPages: true,
  },
  {
    name: 'HttpFS',
    open: openHttpFs,
    refuses: true,
    keepsHadoopAttributes: true,
    makesParents: true,
    /** It ignores renameoptions. */
    replacesAtOnce: false,
    /** It gives all of a directory, whatever startAfter says. */
    listsInPages: false,
  },
  {
    /** What a decorator passes on: everything that it does not do another way. */
    name: 'WebHdfs in a decorator',
    open: async (name: string, changes?: Partial<Cluster>) => {
      const opened = await openHdfs(`decorated-${name}`, changes);
      return { ...opened, fs: counted(opened.fs, new Map()) };
    },
    refuses: true,
    keepsHadoopAttributes: true,
    makesParents: true,
    replacesAtOnce: true,
    listsInPages: true,
  },
] as const;

async function openLocal(name: string): Promise<OpenStorage> {
  const root = await mkdtemp(join(tmpdir(), `hdfs-fanout-${name}-`));
  return { fs: new LocalDisk(65_536), root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

async function openHdfs(name: string, changes: Partial<Cluster> = {}): Promise<OpenStorage> {
  const root = `/contract-${name}`;
  const fs = webHdfs(changes);
  await new TestHdfs(inject('bed').a).mkdirs(root);
  return { fs, root, [Symbol.asyncDispose]: () => fs.close() };
}

async function openHttpFs(name: string, changes: Partial<Cluster> = {}): Promise<OpenStorage> {
  return openHdfs(`httpfs-${name}`, { nameservices: [{ urls: [inject('bed').httpFs], mounts: ['/'] }], ...changes });
}

/** The product's client of cluster A. */
function webHdfs(changes: Partial<Cluster> = {}): WebHdfs {
  const cluster = loadClusters(inject('bed').configFile).get('A');
  if (!cluster) throw new Error('the bed has no cluster A');
  return new WebHdfs({ ...cluster, ...changes }, silentLog);
}
