import { describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { listedIn } from '../../../../shared/plan/listing.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';

describe('a decorated storage', () => {
  it('has the order of the inner one', () => {
    expect(decorated(new LocalDisk(65_536), {}).order).toBe(namenodeOrder);
  });

  it('is listed a page at a time', async () => {
    const files = Array.from({ length: 10 }, (_, index) => `/f${index}`);
    const pages: number[] = [];
    const tree = decorated(new ListedTree(files, namenodeOrder, 2), {});
    for await (const page of listedIn(namenodeOrder, tree, '/', never)) pages.push(page.length);
    expect(pages).toEqual([2, 2, 2, 2, 2]);
  });
});
