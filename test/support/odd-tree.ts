import { createCipheriv, createHash } from 'node:crypto';
import type { TestHdfs } from './hdfs.ts';

const MIB = 1024 * 1024;

/** Names that some client or server somewhere gets wrong. HDFS itself refuses only `/`, `:`, `.` and `..`. */
export const oddNames = [
  'percent%',
  'percent%25encoded',
  'plus+plus',
  'dt=2024-01-01',
  'semi;colon',
  'hash#tag',
  'question?mark',
  'amper&sand',
  'back\\slash',
  'comma,comma',
  ' leading and trailing space ',
  `quotes'"\``,
  'new\nline',
  'tab\there',
  'emoji 😀 ünïcödé',
  '{brace}[bracket](paren)*star',
  '.hidden',
  '~tilde$dollar!bang@at^caret|pipe',
  'n'.repeat(255),
  'é'.repeat(127),
] as const;

/** Block sizes of the shared bed: A 1 MiB, B 4 MiB. Lengths that fall on, before and after the edges of blocks and chunks. */
const lengths = [0, 1, 511, 512, 513, MIB - 1, MIB, MIB + 1, 3 * MIB, 4 * MIB, 5 * MIB + 77];

/** Bytes that differ for each seed and are the same in each run. */
export function content(seed: string, length: number): Buffer {
  const block = createHash('sha512').update(seed).digest();
  return Buffer.alloc(length, block).fill(
    createHash('md5').update(`${seed}${length}`).digest(),
    Math.max(0, length - 16),
  );
}

/** Content of which no two ranges are the same. */
export function varied(seed: string, length: number): Buffer {
  const key = createHash('md5').update(seed).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A tree with every odd name as a file and as a directory, every length, an empty directory and a deep one. */
export async function makeOddTree(hdfs: TestHdfs, root: string): Promise<void> {
  await hdfs.mkdirs(`${root}/empty directory`);
  const puts = [
    ...oddNames.map((name) => () => hdfs.put(`${root}/${name}`, name)),
    ...oddNames.map((name) => () => hdfs.put(`${root}/directories/${name}/${name}`, name.toUpperCase())),
    ...lengths.map((length) => () => hdfs.put(`${root}/lengths/${length}`, content(`${length}`, length))),
    () => hdfs.put(`${root}/small blocks`, content('small blocks', 10_000), { blocksize: '1024' }),
    () => hdfs.put(`${root}/${Array.from({ length: 40 }, (_, i) => `d${i}`).join('/')}/deep`, 'deep'),
  ];
  for (let i = 0; i < puts.length; i += 8) await Promise.all(puts.slice(i, i + 8).map((put) => put()));
}

/** A few files and directories, where the names are not what is tested. */
export async function makeSmallTree(hdfs: TestHdfs, root: string): Promise<void> {
  await hdfs.mkdirs(`${root}/empty directory`);
  for (const length of [0, 1, 513, MIB + 1]) await hdfs.put(`${root}/a/${length}`, content(`${length}`, length));
  await hdfs.put(`${root}/dt=2024-01-01/percent% ünïcödé`, 'named');
}
