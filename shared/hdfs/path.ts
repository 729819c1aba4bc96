/** Absolute paths of a file system: `/`-separated, no `.` or `..`, no trailing slash but the root's own. */

const encoder = new TextEncoder();

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
 * The namenode's order of names: their UTF-8 bytes. JavaScript compares UTF-16 units, which differs
 * only where a surrogate (outside the basic plane) meets U+E000–U+FFFF.
 * @see Hadoop INodeDirectory.getChildrenList, DFSUtil.compareBytes
 */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const astralX = x >= 0xd800 && x <= 0xdfff;
    const astralY = y >= 0xd800 && y <= 0xdfff;
    if (astralX !== astralY) return astralX ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** Bytes of a name as HDFS counts them (the limit for one component is 255 by default). */
export function nameBytes(name: string): number {
  return encoder.encode(name).length;
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
