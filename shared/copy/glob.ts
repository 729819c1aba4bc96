import { Minimatch } from 'minimatch';
import { RefusedError } from '../errors.ts';
import type { FileStatus, FileSystem } from '../hdfs/filesystem.ts';
import { basename, join } from '../hdfs/path.ts';

export interface Match {
  readonly path: string;
  readonly status: FileStatus;
}

/** The mapping is kept with the job: a glob is for choosing trees, not for listing one. */
const MATCHES_LIMIT = 10_000;

/**
 * Whether a name matches a pattern without slashes: `*`, `?`, `[a-z]`, `[!a]`, `[^a]`, `{a,b}` (and the shell's `{1..3}`), `\` before a
 * literal character; everything else stands for itself, also a bracket or brace that is not closed. A name that begins with a
 * dot is matched only by a pattern that begins with one.
 *
 * @see Hadoop GlobPattern; Python glob for the rule of hidden names
 */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const glob = new Minimatch(pattern, {
    noext: true,
    noglobstar: true,
    nonegate: true,
    nocomment: true,
    platform: 'linux',
  });
  const hidden = pattern.startsWith('.') || pattern.startsWith('\\.');
  return (name) => (hidden || !name.startsWith('.')) && glob.match(name);
}

const GLOB = /[*?[{]/;

/** Whether a path holds a glob; a backslash before a character makes it literal. */
export function hasGlob(path: string): boolean {
  return GLOB.test(path.replace(/\\[^]/g, ''));
}

/**
 * Expands a path in which each component may be a pattern. Ordered as listed; a trailing slash matches directories only.
 * @throws RefusedError when nothing matches
 */
export async function expandGlob(fs: FileSystem, pattern: string, signal: AbortSignal): Promise<Match[]> {
  const directoriesOnly = /.\/$/.test(pattern);
  // Backslashes escape only where there is something to escape: a plain path is taken as it is.
  const globbed = GLOB.test(pattern);
  const absolute = fs.resolve(pattern);
  const components = globbed ? absolute.split('/').filter(Boolean) : [];
  let paths = globbed ? ['/'] : [absolute];
  let matches: Match[] | undefined;
  for (const component of components) {
    matches = undefined;
    if (!hasGlob(component)) {
      paths = paths.map((path) => join(path, component.replace(/\\([^])/g, '$1')));
      continue;
    }
    matches = await matchesIn(fs, paths, nameMatcher(component), signal);
    paths = matches.map((match) => match.path);
  }
  matches ??= await existing(fs, paths, signal);
  if (directoriesOnly) matches = matches.filter((match) => match.status.kind === 'directory');
  if (matches.length === 0) {
    throw new RefusedError(`no source matches ${fs.name}:${pattern}`, 'check the path with hdfs dfs -ls');
  }
  return matches;
}

async function matchesIn(
  fs: FileSystem,
  directories: readonly string[],
  matches: (name: string) => boolean,
  signal: AbortSignal,
): Promise<Match[]> {
  const found: Match[] = [];
  for (const directory of directories) {
    const status = await fs.stat(directory, signal);
    if (status?.kind !== 'directory') continue;
    for await (const page of fs.list(directory, signal)) {
      for (const entry of page) {
        if (matches(entry.name)) found.push({ path: join(directory, entry.name), status: entry });
      }
      if (found.length > MATCHES_LIMIT) {
        throw new RefusedError(`more than ${MATCHES_LIMIT} matches`, 'name the directory that holds them instead');
      }
    }
  }
  return found;
}

async function existing(fs: FileSystem, paths: readonly string[], signal: AbortSignal): Promise<Match[]> {
  const found: Match[] = [];
  for (const path of paths) {
    const status = await fs.stat(path, signal);
    if (status) found.push({ path, status: { ...status, name: basename(path) } });
  }
  return found;
}
