import { SpecError } from '../errors.ts';
import type { Pair } from '../job/pair.ts';
import { hasList, type JobOptions } from '../job/spec.ts';
import { expandGlob } from '../plan/glob.ts';
import { pairsWithin } from '../plan/pairs.ts';
import { haveOneAddress } from '../plan/same-tree.ts';
import { alternativesOf, hasGlob } from '../storage/pattern.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * What is held against what: the two named paths themselves, as with `mapping: exact`, or the pairs within them.
 *
 * @param pattern  the source as the user wrote it
 * @param path  the destination as the user wrote it
 * @throws SpecError for a source that is a pattern, and for a tree that would be held against itself; RefusedError for a source that is not there
 */
export async function rootsToVerify(
  options: JobOptions,
  pattern: string,
  path: string,
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
): Promise<readonly Pair[]> {
  if (options.pairs.length > 0) return pairsWithin(options, [pattern], path, source, destination);
  const { paths } = alternativesOf(pattern);
  if (paths.length !== 1 || paths.some(hasGlob)) {
    throw new SpecError(
      `verify takes one source that is named in full, not ${pattern}`,
      'write its path without wildcards',
    );
  }
  const [match] = await expandGlob(source, pattern, signal);
  const root = { source: match?.path ?? '/', destination: destination.resolve(path) };
  if (root.source === root.destination && haveOneAddress(source, root.source, destination, root.destination)) {
    throw new SpecError(`${destination.name}:${root.destination} is its own source`, 'name another destination');
  }
  if (hasList(options) && match?.status.kind !== 'directory') {
    throw new SpecError('a list names files of one source directory', 'name the directory that its paths are below');
  }
  return [root];
}
