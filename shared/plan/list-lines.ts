import { SpecError } from '../errors.ts';
import { isWithin } from '../storage/path.ts';

const NEWLINE = 10;
/** HDFS has no longer paths (dfs.namenode.fs-limits: 8,000 characters); a line that is longer is none, and is not gathered. */
const LINE_BYTES = 32_768;

/** One line of a list, without its end. */
export interface ListLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/**
 * The lines of a list that hold something, whatever editor wrote it: a byte order mark and carriage returns are no part of them. Nothing is
 * trimmed, and nothing is a comment: names may begin with a space or `#`.
 *
 * @throws SpecError for a line that no path can be
 */
export async function* listLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ListLine> {
  let rest = Buffer.alloc(0);
  let number = 0;
  const lineOf = (bytes: Uint8Array): ListLine | undefined => {
    number += 1;
    if (bytes.length > LINE_BYTES) throw faultIn(number, 'is longer than a path can be');
    const text = new TextDecoder('utf-8', { ignoreBOM: number > 1 }).decode(bytes).replace(/\r$/, '');
    if (text.includes('\0')) throw faultIn(number, 'holds a NUL character');
    return text === '' ? undefined : { text, number };
  };
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      const line = lineOf(Buffer.concat([rest, chunk.subarray(begin, end)]));
      rest = Buffer.alloc(0);
      begin = end + 1;
      if (line) yield line;
    }
    rest = Buffer.concat([rest, chunk.subarray(begin)]);
    if (rest.length > LINE_BYTES) throw faultIn(number + 1, 'is longer than a path can be');
  }
  const last = rest.length > 0 ? lineOf(rest) : undefined;
  if (last) yield last;
}

/**
 * A line of `filesFrom` as a path below the root: relative to it, or absolute and within it.
 * @throws SpecError for one that leads elsewhere
 */
export function listedPath({ text, number }: ListLine, root: string): string {
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw faultIn(number, `holds ..: ${text}`);
  const path = names.join('/');
  if (!text.startsWith('/')) {
    if (path === '') throw faultIn(number, `is the source itself: ${text}`);
    return path;
  }
  const absolute = `/${path}`;
  if (!isWithin(absolute, root)) throw faultIn(number, `does not lie in the source ${root}: ${text}`);
  const below = root === '/' ? path : absolute.slice(root.length + 1);
  if (below === '') throw faultIn(number, `is the source itself: ${text}`);
  return below;
}

export function faultIn(number: number, what: string): SpecError {
  return new SpecError(`line ${number} of the list ${what}`, 'nothing was copied: mend the list');
}
