import { beforeAll, describe, expect, inject, test } from 'vitest';
import { seen, setAcl, setXattr } from '../support/attributes.ts';
import { realDistCp } from '../support/real-distcp.ts';
import type { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** `hdfs-fanout distcp` leaves behind what Hadoop's own DistCp leaves behind, for the same arguments on the same trees. */

const bed = inject('bed');
const root = '/distcp';

const source: Record<string, string> = {
  'd1/a.txt': 'first',
  'd1/same.txt': 'the same on both sides',
  'd1/sub/b.bin': 'b'.repeat(3000),
  'd1/sub/odd %+;=&name é': 'odd',
  'd1/.hidden': 'begins with a dot',
  'd1/.staging/x': 'in a directory that does',
  'd1/none': '',
  'd2/c.txt': 'second',
  'd2/sub2/d': 'd',
  'd3/a.txt': 'a name that d1 has too',
  f1: 'a file by itself',
  f2: 'another one',
  '.f3': 'one that begins with a dot',
};

/** What stands at the target before. */
const targets: Record<string, Record<string, string> | string | undefined> = {
  missing: undefined,
  empty: {},
  filled: {
    'a.txt': 'other',
    'same.txt': 'the same on both sides',
    'sub/b.bin': 'c'.repeat(3000),
    extra: 'only here',
    'extra-dir/e': 'only here',
    'd1/a.txt': 'older, and longer',
    'd1/more': 'only here',
    f1: 'an older file by itself',
  },
  file: 'an older file',
};

interface Case {
  readonly options: string;
  readonly sources: string;
  readonly target: string;
  /** Letters of -p whose attributes are held against each other. */
  readonly attributes?: string;
  /** Flags of ours that make up for a difference that is meant. */
  readonly ours?: string;
  /** Below the target, a path that is not there yet. */
  readonly deep?: true;
}

const likeDistCp = '--skip-trash --max-delete 100%';

/** What is copied to which target. */
const shapes: Record<string, string[]> = {
  missing: ['d1', 'f1', 'd1 d2', 'd1 f1', 'd1 d3', 'f*', '*'],
  empty: ['d1', 'f1', 'd1 f1'],
  filled: ['d1', 'f1', 'd1 d2', 'd1 f1', 'd1 d3', 'f*', 'd1/*'],
  file: ['d1', 'f1', 'd1 d2'],
};

const cases: Case[] = [
  ...Object.entries(shapes).flatMap(([target, shape]) =>
    ['', '-update', '-overwrite'].flatMap((options) => shape.map((sources) => ({ options, sources, target }))),
  ),
  ...['', '-update'].flatMap((options) =>
    ['d1', 'f1', 'd1 d2'].map((sources) => ({ options, sources, target: 'missing', deep: true as const })),
  ),
  ...['-update', '-overwrite'].map((options) => ({
    options: `${options} -delete`,
    sources: 'd1',
    target: 'filled',
    ours: likeDistCp,
  })),
  { options: '-update -skipcrccheck', sources: 'd1', target: 'filled' },
  ...['-p', '-pugpt', '-pa', '-px', '-pugpax'].flatMap((options) =>
    ['missing', 'filled'].map((target) => ({
      options: `${options} -update -updateRoot`,
      sources: 'd1',
      target,
      // Equal files are not copied once more for a block size of their own.
      attributes: (options.slice(2) || 'rbugpt').replace(target === 'filled' ? 'b' : '', ''),
    })),
  ),
  { options: '-prbt', sources: 'd1', target: 'empty', attributes: 'rbt' },
  { options: '-pugpt', sources: 'd1 f1', target: 'missing', attributes: 'ugpt' },
  { options: '-i -m 3 -bandwidth 50 -strategy dynamic -numListstatusThreads 4', sources: 'd1', target: 'empty' },
  { options: '-useiterator -copybuffersize 4096 -direct', sources: 'd1', target: 'empty' },
  { options: '-blocksperchunk 2', sources: 'd1', target: 'missing' },
];

const name = ({ options, sources, target, deep }: Case) => `${options} ${sources} -> ${target}${deep ? ', deep' : ''}`;

let pair: TwoClusters;
let codes: number[];

const placeOf = (index: number, whose: string) => `${root}/${index}/${whose}/t${cases[index]?.deep ? '/deeper/t' : ''}`;

async function put(hdfs: TestHdfs, path: string, files: Record<string, string> | string): Promise<void> {
  if (typeof files === 'string') return hdfs.put(path, files);
  await hdfs.mkdirs(path);
  for (const [file, content] of Object.entries(files)) await hdfs.put(`${path}/${file}`, content);
}

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'distcp');
  const { a, b } = pair;
  await put(a, `${root}/src`, source);
  await a.mkdirs(`${root}/src/d1/empty/inner`);
  for (const path of ['d1', 'd1/sub', 'd1/sub/b.bin', 'd1/a.txt', 'd1/same.txt', 'f1']) {
    const full = `${root}/src/${path}`;
    await a.call('PUT', 'SETPERMISSION', full, { permission: path.includes('.') ? '640' : '751' });
    await a.call('PUT', 'SETOWNER', full, { owner: 'alice', group: 'sales' });
    await setXattr(a, full, 'user.colour', '"blue"');
  }
  await setAcl(a, `${root}/src/d1/sub`, 'user::rwx,user:bob:r-x,group::r-x,mask::r-x,other::---');
  await setAcl(a, `${root}/src/d1/same.txt`, 'user::rw-,user:bob:r--,group::r--,mask::r--,other::---');
  await a.call('PUT', 'SETREPLICATION', `${root}/src/d1/a.txt`, { replication: '2' });
  for (const path of ['d1/a.txt', 'd1/same.txt', 'd1/sub', 'd1', 'f1']) {
    const times = { modificationtime: '1600000000000', accesstime: '1600000001000' };
    await a.call('PUT', 'SETTIMES', `${root}/src/${path}`, times);
  }
  const seeds = cases.flatMap(({ target, deep }, index) => {
    const files = targets[target];
    return ['theirs', 'ours'].map(async (whose) => {
      await b.mkdirs(`${root}/${index}/${whose}`);
      if (files !== undefined && !deep) await put(b, placeOf(index, whose), files);
    });
  });
  await Promise.all(seeds);
  codes = await realDistCp(
    cases.map(({ options, sources }, index) => [
      ...options.split(' ').filter(Boolean),
      ...sources.split(' ').map((path) => `hdfs://${bed.rpcA}${root}/src/${path}`),
      `hdfs://${bed.rpcB}${placeOf(index, 'theirs')}`,
    ]),
  );
}, 900_000);

describe.concurrent('as DistCp', () => {
  test.each(cases.map((one, index) => [name(one), one, index] as const))('%s', async (_name, one, index) => {
    const { options, sources, ours = '', attributes = '' } = one;
    const result = await pair.run([
      'distcp',
      ...options.split(' ').filter(Boolean),
      '--silent',
      ...ours.split(' ').filter(Boolean),
      ...sources.split(' ').map((path) => `hdfs://A${root}/src/${path}`),
      `hdfs://B${placeOf(index, 'ours')}`,
    ]);
    const { b } = pair;
    expect([result.code === 0, result.stderr], result.stderr).toEqual([codes[index] === 0, result.stderr]);
    const [mine, theirs] = ['ours', 'theirs'].map((whose) => `${root}/${index}/${whose}`);
    const trees = await Promise.all([b.tree(mine ?? ''), b.tree(theirs ?? '')]);
    // DistCp has begun to copy before it finds some faults.
    if (codes[index] === 0) expect(trees[0], result.stderr).toEqual(trees[1]);
    if (codes[index] !== 0) return;
    const copied = await copiedPaths(pair.a, one);
    const kept = await Promise.all([mine, theirs].map((top = '') => attributesIn(b, `${top}/t`, copied, attributes)));
    expect(kept[0], result.stderr).toEqual(kept[1]);
  });
});

/** What the source has, by its path below the target. */
async function copiedPaths(hdfs: TestHdfs, { options, sources }: Case): Promise<string[]> {
  const paths = Object.keys(await hdfs.tree(`${root}/src`)).map((path) => path.replace(/\/$/, ''));
  return options.includes('-updateRoot')
    ? paths.filter((path) => path.startsWith(`/${sources}`)).map((path) => path.slice(sources.length + 1))
    : paths.filter((path) => sources.split(' ').some((one) => `${path}/`.startsWith(`/${one}/`)));
}

/** By path, what the letters of -p carry over, and the permission, which is not to be another one without them. */
async function attributesIn(
  hdfs: TestHdfs,
  target: string,
  paths: readonly string[],
  letters: string,
): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  if (letters === '') return found;
  for (const path of paths) {
    const status = await hdfs.status(target + path);
    const all = await seen(hdfs, target + path, status);
    const chosen: Record<string, unknown> = {
      r: status.replication,
      b: status.blockSize,
      u: all.owner,
      g: all.group,
      p: all.permission,
      t: all.modifiedAtMs,
      a: all.acl,
      x: all.xattrs,
    };
    found[path] = Object.fromEntries(`${letters}p`.split('').map((letter) => [letter, chosen[letter]]));
  }
  return found;
}
