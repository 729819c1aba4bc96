import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { presentIn } from '../../../../shared/plan/absence.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { allOf, never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
let top: string;
const names = Array.from({ length: 2500 }, (_, i) => `part-${String(i).padStart(5, '0')}`);

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-absence-'));
  mkdirSync(join(top, 'empty'));
  for (const name of [...names, '😀', 'é']) writeFileSync(join(top, name), '');
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('looking once more', () => {
  it.each([
    [['part-00000', 'part-02499', 'part-1']],
    [['part-00017x', 'part-01234', 'part-012345']],
    [['é', '😀', '😀😀']],
    [['a']],
    [['part-02499']],
  ])('tells which of %j are there', async (asked) => {
    const sorted = [...asked].sort(disk.order);
    const present = await presentIn(disk, top, sorted, never);
    const there = sorted.filter((name) => [...names, '😀', 'é'].includes(name));
    expect([...(present ?? [])]).toEqual(there.map((name) => [name, 'file']));
  });

  it('lists no more than lies between the names', async () => {
    let entries = 0;
    const counted = decorated(disk, {
      async *list(directory, signal, after) {
        for await (const page of disk.list(directory, signal, after)) {
          entries += page.length;
          yield page;
        }
      },
    });
    await presentIn(counted, top, ['part-00500', 'part-00501'], never);
    expect(entries).toBe(1000);
  });

  it('knows nothing of a directory that is gone', async () => {
    expect(await presentIn(disk, join(top, 'nowhere'), ['a'], never)).toBeUndefined();
    expect(await presentIn(disk, join(top, 'part-00000'), ['a'], never)).toBeUndefined();
    expect(await presentIn(disk, join(top, 'empty'), ['a'], never)).toEqual(new Map());
  });

  it('knows nothing of a directory that is a file by now, which a namenode lists as itself', async () => {
    const [file] = await allOf(disk.list(top, never));
    const listed = decorated(disk, {
      async *list() {
        yield await Promise.resolve((file ?? []).slice(0, 1).map((entry) => ({ ...entry, name: '' })));
      },
    });
    expect(await presentIn(listed, top, ['a'], never)).toBeUndefined();
  });
});
