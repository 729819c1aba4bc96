/** Absolute paths of a file system: `/`-separated, no `.` or `..`, no trailing slash but the root's own. */

export function join(directory: string, name: string): string {
  if (name === '') return directory;
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `ancestor` or lies below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || ancestor === '/' || path.startsWith(`${ancestor}/`);
}

/** Collapses repeated slashes and `.`; resolves `..` by text alone, since HDFS has no symbolic links to follow. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/**
 * A path for a WebHDFS URL. Every segment is percent-encoded but for `=`, which some servers
 * do not decode in Hive partition names (`dt=2024-01-01`).
 */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/');
}

/**
 * Where a snapshot keeps what was at a path.
 * @param below  the path below the root; '' is the root itself
 */
export function snapshotPath(root: string, name: string, below: string): string {
  return join(join(join(root, '.snapshot'), name), below);
}
