import { createHash } from 'node:crypto';
import { type Seen, seen } from './attributes.ts';
import type { TestHdfs, TestStatus } from './hdfs.ts';

/** All that two trees are to have in common. */
export interface Whole extends Seen {
  readonly kind: 'file' | 'directory';
  readonly lengthBytes: number;
  /** SHA-256 of what OPEN gives. */
  readonly hash: string;
  /** 0 where it holds for nothing: of directories and of empty files. */
  readonly blockBytes: number;
}

/** An entry of the tree, by its path below the root; that of the root is empty. */
export type WholeTree = ReadonlyMap<string, Whole>;

const AT_ONCE = 16;

/** What a listing tells of a tree, the root too. */
export async function listedTree(hdfs: TestHdfs, root: string): Promise<Map<string, TestStatus>> {
  const found = new Map([['', await hdfs.status(root)]]);
  for (const [path, { type }] of found) {
    if (type !== 'DIRECTORY') continue;
    for (const entry of await hdfs.list(root + path)) found.set(`${path}/${entry.pathSuffix}`, entry);
  }
  return found;
}

/** Everything of a tree, the root too, as the server tells it; asked by the client of the tests. */
export async function wholeTree(hdfs: TestHdfs, root: string): Promise<WholeTree> {
  const found = [...(await listedTree(hdfs, root))].sort(([one], [other]) => (one < other ? -1 : 1));
  const whole: [string, Whole][] = [];
  for (let i = 0; i < found.length; i += AT_ONCE) {
    const some = found
      .slice(i, i + AT_ONCE)
      .map(async ([path, status]): Promise<[string, Whole]> => [path, await entry(hdfs, root + path, status)]);
    whole.push(...(await Promise.all(some)));
  }
  return new Map(whole);
}

async function entry(hdfs: TestHdfs, path: string, status: TestStatus): Promise<Whole> {
  const isFile = status.type === 'FILE';
  const [bytes, { xattrs, ...attributes }] = await Promise.all([
    isFile && status.length > 0 ? hdfs.get(path) : undefined,
    seen(hdfs, path, status),
  ]);
  return {
    ...attributes,
    // In whatever order they were set.
    xattrs: Object.fromEntries(Object.entries(xattrs).sort()),
    kind: isFile ? 'file' : 'directory',
    lengthBytes: bytes?.length ?? 0,
    hash: bytes ? createHash('sha256').update(bytes).digest('hex') : '',
    blockBytes: bytes ? status.blockSize : 0,
  };
}

/** What of two trees differs, a line for each path. */
export function differences(source: WholeTree, destination: WholeTree): string[] {
  const paths = [...new Set([...source.keys(), ...destination.keys()])].sort();
  return paths.flatMap((path) => {
    const [one, other] = [source.get(path), destination.get(path)];
    if (!one || !other) return [`${JSON.stringify(path)} is only at the ${one ? 'source' : 'destination'}`];
    const keys = (Object.keys(one) as (keyof Whole)[]).filter(
      (key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]),
    );
    return keys.map(
      (key) => `${JSON.stringify(path)} ${key}: ${JSON.stringify(one[key])} became ${JSON.stringify(other[key])}`,
    );
  });
}

export const hasSameContent = (one: Whole, other: Whole | undefined): boolean =>
  other?.kind === one.kind && other.lengthBytes === one.lengthBytes && other.hash === one.hash;
