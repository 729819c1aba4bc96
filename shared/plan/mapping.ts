import { RefusedError, SpecError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { basename, isWithin, join, parentOf } from '../storage/path.ts';
import { expandGlob, type Match } from './glob.ts';
import { alternativesOf, hasGlob } from '../storage/pattern.ts';
import type { Root } from '../job/root.ts';
import { rootsOfPairs } from './pairs.ts';
import { refuseBackup } from './refuse-backup.ts';
import { refuseDeletes } from './refuse-deletes.ts';
import { haveOneAddress, refuseSameTree } from './same-tree.ts';
import { mayReplace } from '../job/existing.ts';
import { hasList, type JobSpec } from '../job/spec.ts';

/**
 * Refuses a copy that cannot work whatever the storages hold. Asks them nothing.
 *
 * @param path  of the destination, as the user wrote it
 * @throws SpecError
 */
export function refuseAtOnce(
  { options }: JobSpec,
  source: Storage,
  destination: Storage,
  patterns: readonly string[],
  path: string,
): void {
  // They may lie side by side in one directory of one cluster.
  if (options.pairs.length > 0) return;
  const whole = options.delete ? '--delete' : options.trackMissing === '' ? undefined : '--track-missing';
  const flag = options.snapshot ? '--snapshot' : whole;
  if (flag !== undefined) requireOneInFull(patterns, flag);
  if (options.snapshot && !source.snapshots)
    throw new SpecError(`${source.name} has no snapshots`, 'leave out --snapshot');
  const destinationPath = destination.resolve(path);
  refuseName(destination, destinationPath, destination.names?.unwritable(destinationPath));
  for (const pattern of patterns.flatMap((one) => alternativesOf(one).paths)) {
    const sourcePath = source.resolve(pattern);
    refuseName(source, sourcePath, source.names?.unreadable?.(sourcePath));
    if (hasGlob(pattern)) continue;
    if (isWithin(destinationPath, sourcePath) && haveOneAddress(source, sourcePath, destination, destinationPath)) {
      const what = sourcePath === destinationPath ? 'is its own source' : `lies inside its source ${sourcePath}`;
      throw new SpecError(`the destination ${destination.name}:${destinationPath} ${what}`, 'name another destination');
    }
  }
}

/** What a wildcard happens to match one day is no tree that a destination was ever meant to mirror. */
function requireOneInFull(patterns: readonly string[], flag: string): void {
  const paths = patterns.flatMap((pattern) => alternativesOf(pattern).paths);
  if (paths.length === 1 && !paths.some(hasGlob)) return;
  throw new SpecError(
    `${flag} takes one source that is named in full, not ${patterns.join(' ')}`,
    'write its path without wildcards',
  );
}

function refuseName(storage: Storage, path: string, reason: string | undefined): void {
  if (reason !== undefined) throw new SpecError(`${storage.name}:${path}: ${reason}`, 'name another path');
}

/**
 * Maps each source that matches to its destination, as cp does: to the destination path itself where nothing stands yet, below it where it
 * is a directory. With `mapping: exact` the destination path is the copied root, existing or not (cp -T); with `into` it is a directory,
 * existing or not, that each source goes into (cp -t).
 *
 * @param path  of the destination, as the user wrote it
 * @param options  `makeProbe` is false for a dry run, which changes nothing; `onHidden` is that of `expandGlob`
 * @throws RefusedError for no match, two that would become one, a missing parent, a destination that exists and may not, a tree into
 *   itself, names that the destination cannot hold
 */
export async function resolveMapping(
  spec: JobSpec,
  patterns: readonly string[],
  path: string,
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
  { makeProbe = true, onHidden }: { readonly makeProbe?: boolean; readonly onHidden?: (path: string) => void } = {},
): Promise<Root[]> {
  if (spec.options.pairs.length > 0) {
    return rootsOfPairs(spec, patterns, path, source, destination, makeProbe, signal);
  }
  const found = new Map<string, Match>();
  for (const pattern of patterns) {
    for (const match of await expandGlob(source, pattern, signal, onHidden)) found.set(match.path, match);
  }
  const matches = [...found.values()];
  const destinationPath = destination.resolve(path);
  const standing = await destination.stat(destinationPath, signal);
  if (!standing && !spec.options.mkpath) await requireParent(destination, destinationPath, signal);
  if (standing && standing.kind !== 'directory' && spec.options.mapping === 'into') {
    throw new RefusedError(
      `${destination.name}:${destinationPath} is a ${standing.kind}`,
      'name a directory to copy into',
    );
  }
  if (spec.options.mapping === 'exact' && matches.length > 1) {
    throw new RefusedError(`${matches.length} sources match, and an exact destination takes one`, 'leave out --exact');
  }
  if (hasList(spec.options) && (matches.length > 1 || matches[0]?.status.kind !== 'directory')) {
    throw new RefusedError('a list names files of one source directory', 'name the directory that its paths are below');
  }
  const roots = matches.map((match) => rootOf(match, destinationPath, standing, spec, source));
  refuseConflicts(roots, destination);
  // A server may record the question as a change, which a dry run makes none of.
  if (makeProbe) await destination.names?.learn?.(destinationPath, signal);
  const may = { mayReplace: mayReplace(spec.options.existing), mayDelete: spec.options.delete };
  await refuseSameTree({ source, destination, ...may, makeProbe }, roots, signal);
  refuseNames(roots, destination);
  for (const root of roots) await refuseExisting(root, destinationPath, standing, spec, destination, signal);
  if (spec.options.backupDir !== '') await refuseBackup(spec, roots, source, destination, signal);
  if (spec.options.delete) await refuseDeletes(spec.options, roots, source, destination, makeProbe, signal);
  return roots;
}

/** @param standing  what stands at the destination path */
function rootOf(
  { path, status }: Match,
  destinationPath: string,
  standing: FileStatus | undefined,
  spec: JobSpec,
  source: Storage,
): Root {
  const refusal = status.refusal ?? source.names?.unreadable?.(path);
  if (refusal !== undefined) throw new RefusedError(`${source.name}:${path}: ${refusal}`, 'copy without it');
  if (status.kind === 'other') {
    throw new RefusedError(`${path} is neither a file nor a directory`, 'name what it stands for');
  }
  const { mapping, filesOnly } = spec.options;
  // The files of a flattened directory go right below the destination path: the directory itself has no name there.
  const isInto = mapping === 'into' || (standing?.kind === 'directory' && mapping === 'cp');
  const isBelow = isInto && !(filesOnly && status.kind === 'directory');
  const destination = isBelow ? join(destinationPath, basename(path)) : destinationPath;
  return { source: path, destination, kind: status.kind };
}

function refuseConflicts(roots: readonly Root[], destination: Storage): void {
  const taken = new Map<string, string>();
  for (const root of roots) {
    const other = taken.get(root.destination);
    if (other !== undefined) {
      throw new RefusedError(
        `${other} and ${root.source} would both become ${destination.name}:${root.destination}`,
        'copy them one by one, or into an existing directory',
      );
    }
    taken.set(root.destination, root.source);
  }
}

/** A root whose name the destination cannot hold is a failed file among others; where none can be held the job cannot go on. */
function refuseNames(roots: readonly Root[], destination: Storage): void {
  const reasons = roots.map((root) => destination.names?.unwritable(root.destination));
  const [first, reason] = [roots[0], reasons[0]];
  if (first === undefined || reason === undefined || reasons.includes(undefined)) return;
  throw new RefusedError(`${destination.name}:${first.destination}: ${reason}`, 'name a destination that it can have');
}

async function refuseExisting(
  root: Root,
  destinationPath: string,
  standing: FileStatus | undefined,
  { options: { existing, mapping, filesOnly } }: JobSpec,
  destination: Storage,
  signal: AbortSignal,
): Promise<void> {
  if (destination.names?.unwritable(root.destination) !== undefined) return;
  const status = root.destination === destinationPath ? standing : await destination.stat(root.destination, signal);
  if (!status) return;
  if (status.kind !== root.kind) {
    throw new RefusedError(
      `${destination.name}:${root.destination} is a ${status.kind} and its source ${root.source} is a ${root.kind}`,
      'remove it or name another destination',
    );
  }
  const merges = mapping === 'exact' || (filesOnly && status.kind === 'directory');
  if (existing === 'fail' && !merges) {
    throw new RefusedError(`${destination.name}:${root.destination} exists`, 'use --force to overwrite what differs');
  }
}

async function requireParent(storage: Storage, path: string, signal: AbortSignal): Promise<void> {
  const [directory, name] = [parentOf(path), `${storage.name}:${path}`];
  const parent = await storage.stat(directory, signal);
  if (!parent) throw new RefusedError(`Parent directory of ${name} does not exist`, `make it: mkdir ${directory}`);
  if (parent.kind !== 'directory') {
    throw new RefusedError(`The parent of ${name} is not a directory`, 'name another destination');
  }
}
