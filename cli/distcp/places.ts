import type { Endpoints } from '../../shared/endpoints/endpoints.ts';
import { RefusedError } from '../../shared/errors.ts';
import type { Existing } from '../../shared/job/existing.ts';
import { expandGlob, type Match } from '../../shared/plan/glob.ts';
import { alternativesOf } from '../../shared/storage/pattern.ts';
import type { Storage } from '../../shared/storage/storage.ts';

/** Where DistCp would copy to, in the words of `copy`. */
export interface Places {
  readonly existing: Existing;
  readonly mapping: 'cp' | 'exact' | 'into';
  /** Of the source's cluster; patterns, as `copy` takes them. */
  readonly paths: readonly string[];
}

/** All that is in a directory. */
const EVERYTHING = '{*,.*}';

/**
 * Looks at the target and at what the sources match, on which DistCp's mapping depends.
 *
 *     one file                        the target; below it where it is a directory. A target that is a file is replaced
 *     one directory                   the target where that is missing, else below it
 *     several                         below the target
 *     directories, `sync`             what is in them goes below the target; one directory becomes the target
 *
 * Without `sync` DistCp leaves alone whatever file stands at the target, uncompared.
 *
 * @throws RefusedError where nothing matches, or a file stands where a directory must
 * @see Hadoop SimpleCopyListing.computeSourceRootPath, CopyMapper.canSkip
 */
export async function placesOf(
  sync: 'update' | 'overwrite' | undefined,
  { source, patterns, destination, destinationPath }: Endpoints,
  signal: AbortSignal,
): Promise<Places> {
  const target = destination.resolve(destinationPath);
  const standing = await destination.stat(target, signal);
  const paths = patterns.flatMap(withDots);
  const found = new Map<string, Match>();
  for (const path of paths) {
    for (const match of await expandGlob(source, path, signal)) found.set(match.path, match);
  }
  const [only, ...others] = found.values();
  if (only && others.length === 0) {
    const isFile = only.status.kind === 'file';
    const existing = sync ?? (isFile && standing?.kind === 'file' ? 'overwrite' : 'skip');
    const isWhole = sync !== undefined && !isFile;
    return { existing, mapping: isWhole ? 'exact' : 'cp', paths: isWhole ? [literal(only.path)] : paths };
  }
  if (standing?.kind === 'file') {
    throw new RefusedError(
      `${found.size} sources match, and ${destination.name}:${target} is a file`,
      'name a directory to copy into',
    );
  }
  if (sync === undefined) return { existing: 'skip', mapping: 'into', paths };
  const contents: string[] = [];
  for (const match of found.values()) {
    if (match.status.kind !== 'directory') contents.push(literal(match.path));
    else if (await holdsSomething(source, match.path, signal)) contents.push(below(match.path));
  }
  if (contents.length > 0) return { existing: sync, mapping: 'into', paths: contents };
  throw new RefusedError('all sources are empty directories', 'name one that holds something');
}

/** A pattern as Hadoop takes it: its wildcards match a dot at the beginning of a name too, which those of `copy` do not. */
function withDots(pattern: string): string[] {
  const { paths, isPattern } = alternativesOf(pattern);
  const isHiding = (component: string) => /^[*?]/.test(component);
  if (!isPattern || !paths.some((path) => path.split('/').some(isHiding))) return [pattern];
  const dotted = (component: string) =>
    isHiding(component) ? `{${component},.${component.replace(/^\?/, '')}}` : component;
  return paths.map((path) => path.split('/').map(dotted).join('/'));
}

async function holdsSomething(storage: Storage, directory: string, signal: AbortSignal): Promise<boolean> {
  for await (const page of storage.list(directory, signal)) if (page.length > 0) return true;
  return false;
}

function below(directory: string): string {
  return `${directory === '/' ? '' : escaped(directory)}/${EVERYTHING}`;
}

/** A path that is no pattern. */
function literal(path: string): string {
  return /[*?[{]/.test(path) ? escaped(path) : path;
}

function escaped(path: string): string {
  return path.replace(/[\\*?[\]{},]/g, '\\$&');
}
