import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namenodeOrder } from '../../shared/storage/order.ts';
import type { FileStatus } from '../../shared/storage/storage.ts';
import { compareSignedBytes } from '../support/signed-bytes.ts';
import { oddNames } from '../support/odd-tree.ts';
import { allOf, errorOf, never, put } from '../support/files.ts';
import { type OpenStorage, storages } from '../support/storages.ts';

describe.each(storages)('$name: stat and list', ({ open, listsInPages }) => {
  let opened: OpenStorage;
  beforeAll(async () => {
    opened = await open('listing');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const names = async (directory: string, after?: string) => (await entries(directory, after)).map(({ name }) => name);
  const entries = async (directory: string, after?: string) => {
    const found: FileStatus[] = [];
    for await (const page of opened.fs.list(directory, never, after)) found.push(...page);
    return found;
  };

  it('finds nothing under a name that is missing, nor below a file', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/file`, 'x');
    expect(await fs.stat(`${root}/missing`, never)).toBeUndefined();
    expect(await fs.stat(`${root}/missing/below`, never)).toBeUndefined();
    expect(await fs.stat(`${root}/file/below`, never)).toBeUndefined();
  });

  it('tells what an entry is', async () => {
    const { fs, root } = opened;
    const before = Date.now();
    await put(fs, `${root}/status`, 'twelve bytes', { permission: '640' });
    await fs.makeDirectory(`${root}/status.d`, '750', never);
    expect(await fs.stat(`${root}/status`, never)).toMatchObject({
      name: 'status',
      kind: 'file',
      lengthBytes: 12,
      permission: '640',
      hasAcl: false,
      encrypted: false,
      stripe: undefined,
      modifiedAtMs: expect.closeTo(before, -5) as number,
      fileId: expect.any(Number) as number,
    });
    expect(await fs.stat(`${root}/status.d`, never)).toMatchObject({
      name: 'status.d',
      kind: 'directory',
      lengthBytes: 0,
      permission: '750',
    });
  });

  it('tells its order of names by identity, so that listings of one order are merged as they come', () => {
    expect(opened.fs.order).toBe(namenodeOrder);
    expect(opened.fs.order).toBe(opened.fs.order);
  });

  it('lists the same as it stats', async () => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/same/directory`, undefined, never);
    await put(fs, `${root}/same/file`, 'content');
    const listed = await entries(`${root}/same`);
    const stated = await Promise.all(listed.map(({ name }) => fs.stat(`${root}/same/${name}`, never)));
    expect(listed.map(({ name }) => name)).toEqual(['directory', 'file']);
    expect(listed).toEqual(stated);
  });

  it('orders names by their UTF-8 bytes taken as signed, as the namenode does', async () => {
    const { fs, root } = opened;
    const some = ['b', 'a', 'B', 'a.b', 'a!', 'a0', '~', 'é', 'z', '\uffee', '\ue000', '😀', '𝒜', 'ab', '漢'];
    await Promise.all(some.map((name) => fs.makeDirectory(`${root}/order/${name}`, undefined, never)));
    const byBytes = some.toSorted(compareSignedBytes);
    expect(byBytes).not.toEqual(some.toSorted());
    expect(await names(`${root}/order`)).toEqual(byBytes);
  });

  it('goes on after a name, whether there is such a name or not', async () => {
    const { fs, root } = opened;
    for (const name of ['a', 'b', 'd']) await fs.makeDirectory(`${root}/after/${name}`, undefined, never);
    expect(await names(`${root}/after`, 'a')).toEqual(['b', 'd']);
    expect(await names(`${root}/after`, 'c')).toEqual(['d']);
    expect(await names(`${root}/after`, 'd')).toEqual([]);
  });

  it('lists a large directory in pages, each name once', async () => {
    const { fs, root } = opened;
    const many = Array.from({ length: 1050 }, (_, index) => `n${String(index).padStart(4, '0')}`);
    for (let i = 0; i < many.length; i += 64) {
      const some = many.slice(i, i + 64);
      await Promise.all(some.map((name) => fs.makeDirectory(`${root}/many/${name}`, undefined, never)));
    }
    const sizes: number[] = [];
    for await (const page of fs.list(`${root}/many`, never)) sizes.push(page.length);
    expect(sizes).toEqual(listsInPages ? [1000, 50] : [1050]);
    expect(await names(`${root}/many`)).toEqual(many);
    expect(await names(`${root}/many`, 'n0020')).toEqual(many.slice(21));
  });

  it('lists odd names as they are', async () => {
    const { fs, root } = opened;
    await Promise.all(oddNames.map((name) => fs.makeDirectory(`${root}/odd/${name}`, undefined, never)));
    expect(new Set(await names(`${root}/odd`))).toEqual(new Set(oddNames));
  });

  it('lists nothing in an empty directory', async () => {
    await opened.fs.makeDirectory(`${opened.root}/empty`, undefined, never);
    expect(await names(`${opened.root}/empty`)).toEqual([]);
  });

  it('says not-found of a directory that is missing', async () => {
    expect(await errorOf(names(`${opened.root}/missing`))).toMatchObject({
      name: 'StorageError',
      code: 'not-found',
      where: { path: `${opened.root}/missing` },
    });
  });

  it('stops with the reason of its signal', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    stop.abort(reason);
    expect(await errorOf(opened.fs.stat(opened.root, stop.signal))).toBe(reason);
    expect(await errorOf(allOf(opened.fs.list(opened.root, stop.signal)))).toBe(reason);
  });
});
