import pLimit from 'p-limit';
import { RefusedError, SpecError } from '../errors.ts';
import { mayReplace } from '../job/existing.ts';
import { type Pair, pathOfPair } from '../job/pair.ts';
import type { Root } from '../job/root.ts';
import type { JobSpec } from '../job/spec.ts';
import { hasGlob } from '../storage/pattern.ts';
import { isWithin } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { refuseSameTree } from './same-tree.ts';

const AT_ONCE = 16;

/**
 * The roots of a job whose sources and destinations are listed in pairs. A source that is not there is a root like others, and fails as a file does.
 *
 * @param path  what all destinations must lie in, as all sources must in the one pattern
 * @param makeProbe  as of `refuseSameTree`
 * @throws SpecError, RefusedError for pairs that lead elsewhere, or of which one would write into what another writes or reads
 */
export async function rootsOfPairs(
  { options }: JobSpec,
  patterns: readonly string[],
  path: string,
  source: Storage,
  destination: Storage,
  makeProbe: boolean,
  signal: AbortSignal,
): Promise<Root[]> {
  const limit = pLimit(AT_ONCE);
  const placed = pairsWithin(options, patterns, path, source, destination);
  const roots = await limit.map(placed, async (pair): Promise<Root> => {
    const [from, there] = await Promise.all([
      source.stat(pair.source, signal),
      destination.stat(pair.destination, signal),
    ]);
    const kind = from?.kind === 'directory' ? 'directory' : 'file';
    if (there && from && there.kind !== from.kind) {
      const what = `is a ${there.kind} and its source ${pair.source} is a ${from.kind}`;
      throw new RefusedError(
        `${destination.name}:${pair.destination} ${what}`,
        'remove it or name another destination',
      );
    }
    return { ...pair, kind };
  });
  const may = { mayReplace: mayReplace(options.existing), makeProbe };
  await refuseSameTree({ source, destination, ...may }, roots, signal);
  return roots;
}

/**
 * The pairs of a job, each once, where their paths lie in its source and its destination. Asks for nothing.
 * @throws SpecError, RefusedError as `rootsOfPairs`
 */
export function pairsWithin(
  { pairs }: Pick<JobSpec['options'], 'pairs'>,
  patterns: readonly string[],
  path: string,
  source: Storage,
  destination: Storage,
): Pair[] {
  const [pattern = '/'] = patterns;
  if (patterns.length > 1 || hasGlob(pattern)) {
    throw new SpecError(
      'pairs lie in one source',
      'name the directory that holds all of their sources, such as cluster:/',
    );
  }
  const bounds = { source: source.resolve(pattern), destination: destination.resolve(path) };
  return distinctPairs(pairs.map((pair, index) => placedIn(pair, bounds, index + 1)));
}

function placedIn(pair: Pair, bounds: Pair, number: number): Pair {
  const within = (end: 'source' | 'destination') => {
    const path = pathOfPair(pair[end]);
    if (isWithin(path, bounds[end])) return path;
    throw new RefusedError(
      `pair ${number}: ${path} does not lie in the ${end} ${bounds[end]}`,
      'name a directory above it',
    );
  };
  return { source: within('source'), destination: within('destination') };
}

/** Each pair once. */
function distinctPairs(pairs: readonly Pair[]): Pair[] {
  const byDestination = new Map<string, Pair>();
  for (const pair of pairs) {
    const other = byDestination.get(pair.destination);
    if (other && other.source !== pair.source) refuse(other, pair);
    byDestination.set(pair.destination, pair);
  }
  const sorted = [...byDestination.values()].sort((a, b) => (`${a.destination}/` < `${b.destination}/` ? -1 : 1));
  for (const [index, pair] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before && isWithin(pair.destination, before.destination)) refuse(before, pair);
  }
  return [...byDestination.values()];
}

function refuse(one: Pair, other: Pair): never {
  const both = `${one.source} to ${one.destination}, and ${other.source} to ${other.destination}`;
  throw new RefusedError(`two pairs write into one place: ${both}`, 'copy them in two jobs');
}
