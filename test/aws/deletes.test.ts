import { beforeAll, expect, inject, test } from 'vitest';
import { inTrash } from '../support/mirror.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'aws-deletes');
});

test(
  'a mirror deletes at its end what the source has not, and no more than it may',
  async () => {
    const { a, b, root } = pair;
    const [source, mirror] = [`${root}/tree`, `${root}/mirror`];
    for (const file of ['a', 'both/b', 'new']) await a.put(`${source}/${file}`, file);
    for (const file of ['a', 'both/b', 'both/extra', 'whole/1', 'whole/2']) await b.put(`${mirror}/${file}`, file);
    const flags = ['--wait', '--exact', '--delete', '--max-delete', '2'];
    const braked = await cloud.run('start', ...flags, `A:${source}`, `B:${mirror}`);
    expect(braked.code, braked.stderr).toBe(3);
    expect(braked.stderr).toContain("3 of the destination's 6 files would be deleted, more than the limit of 2");
    expect(braked.status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': 2, 'Files Deleted': 0 });
    const again = await cloud.run('retry', braked.status.Job, '--wait', '--max-delete', '50%');
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 3, 'Size Deleted': 24 });
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
    expect(Object.keys(await b.tree(inTrash(mirror)))).toEqual([
      '/both/',
      '/both/extra',
      '/whole/',
      '/whole/1',
      '/whole/2',
    ]);
  },
  5 * MINUTES,
);
