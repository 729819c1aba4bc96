import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from '../../shared/storage/storage.ts';
import { allOf, errorOf, get, never, put } from '../support/files.ts';
import { complete, type OpenStorage, storages } from '../support/storages.ts';

describe.each(storages)('$name: rename, delete, make directories', ({ open, replacesAtOnce }) => {
  let opened: OpenStorage;
  beforeAll(async () => {
    opened = await open('names');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  it('renames a file, which keeps its inode', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/from`, 'content');
    const before = await fs.stat(`${root}/from`, never);
    await fs.rename(`${root}/from`, `${root}/to`, false, never);
    expect(await fs.stat(`${root}/from`, never)).toBeUndefined();
    expect((await fs.stat(`${root}/to`, never))?.fileId).toBe(before?.fileId);
    expect((await get(fs, `${root}/to`, 7)).toString()).toBe('content');
  });

  it.runIf(replacesAtOnce)(
    'renames a directory with all that is in it, and never into or over another one',
    async () => {
      const { fs, root } = opened;
      const names = async (path: string) => (await allOf(fs.list(path, never))).flat().map(({ name }) => name);
      await fs.makeDirectory(`${root}/dir from/deep`, undefined, never);
      await put(fs, `${root}/dir from/deep/file`, 'content');
      await fs.makeDirectory(`${root}/dir empty`, undefined, never);
      const before = await fs.stat(`${root}/dir from`, never);
      const error = await errorOf(fs.rename(`${root}/dir from`, `${root}/dir empty`, false, never));
      expect(error).toMatchObject({ name: 'StorageError', code: 'exists' });
      expect(await names(`${root}/dir empty`)).toEqual([]);
      await fs.rename(`${root}/dir from`, `${root}/dir empty/to`, false, never);
      expect(await fs.stat(`${root}/dir from`, never)).toBeUndefined();
      expect((await fs.stat(`${root}/dir empty/to`, never))?.fileId).toBe(before?.fileId);
      expect(await names(`${root}/dir empty/to/deep`)).toEqual(['file']);
      const missing = await errorOf(fs.rename(`${root}/dir empty/to`, `${root}/no such/to`, false, never));
      expect(missing).toMatchObject({ name: 'StorageError', code: 'not-found' });
      expect(await names(`${root}/dir empty`)).toEqual(['to']);
    },
  );

  it(`${replacesAtOnce ? 'replaces' : 'does not replace'} an existing file when told to`, async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/new`, 'new');
    await put(fs, `${root}/old`, 'the old one');
    expect(await fs.replacesAtOnce?.(root, never)).toBe(replacesAtOnce);
    const renaming = fs.rename(`${root}/new`, `${root}/old`, true, never);
    if (!replacesAtOnce) {
      expect(await errorOf(renaming)).toMatchObject({ name: 'StorageError', code: 'exists' });
      expect((await get(fs, `${root}/new`, 3)).toString()).toBe('new');
      expect((await get(fs, `${root}/old`, 11)).toString()).toBe('the old one');
      return;
    }
    await renaming;
    expect(await fs.stat(`${root}/new`, never)).toBeUndefined();
    expect((await get(fs, `${root}/old`, 3)).toString()).toBe('new');
  });

  it('renames to a free name whether it may overwrite or not', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/source`, 'x');
    await fs.rename(`${root}/source`, `${root}/free`, true, never);
    expect(await fs.stat(`${root}/free`, never)).toMatchObject({ lengthBytes: 1 });
  });

  it('refuses to rename over an existing file unless told to, and both stay', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/mine`, 'mine');
    await put(fs, `${root}/theirs`, 'theirs');
    const error = await errorOf(fs.rename(`${root}/mine`, `${root}/theirs`, false, never));
    expect(error).toMatchObject({ name: 'StorageError', code: 'exists', disposition: 'fail-unit' });
    expect((await get(fs, `${root}/mine`, 4)).toString()).toBe('mine');
    expect((await get(fs, `${root}/theirs`, 6)).toString()).toBe('theirs');
  });

  it.each([true, false])('refuses to rename to the name of a directory (overwrite: %s)', async (overwrite) => {
    const { fs, root } = opened;
    await put(fs, `${root}/staying-${overwrite}`, 'x');
    await fs.makeDirectory(`${root}/directory-${overwrite}`, undefined, never);
    await errorOf(fs.rename(`${root}/staying-${overwrite}`, `${root}/directory-${overwrite}`, overwrite, never));
    expect(await fs.stat(`${root}/staying-${overwrite}`, never)).toMatchObject({ kind: 'file' });
    expect((await allOf(fs.list(`${root}/directory-${overwrite}`, never))).flat()).toEqual([]);
  });

  it.each([true, false])('says not-found when there is nothing to rename (overwrite: %s)', async (overwrite) => {
    const { fs, root } = opened;
    const error = await errorOf(fs.rename(`${root}/missing`, `${root}/anything`, overwrite, never));
    expect(error).toMatchObject({ name: 'StorageError', code: 'not-found' });
  });

  it('says not-found when there is no directory to rename into', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/staying`, 'x');
    const error = await errorOf(fs.rename(`${root}/staying`, `${root}/missing/name`, true, never));
    expect(error).toMatchObject({ name: 'StorageError', code: 'not-found' });
    expect(await fs.stat(`${root}/staying`, never)).toBeDefined();
  });

  it('tells whether there was a file to delete', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/deleted`, 'x');
    expect(await fs.delete(`${root}/deleted`, never)).toBe(true);
    expect(await fs.delete(`${root}/deleted`, never)).toBe(false);
    expect(await fs.delete(`${root}/missing/below`, never)).toBe(false);
    expect(await fs.stat(`${root}/deleted`, never)).toBeUndefined();
  });

  it('does not delete a directory that holds something', async () => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/full`, undefined, never);
    await put(fs, `${root}/full/file`, 'x');
    expect(await errorOf(fs.delete(`${root}/full`, never))).toMatchObject({ name: 'StorageError' });
    expect(await fs.stat(`${root}/full/file`, never)).toBeDefined();
  });

  it('makes a directory and its missing parents', async () => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/a/b/c`, '711', never);
    expect(await fs.stat(`${root}/a/b/c`, never)).toMatchObject({ kind: 'directory', permission: '711' });
    expect(await fs.stat(`${root}/a/b`, never)).toMatchObject({ kind: 'directory' });
  });

  it('leaves a directory that exists as it is', async () => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/twice`, '755', never);
    await fs.makeDirectory(`${root}/twice`, '700', never);
    expect(await fs.stat(`${root}/twice`, never)).toMatchObject({ permission: '755' });
  });

  it('does not make a directory where a file stands', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/in the way`, 'x');
    const error = await errorOf(fs.makeDirectory(`${root}/in the way`, undefined, never));
    expect(error).toMatchObject({ name: 'StorageError', disposition: 'fail-unit' });
    const below = await errorOf(fs.makeDirectory(`${root}/in the way/below`, undefined, never));
    expect(below).toMatchObject({ code: 'not-a-directory', disposition: 'fail-unit' });
  });

  it('makes paths absolute and normal', () => {
    const { fs } = opened;
    expect(fs.resolve('/a//b/./c/../d/')).toBe('/a/b/d');
    expect(fs.resolve('/')).toBe('/');
    expect(fs.resolve('relative')).toMatch(/^\/.*relative$/);
    expect(fs.resolve('/with space/and\\backslash*')).toBe('/with space/and\\backslash*');
  });

  it('says that its own user may write', async () => {
    const requireWritable = async (directory: string) => opened.fs.requireWritable?.(directory, never);
    await expect(requireWritable(opened.root)).resolves.toBeUndefined();
    expect(await errorOf(requireWritable(`${opened.root}/missing`))).toMatchObject({
      code: 'not-found',
    });
  });
});

describe.each(storages.filter(({ refuses }) => refuses))('$name as a user who may nothing', ({ open }) => {
  let opened: OpenStorage;
  let own: OpenStorage;
  let mallory: Required<Storage>;
  beforeAll(async () => {
    opened = await open('denied');
    own = await open('denied', { user: 'mallory' });
    mallory = complete(own).fs;
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/closed`, '700', never);
    await put(fs, `${root}/closed/file`, 'secret', { overwrite: true });
    await put(fs, `${root}/unreadable`, 'secret', { overwrite: true, permission: '600' });
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  });

  it('finds nothing below a file, which the namenode tells it in another way than the superuser', async () => {
    expect(await mallory.stat(`${opened.root}/unreadable/below`, never)).toBeUndefined();
  });

  it.each<[string, (root: string) => Promise<unknown>]>([
    ['stat below a closed directory', (root) => mallory.stat(`${root}/closed/file`, never)],
    ['list a closed directory', (root) => allOf(mallory.list(`${root}/closed`, never))],
    ['read', (root) => get(mallory, `${root}/unreadable`, 6)],
    ['ask for a checksum', (root) => mallory.checksums.stored(`${root}/unreadable`, never)],
    ['write', (root) => put(mallory, `${root}/new`, 'x')],
    ['rename', (root) => mallory.rename(`${root}/unreadable`, `${root}/taken`, true, never)],
    ['delete', (root) => mallory.delete(`${root}/unreadable`, never)],
    ['make a directory', (root) => mallory.makeDirectory(`${root}/new.d`, undefined, never)],
    ['set a permission', (root) => mallory.posix.setPermission(`${root}/unreadable`, '777', never)],
    ['set an owner', (root) => mallory.hadoop.setOwner(`${root}/unreadable`, 'mallory', 'mallory', never)],
    ['set times', (root) => mallory.posix.setTimes(`${root}/unreadable`, 1, undefined, never)],
    ['ask whether it may write', (root) => mallory.requireWritable(root, never)],
  ])('is denied to %s, once and for this file only', async (_what, work) => {
    const error = await errorOf(work(opened.root));
    expect(error).toMatchObject({ name: 'StorageError', code: 'denied', disposition: 'fail-unit' });
    expect((error as Error).message).toContain('user=mallory');
    expect((error as Error).message).not.toContain('\n');
  });
});
