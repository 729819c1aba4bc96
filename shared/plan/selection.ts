import { momentOf } from '../job/moment.ts';
import type { JobOptions } from '../job/spec.ts';
import { nameMatcher } from '../storage/pattern.ts';
import { pathPattern } from '../storage/path-pattern.ts';
import { basename, join } from '../storage/path.ts';
import { wholeMatcher } from '../storage/regular-expression.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { Entry } from './entry.ts';
import { isCovered, type PathList } from './path-list.ts';

type Choices = Pick<
  JobOptions,
  'include' | 'exclude' | 'filters' | 'includePattern' | 'minSize' | 'maxSize' | 'modifiedAfter' | 'modifiedBefore'
>;

/** In place of an option that hides something: what a list does not name was never asked for, and is not counted. */
export const NOT_LISTED = 'not listed';

/** What a user has chosen of a tree. Each answer is the name of the option that leaves something out, or undefined. Pure. */
export interface Selection {
  /**
   * Why a path is none of the job's business, at the source or the destination: nothing is done to it. What lies in a hidden directory is
   * hidden too; but of one that `filters` has hidden, as with DistCp, only what is hidden by itself.
   *
   * @param path  below the root; the root itself is never hidden
   */
  readonly hides: (path: string, kind: FileStatus['kind']) => string | undefined;
  /** Why a file of the source, which is not hidden, is not copied: its length or its time. */
  readonly leavesOut: (file: Pick<FileStatus, 'lengthBytes' | 'modifiedAtMs'>) => string | undefined;
  /** Whether a directory that is not hidden is made only if something is copied into it: who picks files wants no tree of empty directories. */
  readonly isOptional: (directory: string) => boolean;
}

/**
 * Whether a pattern keeps a path of the source, and all that is in it, out of the job. What lies in a directory that `filters` has hidden is looked
 * at by itself.
 */
export function isExcluded({ hides }: Selection, path: string, kind: FileStatus['kind']): boolean {
  const why = hides(path, kind);
  return why !== undefined && why !== NOT_LISTED && !(kind === 'directory' && why === 'filters');
}

/** What `hides` is to a walk: hidden directories are told from hidden files, since what lies in them is not known. */
export function hiding({ hides, leavesOut }: Selection): (entry: Entry) => string | undefined {
  return ({ path, source, destination }) => {
    const { kind } = source ?? destination;
    const why = hides(path, kind);
    if (why === NOT_LISTED) return why;
    if (kind === 'directory') {
      const isWalked = why === undefined || (source && why === 'filters');
      return isWalked ? undefined : `${why}, directories`;
    }
    // Of a name that cannot be copied nothing else is known.
    return why ?? (source && source.refusal === undefined ? leavesOut(source) : undefined);
  };
}

/**
 * @param choices  of a job; of one that is not kept yet, times such as `7d` are counted back from now
 * @param directory  that paths are below, at the source
 * @param list  of `filesFrom`; a listed directory stands for all that lies in it
 */
export function selection(choices: Choices, directory: string, list?: PathList): Selection {
  const includes = choices.include.map(pathPattern);
  const excludes = choices.exclude.map(pathPattern);
  const filters = choices.filters.map(wholeMatcher);
  const isFiltered = (path: string) => filters.length > 0 && filters.some((matches) => matches(join(directory, path)));
  const listing = list && listingOf(list);
  const { includePattern, minSize, maxSize } = choices;
  const isNamed = includePattern === '*' ? () => true : nameMatcher(includePattern, 'all');
  const nowMs = Date.now();
  const moment = (text: string) => (text === 'off' ? undefined : momentOf(text, nowMs));
  const [after, before] = [moment(choices.modifiedAfter), moment(choices.modifiedBefore)];
  const picksFiles =
    includes.length > 0 ||
    includePattern !== '*' ||
    minSize > 0 ||
    maxSize !== 'off' ||
    after !== undefined ||
    before !== undefined;
  return {
    hides(path, kind) {
      if (path === '') return undefined;
      const isDirectory = kind === 'directory';
      const listed = listing?.(path);
      if (listing && listed !== 'listed' && !(listed === 'on the way' && isDirectory)) return NOT_LISTED;
      if (excludes.some((pattern) => pattern.takes(path, isDirectory))) return 'exclude';
      const isIncluded =
        includes.length === 0 ||
        includes.some((pattern) => pattern.takes(path, isDirectory) || (isDirectory && pattern.mayTakeBelow(path)));
      if (!isIncluded) return 'include';
      if (!isDirectory && !isNamed(basename(path))) return 'include-pattern';
      return isFiltered(path) ? 'filters' : undefined;
    },
    leavesOut({ lengthBytes, modifiedAtMs }) {
      if (lengthBytes < minSize) return 'min-size';
      if (maxSize !== 'off' && lengthBytes > maxSize) return 'max-size';
      if (after !== undefined && modifiedAtMs < after) return 'modified-after';
      if (before !== undefined && modifiedAtMs >= before) return 'modified-before';
      return undefined;
    },
    isOptional: (path) => picksFiles || isFiltered(path) || (path !== '' && listing?.(path) === 'on the way'),
  };
}

/** What a list says of paths. A walk asks for one directory's names one after the other. */
function listingOf(list: PathList): (path: string) => 'listed' | 'on the way' | undefined {
  let last: { readonly directory: string; readonly isCovered: boolean } | undefined;
  return (path) => {
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (last?.directory !== directory) last = { directory, isCovered: isCovered(list, directory) };
    if (last.isCovered) return 'listed';
    const here = list.find(path);
    return here && (here.isListed ? 'listed' : 'on the way');
  };
}
