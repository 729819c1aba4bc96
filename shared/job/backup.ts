import { Backup } from '../storage/backup.ts';
import { isWithin, join, normalize, parentOf } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import type { Job } from './job.ts';
import type { Root } from './root.ts';

/** By the storage and the roots: each keeps in mind which directories it has made. */
const known = new WeakMap<Storage, WeakMap<readonly Root[], Backup>>();

/** Where a job keeps what it replaces and deletes; undefined where that was not asked for. */
export function backupOf(job: Pick<Job, 'id' | 'roots' | 'spec'>, destination: Storage): Backup | undefined {
  const directory = backupDirectory(job);
  if (directory === undefined) return undefined;
  const ofStorage = known.get(destination) ?? new WeakMap<readonly Root[], Backup>();
  known.set(destination, ofStorage);
  const backup = ofStorage.get(job.roots) ?? new Backup(destination, rootOf(job.roots), directory);
  ofStorage.set(job.roots, backup);
  return backup;
}

/** The directory of this job below the one that was named. */
export function backupDirectory({ id, spec }: Pick<Job, 'id' | 'spec'>): string | undefined {
  const { backupDir } = spec.options;
  return backupDir === '' ? undefined : join(normalize(backupDir), id);
}

/** What paths are relative to: the destination of the root, and of several the directory that holds them all. */
function rootOf(roots: readonly Root[]): string {
  const [first] = roots;
  if (!first) throw new Error('a job without roots replaces nothing');
  let above = roots.length === 1 && first.kind === 'directory' ? first.destination : parentOf(first.destination);
  while (!roots.every(({ destination }) => isWithin(destination, above))) above = parentOf(above);
  return above;
}
