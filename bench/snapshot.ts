// Mirroring a tree of which little has changed: by the difference of two snapshots, and by a walk of both trees.
import { join } from 'node:path';
import { type ListingCase, listedPathsOf } from './cases.ts';
import type { JobStatus } from '../shared/job/job-status.ts';
import { type Arena, commandLine } from './contestants.ts';
import { jobStatusIn } from './job-status.ts';
import type { Command } from './measure.ts';
import type { Lister, Told } from './planning.ts';
import { ask, forEachOf, urlOf } from './requests.ts';
import { layOut } from './trees.ts';

const atOnce = 10;
const changes = { written: 30, renamed: 30, removed: 20, made: 20 };
const changed = changes.written + changes.renamed + changes.removed + changes.made;
/** No divisor of how many files there are: each change is made in another directory. */
const stride = 997;

/** Those that the n-th set of changes is about, each in one set alone. */
const pathsOfSet = (paths: readonly string[], set: number): string[] =>
  Array.from({ length: changed }, (_, i) => paths[((set * changed + i) * stride) % paths.length] ?? '');

/** Writes, renames, removes and makes files at the source; there are as many as before. */
const change = async ({ source }: Arena, root: string, paths: readonly string[]): Promise<void> => {
  const { namenodeUrl } = source;
  const { written, renamed, removed } = changes;
  const fileBytes = 2;
  await layOut(source, root, paths.slice(0, written), fileBytes);
  await forEachOf(paths.slice(written, written + renamed), atOnce, async (path) => {
    const to = `&destination=${root}${path}-renamed`;
    await ask('PUT', urlOf(namenodeUrl, `${root}${path}`, 'RENAME', to));
  });
  await forEachOf(paths.slice(written + renamed, written + renamed + removed), atOnce, async (path) => {
    await ask('DELETE', urlOf(namenodeUrl, `${root}${path}`, 'DELETE'));
  });
  const beside = paths.slice(written + renamed + removed).map((path) => `${path}-made`);
  await layOut(source, root, beside, fileBytes);
};

const mirrorCommand = ({ configFile, scratch }: Arena, root: string, to: string, ...flags: string[]): Command => {
  const deleting = ['--delete', '--skip-trash', '--max-delete', '100%'];
  const times = ['--attributes', 'times', '--compare', 'time'];
  return {
    program: process.execPath,
    args: [
      commandLine,
      'copy',
      `A:${root}`,
      `B:${to}`,
      '--exact',
      '--force',
      ...times,
      ...deleting,
      '--silent',
      ...flags,
    ],
    env: { WEBHDFS_CONFIG: configFile, HDFS_FANOUT_HOME: join(scratch, 'jobs') },
  };
};

/** The first copy copies all, a later one what was changed: written, made and renamed files. */
const told = (of: ListingCase, stdout: string): Told => {
  const files = of.directories * of.filesEach;
  // Of a version that renames at the destination.
  const status: JobStatus & { readonly 'Entries Renamed'?: number } = jobStatusIn(stdout);
  const {
    'Files Copied': copied,
    'Files Deleted': deleted,
    'Entries Renamed': renamed = 0,
    Duration: seconds,
  } = status;
  const { written, renamed: all, removed, made } = changes;
  const isRight =
    copied === files || (copied + renamed === written + made + all && deleted + renamed === removed + all);
  if (!isRight) throw new Error(`${copied} files were copied, ${deleted} deleted, ${renamed} entries renamed`);
  return { files, seconds };
};

/** Lays the tree out at the source, and tells who mirrors it, each to a place of its own: the first time, which is not counted, as a whole. */
export const snapshotListers = async (of: ListingCase, arena: Arena): Promise<Lister[]> => {
  const root = `/lists/${of.name}`;
  const paths = listedPathsOf(of);
  await layOut(arena.source, root, paths, 1);
  await ask('PUT', urlOf(arena.source.namenodeUrl, root, 'ALLOWSNAPSHOT'));
  await layOut(arena.destination, '/lists', ['/made'], 0);
  let sets = 0;
  const lister = (name: string, title: string, ...flags: string[]): Lister => {
    let turns = 0;
    const command = async (): Promise<Command> => {
      // Whoever comes first in a round changes the source: both find the same changes.
      if (turns > sets) await change(arena, root, pathsOfSet(paths, sets++));
      turns += 1;
      return mirrorCommand(arena, root, `/lists/${name}`, ...flags);
    };
    return { name, title, command, told: (stdout) => told(of, stdout) };
  };
  return [lister('snapshot', 'hdfs-fanout --snapshot', '--snapshot'), lister('whole', 'walk of both trees')];
};
