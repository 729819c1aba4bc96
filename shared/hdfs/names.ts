import { isWithin } from '../storage/path.ts';

/** What HDFS checks of a whole path. @see HdfsConstants.MAX_PATH_LENGTH, MAX_PATH_DEPTH */
const PATH_CHARACTERS = 8000;
const PATH_LEVELS = 1000;

/**
 * Why a name that a server lists cannot be used, whatever it stands for: it would lead out of its directory, or no request
 * can carry it. Every name from outside is asked about here.
 */
export function refusalOfListedName(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    return `the server lists it as ${JSON.stringify(name)}, which is no name of a file and could lead out of its directory`;
  }
  if (name.includes('\0')) return 'its name holds a NUL character, which no request can carry';
  return name.isWellFormed() ? undefined : 'its name is not valid Unicode, which no request can carry';
}

/**
 * Why HDFS lets nothing be copied from a path.
 * @see Hadoop DistCp, which copies below /.reserved/raw only together with the raw.* attributes
 */
export function unreadableInHdfs(path: string): string | undefined {
  if (!isWithin(path, '/.reserved')) return undefined;
  return isWithin(path, '/.reserved/raw')
    ? 'below /.reserved/raw are the bytes of encryption zones without their keys: WebHDFS does not carry the raw.* attributes, so a copy could never be read'
    : 'below /.reserved is no tree of files, but other names for what lies elsewhere';
}

/**
 * Why HDFS would refuse to make a path, as far as that is known without asking.
 * @param nameBytes  the most that a component may have; Infinity where there is no limit
 * @see Hadoop DFSUtil.isValidName, FSDirectory.verifyMaxComponentLength, verifyINodeName, checkPathLength
 */
export function unwritableInHdfs(path: string, nameBytes: number): string | undefined {
  const names = path.split('/').slice(1);
  if (names[0] === '.reserved') {
    return isWithin(path, '/.reserved/raw') ? unreadableInHdfs(path) : '/.reserved belongs to HDFS itself';
  }
  for (const name of names) {
    if (name === '.snapshot') return 'a snapshot is read-only, and HDFS keeps the name .snapshot for them';
    if (name.includes(':')) return 'HDFS takes no ":" in a name';
    if (name.includes('\0')) return 'HDFS takes no NUL character in a name';
    if (!name.isWellFormed()) return 'its name is not valid Unicode';
    // A character has at most three bytes: most names need no counting.
    if (name.length * 3 > nameBytes && Buffer.byteLength(name) > nameBytes) {
      return `its name has ${Buffer.byteLength(name)} bytes, and the cluster takes at most ${nameBytes} (shorten it, or raise dfs.namenode.fs-limits.max-component-length)`;
    }
  }
  if (path.length > PATH_CHARACTERS || names.length > PATH_LEVELS) {
    return `HDFS takes no path of more than ${PATH_CHARACTERS} characters or ${PATH_LEVELS} levels`;
  }
  return undefined;
}

/** HttpFS cuts white space off the end of a parameter, but not before a slash, which the path loses anyway. */
export function untrimmed(path: string): string {
  return /[\0- ]$/.test(path) ? `${path}/` : path;
}
