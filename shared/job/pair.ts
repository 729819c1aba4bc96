import { normalize } from '../storage/path.ts';

/** Where one file or directory is copied from and to: absolute paths, of the clusters that the job names. */
export interface Pair {
  readonly source: string;
  readonly destination: string;
}

/** Tables and catalogs know their files by qualified paths. */
const QUALIFIED = /^(?:hdfs|webhdfs|swebhdfs|viewfs):(?:\/\/[^/]*|(?!\/\/))(?=\/)/;

/** The path in a pair, whatever cluster it names: that is the job's. */
export function pathOfPair(text: string): string {
  return normalize(text.replace(QUALIFIED, ''));
}

/** What is wrong with a path in a pair; undefined when it is one. */
export function faultInPairPath(text: string): string | undefined {
  const path = text.replace(QUALIFIED, '');
  if (!path.startsWith('/')) return `"${text}" is not absolute: write /path, or hdfs://cluster/path`;
  if (path.split('/').includes('..')) return `"${text}" holds ..`;
  return path.includes('\0') ? 'it holds a NUL character' : undefined;
}

/**
 * One line of comma-separated values: two paths. One that holds a comma or a quote stands in double quotes, its own quotes doubled.
 * @returns undefined when it is no pair
 * @see RFC 4180
 */
export function pairOfLine(line: string): Pair | undefined {
  const field = '("(?:[^"]|"")*"|[^",]*)';
  const [, source, destination] = new RegExp(`^${field},${field}$`).exec(line) ?? [];
  if (!source || !destination) return undefined;
  const plain = (text: string) => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
  return { source: plain(source), destination: plain(destination) };
}
