import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Crash, crash, crashOfCopiers, crashTree, interruption, makeCrashTree } from '../support/crash.ts';
import { TestHdfs } from '../support/hdfs.ts';

const bed = inject('bed');
const b = new TestHdfs(bed.b);
let source: Record<string, string>;

beforeAll(async () => {
  source = await makeCrashTree(new TestHdfs(bed.a));
});

/** Random moments, one in each of equal parts of the copy, told in the titles so that a failure can be run again. */
const moments = (count: number) => Array.from({ length: count }, (_, i) => ((i + Math.random()) / count).toFixed(3));

async function expectWhole(destination: string, { last, partial, polls, left }: Crash): Promise<void> {
  expect({ code: last.code, stderr: last.stderr }).toEqual({ code: 0, stderr: '' });
  expect(partial).toEqual([]);
  expect(polls).toBeGreaterThan(2);
  expect(left).toEqual([]);
  // Temporary files would show as names that the source does not have.
  expect(await b.tree(destination)).toEqual(source);
  expect(last.status).toMatchObject({
    Outcome: 'Successful',
    'Files Expected': crashTree.files,
    'Files Copied': crashTree.files,
    'Files Skipped': 0,
    'Files Failed': 0,
    'Size Copied': crashTree.bytes,
  });
}

describe.each([1, 2])('a copy by %i processes killed with kill -9 twice and resumed', (copiers) => {
  test.each(moments(3))('at %s of its length ends with equal trees and exact counts', async (moment) => {
    const destination = `/crash-${copiers}-${moment}`;
    await expectWhole(destination, await crash(Number(moment), b, destination, source, copiers, bed.configFile));
  });
});

describe('a copy two of whose copiers are killed with kill -9', () => {
  test.each(moments(3))('at %s of its length goes on by itself, and counts each file once', async (moment) => {
    // What is left of the copy at the last moments is too short to find a second copier in it.
    const share = Number(moment) * 0.6;
    const destination = `/crash-copier-${moment}`;
    await expectWhole(destination, await crashOfCopiers(share, b, destination, source, 2, bed.configFile));
  });
});

describe('a copy by two copiers that is interrupted with Ctrl-C and resumed', () => {
  test.each(moments(1))('at %s of its length ends with equal trees and exact counts', async (moment) => {
    const destination = `/crash-interrupt-${moment}`;
    const share = Number(moment) * 0.8;
    const { first, ...ended } = await interruption(share, b, destination, source, 2, bed.configFile);
    expect(first.code).toBe(130);
    expect(first.status).toMatchObject({ Outcome: 'Interrupted', 'Files Failed': 0 });
    await expectWhole(destination, ended);
  });
});
