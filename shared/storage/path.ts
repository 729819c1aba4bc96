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
 * The namenode's order of names: their UTF-8 bytes taken as signed, so that everything outside ASCII comes first; of two
 * names outside ASCII, the one with the smaller code point. Measured on 3.4.2.
 *
 * JavaScript's own order (UTF-16 units) differs, and so does the unsigned byte order of most other tools.
 * @see Hadoop DFSUtilClient.compareBytes (Guava SignedBytes.lexicographicalComparator)
 */
export function compareNames(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Where a UTF-16 unit stands in that order. A surrogate is half of a code point above all others. */
function rank(unit: number): number {
  if (unit < 0x80) return unit + 0x20000;
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
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
