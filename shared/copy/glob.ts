import { RefusedError, SpecError } from '../errors.ts';
import type { FileStatus, FileSystem } from '../hdfs/filesystem.ts';
import { basename, join } from '../hdfs/path.ts';

export interface Match {
  readonly path: string;
  readonly status: FileStatus;
}

/** The mapping is kept with the job: a glob is for choosing trees, not for listing one. */
const MATCHES_LIMIT = 10_000;

/**
 * Whether a name matches a pattern without slashes: `*`, `?`, `[a-z]`, `[!a]`, `[^a]`, `{a,b}`, `\` before a literal
 * character; everything else stands for itself, also a bracket or brace that is not closed. A name that begins with a
 * dot is matched only by a pattern that begins with one.
 *
 * @throws SpecError when a range runs backwards
 * @see Hadoop GlobPattern; Python glob for the rule of hidden names
 */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const expression = expressionOf(pattern);
  const hidden = pattern.startsWith('.') || pattern.startsWith('\\.');
  return (name) => (hidden || !name.startsWith('.')) && expression.test(name);
}

/** An escaped character, a bracket with what it holds, stars, or any other character: a code point, newlines included. */
const TOKEN =
  /\\(?<escaped>[^])|\[(?<not>[!^]?)(?<members>(?:\]|\\[^]|[^\]\\])(?:\\[^]|[^\]\\])*)\]|(?<stars>\*+)|(?<other>[^])/gu;

function expressionOf(pattern: string): RegExp {
  const tokens = [...pattern.matchAll(TOKEN)].map(({ groups }) => groups ?? {});
  const hasGroups = isBalanced(tokens.map(({ other }) => other));
  let depth = 0;
  let source = '';
  for (const { escaped, not, members, stars, other = '' } of tokens) {
    if (escaped !== undefined) source += literal(escaped);
    else if (members !== undefined) source += `[${not ? '^' : ''}${membersOf(members)}]`;
    else if (stars !== undefined) source += '[^]*';
    else if (other === '?') source += '[^]';
    else if (other === '{' && hasGroups) {
      source += '(?:';
      depth += 1;
    } else if (other === '}' && hasGroups) {
      source += ')';
      depth -= 1;
    } else source += other === ',' && depth > 0 ? '|' : literal(other);
  }
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch {
    throw new SpecError(`"${pattern}" is no pattern`, 'write ranges such as [a-z] in ascending order');
  }
}

/** Whether every brace has its other one. */
function isBalanced(characters: readonly (string | undefined)[]): boolean {
  let depth = 0;
  for (const character of characters) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

/** What stands between brackets: an unescaped hyphen makes a range, everything else is itself. */
function membersOf(text: string): string {
  return text.replace(/\\([^])|[\\^[\]]/gu, (found, escaped?: string) => {
    const character = escaped ?? found;
    return /[\\^[\]-]/.test(character) ? `\\${character}` : character;
  });
}

/** Whether a path holds a glob; a backslash before a character makes it literal. */
export function hasGlob(path: string): boolean {
  return /[*?[{]/.test(path.replace(/\\./g, ''));
}

/**
 * Expands a path in which each component may be a pattern. Ordered as listed; a trailing slash matches directories only.
 * @throws RefusedError when nothing matches
 */
export async function expandGlob(fs: FileSystem, pattern: string, signal: AbortSignal): Promise<Match[]> {
  const directoriesOnly = /.\/$/.test(pattern);
  // Only components with a glob are unescaped: a plain path is taken as it is, backslashes included.
  const globbed = hasGlob(pattern);
  const absolute = fs.resolve(pattern);
  const components = globbed ? absolute.split('/').filter(Boolean) : [];
  let paths = globbed ? ['/'] : [absolute];
  let matches: Match[] | undefined;
  for (const component of components) {
    matches = undefined;
    if (!hasGlob(component)) {
      paths = paths.map((path) => join(path, component.replace(/\\(.)/g, '$1')));
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
