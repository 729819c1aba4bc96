import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { resolveMapping } from '../../../../shared/plan/mapping.ts';
import { refuseSameTree } from '../../../../shared/plan/same-tree.ts';
import { errorOf, never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-pairs-'));
afterAll(() => rmSync(top, { recursive: true }));
for (const file of ['a', 'b', 'd/x/1', 'e/x/1', 'e/y/1']) {
  mkdirSync(dirname(join(top, file)), { recursive: true });
  writeFileSync(join(top, file), file);
}

const map = (pairs: readonly (readonly [string, string])[], existing: string) => {
  const options = {
    existing,
    pairs: pairs.map(([source, destination]) => ({ source: `${top}/${source}`, destination: `${top}/${destination}` })),
  };
  return resolveMapping(
    parseJobSpec({ source: 'local:/', destination: 'local:/', options }),
    ['/'],
    '/',
    disk,
    disk,
    never,
  );
};

describe('pairs of one file system, of which one would write into what another reads, are refused', () => {
  it.each<[string, [string, string][], string[]]>([
    [
      'two files that change places',
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      ['a', 'b'],
    ],
    [
      'a chain',
      [
        ['b', 'c'],
        ['a', 'b'],
      ],
      ['a', 'b'],
    ],
    [
      'a chain of which a link is not there yet',
      [
        ['a', 'new'],
        ['new', 'c'],
      ],
      ['a', 'new'],
    ],
    [
      'a directory into another one',
      [
        ['d', 'e/new'],
        ['e', 'f'],
      ],
      ['d', 'e/new'],
    ],
    [
      'a directory over a part of another one',
      [
        ['d', 'e'],
        ['e/x', 'f'],
      ],
      ['d', 'e'],
    ],
  ])('%s', async (_, pairs, [source, destination]) => {
    const error = await errorOf(map(pairs, 'update'));
    expect(error).toMatchObject({ name: 'RefusedError' });
    expect((error as Error).message).toContain(
      `${top}/${source} is copied to ${top}/${destination}, and would write into`,
    );
    expect((error as Error).message).toContain('copy them in two jobs');
  });

  it('and those that meet nowhere are taken', async () => {
    const beside = await map(
      [
        ['d', 'e'],
        ['e/y', 'f'],
        ['a', 'g'],
      ],
      'update',
    );
    expect(beside).toHaveLength(3);
  });

  it('and those that may replace files only from now on', async () => {
    const roots = await map(
      [
        ['d', 'e'],
        ['e/x', 'f'],
      ],
      'skip',
    );
    const both = { source: disk, destination: disk, makeProbe: true };
    await refuseSameTree({ ...both, mayReplace: false }, roots, never);
    await expect(refuseSameTree({ ...both, mayReplace: true }, roots, never)).rejects.toThrow('would write into');
  });
});
