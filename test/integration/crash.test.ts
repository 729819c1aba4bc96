import { beforeAll, describe, expect, inject, test } from 'vitest';
import { crash, crashTree, makeCrashTree } from '../support/crash.ts';
import { TestHdfs } from '../support/hdfs.ts';

const bed = inject('bed');
const b = new TestHdfs(bed.b);

describe('a copy killed with kill -9 twice and resumed', () => {
  let source: Record<string, string>;

  beforeAll(async () => {
    source = await makeCrashTree(new TestHdfs(bed.a));
  });

  // Random moments, one in each fifth of the copy, told in the title so that a failure can be run again.
  const moments = Array.from({ length: 5 }, (_, i) => ((i + Math.random()) / 5).toFixed(3));

  test.each(moments)('at %s of its length ends with equal trees and exact counts', async (moment) => {
    const destination = `/crash-${moment}`;
    const { last, partial, polls } = await crash(b, destination, source, Number(moment), bed.configFile);
    expect({ code: last.code, stderr: last.stderr }).toEqual({ code: 0, stderr: '' });
    expect(partial).toEqual([]);
    expect(polls).toBeGreaterThan(2);
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
  });
});
