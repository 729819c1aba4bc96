import { RefusedError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { basename, join } from '../storage/path.ts';
import { alternativesOf, hasGlob, nameMatcher } from '../storage/pattern.ts';
import { isTemporary } from '../job/temporary.ts';

/** What a pattern of the source matched. */
export interface Match {
  readonly path: string;
  readonly status: FileStatus;
}

/** Most matches of a glob: they are kept with the job, and a glob is for choosing trees, not for listing one. */
const MATCHES_LIMIT = 10_000;

/**
 * Expands a path in which each component may be a pattern, as Hadoop does, but for names that begin with a dot: a wildcard
 * leaves those out, as it leaves out this tool's own temporary names. Ordered as listed, the alternatives of braces one
 * after the other, each match once; a trailing slash matches directories only.
 *
 * @param onHidden  told of each name that is left out because it begins with a dot
 * @throws RefusedError when nothing matches; SpecError for a pattern that is none
 * @see Hadoop Globber, GlobExpander; Python glob for the rule of hidden names
 */
export async function expandGlob(
  storage: Storage,
  pattern: string,
  signal: AbortSignal,
  onHidden?: (path: string) => void,
): Promise<Match[]> {
  const found = new Map<string, Match>();
  const { paths, isPattern } = alternativesOf(pattern);
  for (const path of paths) {
    const absolute = storage.resolve(path);
    const matches = await (isPattern
      ? matchesOf(storage, absolute, signal, onHidden)
      : existing(storage, [absolute], signal));
    const wanted = /.\/$/.test(path) ? matches.filter(({ status }) => status.kind === 'directory') : matches;
    for (const match of wanted) if (!found.has(match.path)) found.set(match.path, match);
    limit(found.size);
  }
  if (found.size === 0) {
    throw new RefusedError(`no source matches ${storage.name}:${pattern}`, 'check the path with hdfs dfs -ls');
  }
  return [...found.values()];
}

/** @param path  absolute, without braces */
async function matchesOf(
  storage: Storage,
  path: string,
  signal: AbortSignal,
  onHidden?: (path: string) => void,
): Promise<Match[]> {
  let paths = ['/'];
  let matches: Match[] | undefined;
  for (const component of path.split('/').filter(Boolean)) {
    matches = undefined;
    if (hasGlob(component)) {
      matches = await matchesIn(storage, paths, component, signal, onHidden);
      paths = matches.map((match) => match.path);
    } else {
      const name = component.replace(/\\([^])/g, '$1');
      paths = paths.map((directory) => join(directory, name));
    }
  }
  return matches ?? existing(storage, paths, signal);
}

async function matchesIn(
  storage: Storage,
  directories: readonly string[],
  pattern: string,
  signal: AbortSignal,
  onHidden?: (path: string) => void,
): Promise<Match[]> {
  const matches = nameMatcher(pattern, 'not hidden');
  const matchesAll = nameMatcher(pattern, 'all');
  const found: Match[] = [];
  for (const directory of directories) {
    const status = await storage.stat(directory, signal);
    if (status?.kind !== 'directory') continue;
    for await (const page of storage.list(directory, signal)) {
      for (const entry of page) {
        if (isTemporary(entry.name)) continue;
        const path = join(directory, entry.name);
        if (matches(entry.name)) found.push({ path, status: entry });
        else if (entry.name.startsWith('.') && matchesAll(entry.name)) onHidden?.(path);
      }
      limit(found.length);
    }
  }
  return found;
}

async function existing(storage: Storage, paths: readonly string[], signal: AbortSignal): Promise<Match[]> {
  const found: Match[] = [];
  for (const path of paths) {
    const status = await storage.stat(path, signal);
    if (status) found.push({ path, status: { ...status, name: basename(path) } });
  }
  return found;
}

function limit(matches: number): void {
  if (matches <= MATCHES_LIMIT) return;
  throw new RefusedError(`more than ${MATCHES_LIMIT} matches`, 'name the directory that holds them instead');
}
