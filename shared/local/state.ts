import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, SpecError } from '../errors.ts';
import { ManifestFile } from './manifest-file.ts';
import { SqliteJobStore } from './sqlite-job-store.ts';

/** Where this machine keeps its jobs: `$HDFS_FANOUT_HOME`, or `~/.hdfs-fanout`. */
export interface State {
  readonly directory: string;
  /** Where the lock files of jobs at work are. */
  readonly locks: string;
  readonly store: SqliteJobStore;
  readonly manifests: ManifestFile;
}

export function openState(environment: NodeJS.ProcessEnv = process.env): State {
  const directory = environment['HDFS_FANOUT_HOME'] ?? join(homedir(), '.hdfs-fanout');
  const locks = join(directory, 'locks');
  try {
    mkdirSync(locks, { recursive: true, mode: 0o700 });
    return {
      directory,
      locks,
      store: new SqliteJobStore(join(directory, 'jobs.db')),
      manifests: new ManifestFile(join(directory, 'manifests')),
    };
  } catch (error) {
    throw new SpecError(
      `cannot keep jobs in ${directory}: ${messageOf(error)}`,
      'make room there, or name a writable directory with $HDFS_FANOUT_HOME',
    );
  }
}
