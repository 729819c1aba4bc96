import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, SpecError } from '../errors.ts';
import { KeptLists } from './kept-lists.ts';
import { MadeDirectories } from './made-directories.ts';
import { ManifestFile } from './manifest-file.ts';
import { SqliteJobStore } from './sqlite-job-store.ts';

/** Where this machine keeps its jobs: `$HDFS_FANOUT_HOME`, or `~/.hdfs-fanout`. */
export interface State {
  readonly directory: string;
  /** Where the lock files of jobs at work are. */
  readonly locks: string;
  readonly store: SqliteJobStore;
  readonly manifests: ManifestFile;
  readonly lists: KeptLists;
  /** Which directories a job has made. */
  readonly madeDirectories: (job: string) => MadeDirectories;
}

function homeOfUser(): string {
  try {
    return homedir();
  } catch (error) {
    throw new SpecError('this user has no home directory', 'name a directory for jobs with $HDFS_FANOUT_HOME', error);
  }
}

/** Node's own recursive mkdir never ends where a directory that is there says ENOENT of what is made in it (/proc, autofs). */
function makeDirectories(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeDirectories(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

export function openState(environment: NodeJS.ProcessEnv = process.env): State {
  const directory = environment['HDFS_FANOUT_HOME'] ?? join(homeOfUser(), '.hdfs-fanout');
  const locks = join(directory, 'locks');
  try {
    makeDirectories(locks);
    return {
      directory,
      locks,
      store: new SqliteJobStore(join(directory, 'jobs.db')),
      manifests: new ManifestFile(join(directory, 'manifests')),
      lists: new KeptLists(join(directory, 'lists')),
      madeDirectories: (job) => new MadeDirectories(join(directory, 'manifests', `${job}.directories`)),
    };
  } catch (error) {
    throw new SpecError(
      `cannot keep jobs in ${directory}: ${messageOf(error)}`,
      'make room there, or name a writable directory with $HDFS_FANOUT_HOME',
    );
  }
}
