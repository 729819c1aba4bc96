import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { expectOneLine, TwoClusters } from '../support/two-clusters.ts';

/** Which files of a tree are copied, and what becomes of the rest. */

const bed = inject('bed');

const names = [
  'top.csv',
  'top.txt',
  '2024/01/a.csv',
  '2024/01/_SUCCESS',
  '2024/02/b.csv',
  '2025/c.csv',
  'out.csv/part-0',
  '_temporary/0/task',
  '100%/a b,c',
  '😀/two\nlines',
  '-rf/x',
];

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `choosing-${name}`);
  const { a, root } = pair;
  await Promise.all(names.map((path) => a.put(`${root}/tree/${path}`, path)));
  await a.mkdirs(`${root}/tree/empty`);
  const run = (...flags: string[]) =>
    pair.run(['copy', '--exact', '--force', '--silent', ...flags, `A:${root}/tree`, `B:${root}/tree`]);
  const copied = async () => Object.keys(await pair.b.tree(`${root}/tree`)).map((path) => path.slice(1));
  return { pair, root, run, copied, a: pair.a, b: pair.b };
}

const filesIn = (paths: readonly string[]) => paths.filter((path) => !path.endsWith('/')).sort();

describe.concurrent('names', () => {
  test.each<[string, string[], string[], Record<string, number>]>([
    [
      'include-name',
      ['--include', '*.csv'],
      ['top.csv', '2024/01/a.csv', '2024/02/b.csv', '2025/c.csv', 'out.csv/part-0'],
      { include: 6 },
    ],
    [
      'include-path',
      ['--include', '2024/**', '--include=/-rf'],
      ['2024/01/a.csv', '2024/01/_SUCCESS', '2024/02/b.csv', '-rf/x'],
      { include: 2, 'include, directories': 6 },
    ],
    [
      'both',
      ['--include', '*.csv', '--exclude', '2024/02', '--exclude', '/top.*'],
      ['2024/01/a.csv', '2025/c.csv', 'out.csv/part-0'],
      { exclude: 2, 'exclude, directories': 1, include: 5 },
    ],
    [
      'exclude',
      ['--exclude', '_*', '--exclude', '{2024/02,out.csv}/'],
      names.filter((path) => !/_|2024\/02|out/.test(path)),
      { exclude: 1, 'exclude, directories': 3 },
    ],
    ['odd', ['--include', '100%/*,c', '--include', 'two?lines'], ['100%/a b,c', '😀/two\nlines'], { include: 9 }],
    [
      'pattern',
      ['--include-pattern', '*.csv'],
      ['top.csv', '2024/01/a.csv', '2024/02/b.csv', '2025/c.csv'],
      { 'include-pattern': 7 },
    ],
  ])('%s: %j', async (name, flags, expected, filtered) => {
    const { run, copied, root, b } = await scene(name);
    const dry = await run('--dry-run', ...flags);
    const would = dry.stdout.split('\n').filter((line) => line.startsWith('copy '));
    expect(would).toHaveLength(expected.length);
    expect(dry.stdout.split('\n').filter((line) => line.startsWith('filtered '))).toHaveLength(
      Object.values(filtered).reduce((sum, number) => sum + number, 0),
    );
    expect(await b.exists(`${root}/tree`)).toBe(false);
    const { code, status } = await run(...flags);
    expect({ code, ...status }).toMatchObject({ code: 0, 'Files Expected': expected.length, 'Filtered Out': filtered });
    expect(filesIn(await copied())).toEqual([...expected].sort());
  });
});

describe.concurrent('directories', () => {
  test('are made where nothing but excluded ones is missing, empty ones too', async () => {
    const { run, copied } = await scene('minus');
    await run('--exclude', '_temporary', '--exclude', '*.csv');
    const directories = (await copied()).filter((path) => path.endsWith('/'));
    expect(directories).toEqual(['-rf/', '100%/', '2024/', '2024/01/', '2024/02/', '2025/', 'empty/', '😀/']);
  });

  test.each([
    ['--include', '*.txt'],
    ['--max-size', '7'],
    ['--include-pattern', 'top*'],
  ])('are made only where something is copied into them with %s %s', async (...flags) => {
    const { run, copied } = await scene(`picked${flags[0]}`);
    const { code } = await run(...flags);
    expect(code).toBe(0);
    const paths = await copied();
    const needed = new Set(
      filesIn(paths).flatMap((path) =>
        path
          .split('/')
          .slice(0, -1)
          .map((_, i, all) => `${all.slice(0, i + 1).join('/')}/`),
      ),
    );
    expect(paths.filter((path) => path.endsWith('/'))).toEqual([...needed].sort());
  });

  test('get their attributes where they are, and are no loss where they are not', async () => {
    const { a, b, root, run } = await scene('attributes');
    for (const directory of ['2024', '2024/01', '2025'])
      await a.call('PUT', 'SETPERMISSION', `${root}/tree/${directory}`, { permission: '750' });
    await b.mkdirs(`${root}/tree/2025`);
    const { code, status } = await run('--include', '*/*/a.csv', '--preserve');
    expect({ code, ...status }).toMatchObject({ code: 0, 'Files Copied': 1, Outcome: 'Successful', Warnings: {} });
    const permission = async (path: string) => (await b.status(`${root}/tree/${path}`)).permission;
    expect(await Promise.all(['2024', '2024/01', '2025'].map(permission))).toEqual(['750', '750', '750']);
    const [there, here] = await Promise.all([b, a].map((hdfs) => hdfs.status(`${root}/tree/2024/01`)));
    expect(there?.modificationTime).toBe(here?.modificationTime);
  });

  test('that are excluded are not listed, on either side', async () => {
    const { a, b, root, pair } = await scene('unlisted');
    await b.mkdirs(`${root}/tree/2024/01`);
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/_temporary`, { permission: '000' });
    await using source = await FaultProxy.start(bed.a);
    await using destination = await FaultProxy.start(bed.b);
    const conf = pair.conf({ A: { url: source.url }, B: { url: destination.url } });
    const args = [
      '--exact',
      '--preserve',
      '--exclude',
      '2024',
      '--exclude',
      '_temporary/',
      `A:${root}/tree`,
      `B:${root}/tree`,
    ];
    const { code } = await pair.run(['copy', ...args, '--silent'], { conf });
    expect(code).toBe(0);
    const hidden = [...source.requests, ...destination.requests].filter(({ path }) => /2024|_temporary/.test(path));
    expect(hidden).toEqual([]);
  });

  test('that are excluded and cannot be directories at the destination fail nothing', async () => {
    const { b, root, run } = await scene('blocked');
    await b.put(`${root}/tree/2024`, 'a file');
    const { code, status } = await run('--exclude', '2024', '--exclude', '*.csv');
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: 0, failed: 0 });
    expect((await b.get(`${root}/tree/2024`)).toString()).toBe('a file');
  });
});

describe.concurrent('expressions', () => {
  function filtersFile(text: string): string {
    const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-filters-')), 'filters');
    writeFileSync(file, text);
    return file;
  }

  test('leave out the paths that they match as a whole, and look into directories that match', async () => {
    const { root, run, copied } = await scene('filters');
    const file = filtersFile(`\uFEFF.*/_temporary(/.*)?\r\n${root}/tree/2024\r\n\r\n.*\\.(txt|json)\r\n.*/empty\r\n`);
    const { code, status } = await run('--filters', file);
    expect({ code, filtered: status['Filtered Out'] }).toEqual({ code: 0, filtered: { filters: 2 } });
    const paths = await copied();
    expect(filesIn(paths)).toEqual(names.filter((path) => !/_temporary|txt/.test(path)).sort());
    expect(paths.filter((path) => /empty|_temporary/.test(path))).toEqual([]);
  });

  test('that none can be held to are refused with what is wrong, and so is a file that cannot be read', async () => {
    const { pair, root } = await scene('filters-refused');
    const paths = [`A:${root}/tree`, `B:${root}/tree`];
    const refused = (file: string, says: string) =>
      pair.expectRefused(['copy', '--exact', '--filters', file, ...paths], { code: 2, says: [says] });
    await refused(filtersFile('.*\n(?!a)b\n'), 'options.filters[1]: the expression (?!a)b holds a group');
    await refused(filtersFile('hdfs://nn1:8020/data/.*'), 'begins with a scheme');
    await refused('/no/filters', '--filters: /no/filters cannot be read');
  });
});

describe.concurrent('lengths and times', () => {
  test('choose files, the edges as they are documented', async () => {
    const pair = await TwoClusters.make(bed, 'choosing-lengths');
    const { a, b, root } = pair;
    for (const length of [0, 1023, 1024, 2048, 2049])
      await a.put(`${root}/tree/${length}`, content(`${length}`, length));
    const flags = ['--min-size', '1K', '--max-size', '2K', '--exact', '--silent'];
    const { code, status } = await pair.run(['copy', ...flags, `A:${root}/tree`, `B:${root}/tree`]);
    expect({ code, filtered: status['Filtered Out'] }).toEqual({ code: 0, filtered: { 'min-size': 2, 'max-size': 1 } });
    expect(Object.keys(await b.tree(`${root}/tree`))).toEqual(['/1024', '/2048']);
  });

  test('count times back from the start of the job', async () => {
    const pair = await TwoClusters.make(bed, 'choosing-times');
    const { a, b, root } = pair;
    for (const days of [0, 3, 8, 40]) {
      const path = `${root}/tree/${days}`;
      await a.put(path, `${days}`);
      const modificationtime = String(Date.now() - days * 86_400_000);
      await a.call('PUT', 'SETTIMES', path, { modificationtime });
    }
    const flags = ['--modified-after', '9d', '--modified-before', '2d', '--exact', '--silent'];
    const { code, status } = await pair.run(['copy', ...flags, `A:${root}/tree`, `B:${root}/tree`]);
    expect({ code, filtered: status['Filtered Out'] }).toEqual({
      code: 0,
      filtered: { 'modified-after': 1, 'modified-before': 1 },
    });
    expect(Object.keys(await b.tree(`${root}/tree`))).toEqual(['/3', '/8']);
  });
});

test('a source that is a file is chosen by its own name', async () => {
  const { root, pair, b } = await scene('file');
  const args = ['copy', '--silent', '--exclude', '*.txt', `A:${root}/tree/top.*`, `B:${root}`];
  const { code, status } = await pair.run(args);
  expect({ code, copied: status['Files Copied'], filtered: status['Filtered Out'] }).toEqual({
    code: 0,
    copied: 1,
    filtered: { exclude: 1 },
  });
  expect(await b.exists(`${root}/top.csv`)).toBe(true);
});

test('files that are flattened are chosen by where they lie', async () => {
  const { run, copied } = await scene('flat');
  const { code } = await run('--files-only', '--include', '2024/**', '--exclude', '_*');
  expect(code).toBe(0);
  expect(await copied()).toEqual(['a.csv', 'b.csv']);
});

test('an exclude that leaves nothing, as rsync users write it, is refused', async () => {
  const { pair, root } = await scene('refused');
  const paths = [`A:${root}/tree`, `B:${root}/tree`];
  const refused = await pair.expectRefused(['copy', '--include', '*.csv', '--exclude', '*', ...paths], {
    code: 2,
    says: ['options.exclude', 'leaves nothing to copy', 'beside include, all other files are left out'],
  });
  expectOneLine(refused, ['"*"']);
});
