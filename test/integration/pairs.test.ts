import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { TwoClusters } from '../support/two-clusters.ts';

/** Jobs whose files and directories go each to a place of its own. */

const bed = inject('bed');

function pairsFile(...pairs: readonly (readonly [string, string])[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-pairs-')), 'pairs.csv');
  const field = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  writeFileSync(file, `\uFEFF${pairs.map((pair) => pair.map(field).join(',')).join('\r\n')}\r\n`);
  return file;
}

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `pairs-${name}`);
  const { a, root } = pair;
  await a.put(`${root}/wh/db/table/dt=1/part-0`, 'rows');
  await a.mkdirs(`${root}/wh/db/table/dt=2`);
  await a.put(`${root}/meta/v1, "old".json`, 'metadata');
  await a.put(`${root}/meta/v2.json`, 'more metadata');
  const run = (file: string, ...flags: string[]) =>
    pair.run(['copy', '--force', '--silent', ...flags, '--pairs', file, 'A:/', 'B:/']);
  return { pair, root, run, a, b: pair.b };
}

describe.concurrent('pairs', () => {
  test('copy files and directories, each to its own place, and nothing when they are copied again', async () => {
    const { b, root, run } = await scene('kinds');
    const file = pairsFile(
      [`${root}/wh/db/table`, `${root}/new/tables/t`],
      [`${root}/meta/v1, "old".json`, `${root}/new/meta/1, "1".json`],
      [`hdfs://somewhere:8020${root}/meta/v2.json`, `hdfs://else${root}/elsewhere/deep/2.json`],
      [`${root}/wh/db/table`, `${root}/new/tables/t`],
    );
    const dry = await run(file, '--dry-run');
    expect(dry.stdout.split('\n').filter((line) => line.startsWith('copy '))).toHaveLength(3);
    expect(await b.exists(`${root}/new`)).toBe(false);
    const { code, stderr, status } = await run(file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': 3, Outcome: 'Successful' });
    expect(Object.keys(await b.tree(root))).toEqual([
      '/elsewhere/',
      '/elsewhere/deep/',
      '/elsewhere/deep/2.json',
      '/new/',
      '/new/meta/',
      '/new/meta/1, "1".json',
      '/new/tables/',
      '/new/tables/t/',
      '/new/tables/t/dt=1/',
      '/new/tables/t/dt=1/part-0',
      '/new/tables/t/dt=2/',
    ]);
    expect((await run(file)).status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': 3 });
  });

  test('may name what is not there: it fails, and the rest is copied', async () => {
    const { b, root, run } = await scene('missing');
    const file = pairsFile([`${root}/meta/v9.json`, `${root}/9`], [`${root}/meta/v2.json`, `${root}/2`]);
    const { code, status } = await run(file);
    expect({ code, ...status }).toMatchObject({ code: 1, 'Files Copied': 1, 'Files Failed': 1 });
    expect(await b.exists(`${root}/2`)).toBe(true);
  });

  test('keep attributes, and directories on the way let in nobody whom the source shuts out', async () => {
    const { a, b, root, run } = await scene('rights');
    await a.call('PUT', 'SETPERMISSION', `${root}/meta`, { permission: '770' });
    await a.call('PUT', 'SETPERMISSION', `${root}/meta/v2.json`, { permission: '640' });
    const file = pairsFile([`${root}/meta/v2.json`, `${root}/new/2`], [`${root}/wh/db`, `${root}/db`]);
    const { code } = await run(file, '--preserve');
    expect(code).toBe(0);
    const permission = async (path: string) => (await b.status(root + path)).permission;
    expect([await permission('/new'), await permission('/new/2')]).toEqual(['700', '640']);
    const [here, there] = await Promise.all([a.status(`${root}/wh/db`), b.status(`${root}/db`)]);
    expect(there.modificationTime).toBe(here.modificationTime);
  });

  test('are chosen from as other sources are', async () => {
    const { b, root, run } = await scene('chosen');
    const file = pairsFile([`${root}/meta/v2.json`, `${root}/2`], [`${root}/wh`, `${root}/copy`]);
    const { code, status } = await run(file, '--exclude', 'v*', '--exclude', 'dt=2');
    expect({ code, filtered: status['Filtered Out'] }).toEqual({
      code: 0,
      filtered: { exclude: 1, 'exclude, directories': 1 },
    });
    expect(Object.keys(await b.tree(root))).toEqual([
      '/copy/',
      '/copy/db/',
      '/copy/db/table/',
      '/copy/db/table/dt=1/',
      '/copy/db/table/dt=1/part-0',
    ]);
  });
});

describe.concurrent('pairs are refused, and nothing is made', () => {
  test.each<[string, (root: string) => [string, string][], number, string]>([
    [
      'two',
      (root) => [
        [`${root}/a`, `${root}/x`],
        [`${root}/b`, `${root}/x`],
      ],
      3,
      'two pairs write into one place',
    ],
    [
      'nested',
      (root) => [
        [`${root}/a`, `${root}/x/y`],
        [`${root}/b`, `${root}/x`],
      ],
      3,
      'two pairs write into one place',
    ],
    ['outside', (root) => [[`${root}/a`, '/other/place']], 3, 'pair 1: /other/place does not lie in the destination'],
    ['relative', () => [['a', '/b']], 2, '"a" is not absolute'],
    ['dots', (root) => [[`${root}/a`, `${root}/../b`]], 2, 'holds ..'],
    ['kind', (root) => [[`${root}/meta/v2.json`, `${root}/there`]], 3, 'is a directory and its source'],
  ])('%s', async (name, pairs, code, says) => {
    const { pair, b, root } = await scene(`refused-${name}`);
    await b.mkdirs(`${root}/there`);
    const args = ['copy', '--force', '--silent', '--pairs', pairsFile(...pairs(root)), `A:${root}`, `B:${root}`];
    await pair.expectRefused(args, { code, says: [says] });
  });

  test('in one cluster, also under two names, where one writes into what another reads', async () => {
    const { pair, a, root } = await scene('refused-crossing');
    const conf = pair.conf({ A2: { url: bed.a.replace('localhost', '127.0.0.1') } });
    const [table, meta] = [`${root}/wh/db/table`, `${root}/meta`];
    const before = await a.tree(root);
    for (const file of [
      pairsFile([table, meta], [meta, table]),
      pairsFile([table, meta], [meta, `${root}/c`]),
      pairsFile([table, `${meta}/new`], [meta, `${root}/c`]),
      pairsFile([`${meta}/v2.json`, `${meta}/v1, "old".json`], [`${meta}/v1, "old".json`, `${root}/c`]),
    ]) {
      for (const [flag = '', to = ''] of [
        ['--force', 'A:/'],
        ['--dry-run', 'A2:/'],
      ]) {
        const args = ['copy', flag, '--silent', '--pairs', file, 'A:/', to];
        await pair.expectRefused(args, { code: 3, says: ['and would write into', 'copy them in two jobs'], conf });
      }
    }
    expect(await a.tree(root)).toEqual(before);
    const apart = await pair.run(
      ['copy', '--force', '--silent', '--pairs', pairsFile([table, meta], [meta, table]), 'A:/', 'B:/'],
      { conf },
    );
    expect({ code: apart.code, stderr: apart.stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('with a list, or flattened', async () => {
    const { pair, root } = await scene('refused-both');
    const file = pairsFile([`${root}/a`, `${root}/b`]);
    await pair.expectRefused(['copy', '--pairs', file, '--files-only', 'A:/', 'B:/'], {
      code: 2,
      says: ['options.pairs and options.filesOnly both say where files go'],
    });
  });
});
