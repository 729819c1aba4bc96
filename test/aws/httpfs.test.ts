import { beforeAll, expect, inject, test } from 'vitest';
import { makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'fanout-httpfs');
  await cloud.push({ httpfs: { url: bed.httpFs } });
});

test('a tree comes from an HttpFS and goes to one, each time byte for byte, and is equal the second time', async () => {
  const { a, b, root } = pair;
  await makeOddTree(a, `${root}/tree`);
  const tree = await a.tree(`${root}/tree`);
  for (const [from, to, where, target] of [
    ['httpfs', 'B', b, 'tree'],
    ['B', 'httpfs', a, 'again'],
  ] as const) {
    for (const count of ['Files Copied', 'Files Skipped'] as const) {
      const args = ['start', '--wait', '--exact', `${from}:${root}/tree`, `${to}:${root}/${target}`];
      const done = await cloud.run(...args);
      expect(done.code, done.stderr).toBe(0);
      expect(done.status[count]).toBe(done.status['Files Expected']);
    }
    expect(await where.tree(`${root}/${target}`)).toEqual(tree);
  }
});
