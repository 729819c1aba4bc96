import { RefusedError, SpecError } from '../errors.ts';
import type { FileStatus, FileSystem } from '../hdfs/filesystem.ts';
import { basename, isWithin, join, parentOf } from '../hdfs/path.ts';
import { expandGlob, hasGlob, type Match } from './glob.ts';
import type { JobSpec } from './spec.ts';

/** One source match and where it goes. Resolved once, at planning, and kept with the job: resume and retry reuse it. */
export interface Root {
  readonly source: string;
  readonly destination: string;
  readonly kind: 'file' | 'directory';
}

/** What cannot work whatever the clusters say. Asks them nothing. @throws SpecError */
export function refuseIntoItself(
  source: FileSystem,
  destination: FileSystem,
  patterns: readonly string[],
  target: string,
): void {
  for (const pattern of patterns) {
    if (hasGlob(pattern)) continue;
    const from = source.resolve(pattern);
    const to = destination.resolve(target);
    if (isWithin(to, from) && samePlace(source, from, destination, to)) {
      const what = from === to ? 'is its own source' : `lies inside its source ${from}`;
      throw new SpecError(`the destination ${destination.name}:${to} ${what}`, 'name another destination');
    }
  }
}

/**
 * Maps each source match to its destination, as cp does: to the destination's own name when there is nothing yet, into
 * it when it is a directory. With `mapping: exact` the destination is the copied root, existing or not (cp -T).
 *
 * @throws RefusedError no match, conflicting matches, missing parent, existing destination without force
 */
export async function resolveMapping(
  spec: JobSpec,
  patterns: readonly string[],
  target: string,
  source: FileSystem,
  destination: FileSystem,
  signal: AbortSignal,
): Promise<Root[]> {
  const matches: Match[] = [];
  for (const pattern of patterns) matches.push(...(await expandGlob(source, pattern, signal)));
  const to = destination.resolve(target);
  const there = await destination.stat(to, signal);
  if (!there) await requireParent(destination, to, signal);
  if (spec.options.mapping === 'exact' && matches.length > 1) {
    throw new RefusedError(`${matches.length} sources match, and an exact destination takes one`, 'leave out --exact');
  }
  const roots: Root[] = [];
  const taken = new Map<string, string>();
  for (const match of matches) {
    const root = await rootOf(match, to, there, spec, source, destination, signal);
    const other = taken.get(root.destination);
    if (other !== undefined) {
      throw new RefusedError(
        `${other} and ${root.source} would both become ${destination.name}:${root.destination}`,
        'copy them one by one, or into an existing directory',
      );
    }
    taken.set(root.destination, root.source);
    roots.push(root);
  }
  return roots;
}

async function rootOf(
  { path, status }: Match,
  to: string,
  there: FileStatus | undefined,
  spec: JobSpec,
  source: FileSystem,
  destination: FileSystem,
  signal: AbortSignal,
): Promise<Root> {
  if (status.kind === 'other') {
    throw new RefusedError(`${path} is neither a file nor a directory`, 'name what it stands for');
  }
  const { mapping, force, filesOnly } = spec.options;
  // Flattened files go directly under the destination: the root that is listed there is the destination itself.
  const into = there?.kind === 'directory' && mapping === 'cp' && !(filesOnly && status.kind === 'directory');
  const root: Root = { source: path, destination: into ? join(to, basename(path)) : to, kind: status.kind };
  if (isWithin(root.destination, root.source) && samePlace(source, root.source, destination, root.destination)) {
    throw new RefusedError(
      `${destination.name}:${root.destination} is or lies inside its own source ${root.source}`,
      'name another destination',
    );
  }
  const existing = into ? await destination.stat(root.destination, signal) : there;
  if (!existing) return root;
  if (existing.kind !== status.kind) {
    throw new RefusedError(
      `${destination.name}:${root.destination} is a ${existing.kind} and its source ${path} is a ${status.kind}`,
      'remove it or name another destination',
    );
  }
  const merges = mapping === 'exact' || (filesOnly && existing.kind === 'directory');
  if (!force && !merges) {
    throw new RefusedError(`${destination.name}:${root.destination} exists`, 'use --force to overwrite what differs');
  }
  return root;
}

async function requireParent(fs: FileSystem, path: string, signal: AbortSignal): Promise<void> {
  const parent = await fs.stat(parentOf(path), signal);
  if (!parent)
    throw new RefusedError(`Parent directory of ${fs.name}:${path} does not exist`, `make it: mkdir ${parentOf(path)}`);
  if (parent.kind !== 'directory') {
    throw new RefusedError(`The parent of ${fs.name}:${path} is not a directory`, 'name another destination');
  }
}

function samePlace(source: FileSystem, from: string, destination: FileSystem, to: string): boolean {
  const places = destination.placesOf(to);
  return source.placesOf(from).some((place) => places.includes(place));
}
