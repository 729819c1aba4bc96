import { beforeAll, describe, expect, inject, test } from 'vitest';
import { makeFiles } from '../bed/make-files.ts';
import { newHome, runCli } from '../support/cli.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content, makeOddTree } from '../support/odd-tree.ts';

const bed = inject('bed');
const a = new TestHdfs(bed.a);
const b = new TestHdfs(bed.b);
const home = newHome();
/** Silent: a slow machine would show progress where nothing but errors is expected. */
const run = (...args: string[]) => runCli([...args, '--silent'], { conf: bed.configFile, home });

describe('a tree with odd names, all lengths, between clusters of different block sizes', () => {
  const root = '/tree';
  let source: Record<string, string>;

  beforeAll(async () => {
    await makeOddTree(a, root);
    source = await a.tree(root);
    await b.mkdirs('/copies');
  });

  test('is the same byte for byte after the copy, empty directories included', async () => {
    const { code, status, stderr } = await run('copy', `A:${root}`, 'B:/copies/tree');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await b.tree('/copies/tree')).toEqual(source);
    const files = Object.keys(source).filter((path) => !path.endsWith('/')).length;
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Files Expected': files,
      'Files Copied': files,
      'Files Failed': 0,
    });
    expect(status.Verified).toEqual({ checksum: files });
    expect(status['Size Copied']).toBe(status['Size Expected']);
  });

  test.each([['--exact'], ['--exact', '--force'], ['--exact', '--preserve', '--force']])(
    'copied again with %s %s copies nothing and says why',
    async (...flags) => {
      const { code, status } = await run('copy', ...flags, `A:${root}`, 'B:/copies/tree');
      expect(code).toBe(0);
      expect(status).toMatchObject({ 'Files Copied': 0, 'Files Failed': 0, 'Files Skipped': status['Files Expected'] });
      expect(status.Skipped).toEqual({
        'both empty': 1,
        'identical content': status['Files Expected'] - 1,
      });
      expect(await b.tree('/copies/tree')).toEqual(source);
    },
  );

  test('copied again with --force lands one level deeper, as cp does', async () => {
    const { code, status } = await run('copy', '--force', `A:${root}`, 'B:/copies/tree');
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: status['Files Expected'] });
    expect(await b.tree('/copies/tree/tree')).toEqual(source);
    const again = await run('copy', '--force', `A:${root}`, 'B:/copies/tree');
    expect(again.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': status['Files Expected'] });
    await b.remove('/copies/tree/tree');
  });

  test('a file changed in place with its length and modification time kept is found and copied', async () => {
    const path = '/lengths/3145728';
    const { modificationTime, length } = await a.status(root + path);
    const changed = content('changed in place', length);
    await b.put(`/copies/tree${path}`, changed);
    await b.call('PUT', 'SETTIMES', `/copies/tree${path}`, { modificationtime: String(modificationTime) });
    expect((await b.status(`/copies/tree${path}`)).modificationTime).toBe(modificationTime);
    const refused = await run('copy', '--exact', `A:${root}`, 'B:/copies/tree');
    expect({ code: refused.code, failed: refused.status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    expect((await b.get(`/copies/tree${path}`)).equals(changed)).toBe(true);
    const { code, status } = await run('copy', '--exact', '--force', `A:${root}`, 'B:/copies/tree');
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 1 });
    expect(await b.tree('/copies/tree')).toEqual(source);
  });
});

test('a directory that takes six pages to list, most of which is there already, is copied whole', async () => {
  const names = Array.from({ length: 5500 }, (_, i) => `part-${String(i).padStart(5, '0')}`);
  const there = 4500;
  await Promise.all([makeFiles(bed.rpcA, '/wide', names.length), makeFiles(bed.rpcB, '/wide', there)]);
  const filled = names.slice(-50);
  await Promise.all(filled.map((name) => a.put(`/wide/${name}`, name)));
  const { code, status } = await run('copy', '--exact', '--force', '--threads', '16', 'A:/wide', 'B:/wide');
  expect(code).toBe(0);
  expect(status).toMatchObject({
    'Files Expected': names.length,
    'Files Skipped': there,
    'Files Copied': names.length - there,
    'Size Copied': filled.length * 10,
  });
  const copied = await b.list('/wide');
  expect(copied.map(({ pathSuffix }) => pathSuffix)).toEqual(names);
  expect(copied.reduce((sum, { length }) => sum + length, 0)).toBe(500);
  expect((await b.get('/wide/part-05499')).toString()).toBe('part-05499');
}, 900_000);

test('files made by CONCAT and APPEND, whose blocks are irregular, verify and are equal the second time', async () => {
  const block = { blocksize: '1024' };
  await a.put('/irregular/target', content('1', 700), block);
  await a.put('/irregular/part', content('2', 1500), block);
  await a.put('/irregular/tail', content('3', 300), block);
  await a.concat('/irregular/target', ['/irregular/part', '/irregular/tail']);
  await a.put('/irregular/appended', content('4', 1000), block);
  await a.append('/irregular/appended', content('5', 3000));
  const first = await run('copy', '--preserve', 'A:/irregular', 'B:/irregular');
  expect({ code: first.code, verified: first.status.Verified }).toEqual({ code: 0, verified: { checksum: 2 } });
  expect(await b.tree('/irregular')).toEqual(await a.tree('/irregular'));
  const second = await run('copy', '--force', '--exact', 'A:/irregular', 'B:/irregular');
  expect(second.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': 2 });
});
