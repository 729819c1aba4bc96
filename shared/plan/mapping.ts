import { RefusedError, SpecError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { basename, isWithin, join, parentOf } from '../storage/path.ts';
import { expandGlob, type Match } from './glob.ts';
import { alternativesOf, hasGlob } from '../storage/pattern.ts';
import type { Root } from '../job/root.ts';
import { refuseSameTree } from './same-tree.ts';
import { mayReplace } from '../job/existing.ts';
import type { JobSpec } from '../job/spec.ts';

/** What cannot work whatever the clusters hold. Asks them nothing. @throws SpecError */
export function refuseAtOnce(source: Storage, destination: Storage, patterns: readonly string[], target: string): void {
  const to = destination.resolve(target);
  refuseReason(destination, to, destination.names?.unwritable(to));
  for (const path of patterns.flatMap((pattern) => alternativesOf(pattern).paths)) {
    const from = source.resolve(path);
    refuseReason(source, from, source.names?.unreadable?.(from));
    if (hasGlob(path)) continue;
    if (isWithin(to, from) && samePlace(source, from, destination, to)) {
      const what = from === to ? 'is its own source' : `lies inside its source ${from}`;
      throw new SpecError(`the destination ${destination.name}:${to} ${what}`, 'name another destination');
    }
  }
}

function refuseReason(fs: Storage, path: string, reason: string | undefined): void {
  if (reason !== undefined) throw new SpecError(`${fs.name}:${path}: ${reason}`, 'name another path');
}

/**
 * Maps each source match to its destination, as cp does: to the destination's own name when there is nothing yet, into
 * it when it is a directory. With `mapping: exact` the destination is the copied root, existing or not (cp -T).
 *
 * @param options  `makeProbe` is false for a dry run, which changes nothing; `onHidden` as of `expandGlob`
 * @throws RefusedError no match, conflicting matches, missing parent, existing destination without force, a tree into itself,
 *   names that the destination cannot hold
 */
export async function resolveMapping(
  spec: JobSpec,
  patterns: readonly string[],
  target: string,
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
  { makeProbe = true, onHidden }: { readonly makeProbe?: boolean; readonly onHidden?: (path: string) => void } = {},
): Promise<Root[]> {
  const found = new Map<string, Match>();
  for (const pattern of patterns) {
    for (const match of await expandGlob(source, pattern, signal, onHidden)) found.set(match.path, match);
  }
  const matches = [...found.values()];
  const to = destination.resolve(target);
  const there = await destination.stat(to, signal);
  if (!there) await requireParent(destination, to, signal);
  if (spec.options.mapping === 'exact' && matches.length > 1) {
    throw new RefusedError(`${matches.length} sources match, and an exact destination takes one`, 'leave out --exact');
  }
  const roots = matches.map((match) => rootOf(match, to, there, spec, source));
  refuseConflicts(roots, destination);
  // To a server the question looks like a change.
  if (makeProbe) await destination.names?.learn?.(to, signal);
  await refuseSameTree({ source, destination, force: mayReplace(spec.options.existing), makeProbe }, roots, signal);
  refuseNames(roots, destination);
  for (const root of roots) await refuseExisting(root, to, there, spec, destination, signal);
  return roots;
}

function rootOf(
  { path, status }: Match,
  to: string,
  there: FileStatus | undefined,
  spec: JobSpec,
  source: Storage,
): Root {
  const refusal = status.refusal ?? source.names?.unreadable?.(path);
  if (refusal !== undefined) throw new RefusedError(`${source.name}:${path}: ${refusal}`, 'copy without it');
  if (status.kind === 'other') {
    throw new RefusedError(`${path} is neither a file nor a directory`, 'name what it stands for');
  }
  const { mapping, filesOnly } = spec.options;
  // Flattened files go directly under the destination: the root that is listed there is the destination itself.
  const into = there?.kind === 'directory' && mapping === 'cp' && !(filesOnly && status.kind === 'directory');
  return { source: path, destination: into ? join(to, basename(path)) : to, kind: status.kind };
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

/** One name that cannot be had among others is a file that fails; where there is no other the job cannot go on. */
function refuseNames(roots: readonly Root[], destination: Storage): void {
  const reasons = roots.map((root) => destination.names?.unwritable(root.destination));
  const [first, reason] = [roots[0], reasons[0]];
  if (first === undefined || reason === undefined || reasons.includes(undefined)) return;
  throw new RefusedError(`${destination.name}:${first.destination}: ${reason}`, 'name a destination that it can have');
}

async function refuseExisting(
  root: Root,
  to: string,
  there: FileStatus | undefined,
  { options: { existing, mapping, filesOnly } }: JobSpec,
  destination: Storage,
  signal: AbortSignal,
): Promise<void> {
  if (destination.names?.unwritable(root.destination) !== undefined) return;
  const status = root.destination === to ? there : await destination.stat(root.destination, signal);
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

async function requireParent(fs: Storage, path: string, signal: AbortSignal): Promise<void> {
  const parent = await fs.stat(parentOf(path), signal);
  if (!parent)
    throw new RefusedError(`Parent directory of ${fs.name}:${path} does not exist`, `make it: mkdir ${parentOf(path)}`);
  if (parent.kind !== 'directory') {
    throw new RefusedError(`The parent of ${fs.name}:${path} is not a directory`, 'name another destination');
  }
}

function samePlace(source: Storage, from: string, destination: Storage, to: string): boolean {
  const places = destination.addressesOf(to);
  return source.addressesOf(from).some((place) => places.includes(place));
}
