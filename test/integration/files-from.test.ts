import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { newHome } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { oddNames } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** Jobs that copy what a list names. */

const bed = inject('bed');

function listFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-list-')), 'list');
  writeFileSync(file, text);
  return file;
}

async function scene(name: string, paths: readonly string[] = ['a/1', 'a/2', 'b/d/3', 'b/d/4', 'c', 'unlisted/5']) {
  const pair = await TwoClusters.make(bed, `listed-${name}`);
  const { a, root } = pair;
  await Promise.all(paths.map((path) => a.put(`${root}/tree/${path}`, path)));
  await a.mkdirs(`${root}/tree/empty`);
  const run = (list: string, ...flags: string[]) =>
    pair.run([
      'copy',
      '--exact',
      '--force',
      '--silent',
      ...flags,
      '--files-from',
      list,
      `A:${root}/tree`,
      `B:${root}/tree`,
    ]);
  const copied = async () => Object.keys(await pair.b.tree(`${root}/tree`)).map((path) => path.slice(1));
  return { pair, root, run, copied, a: pair.a, b: pair.b };
}

describe.concurrent('a list', () => {
  test('names files and directories, in any order, more than once, as editors write it', async () => {
    const { run, copied, root } = await scene('kinds');
    const list = listFile(`\uFEFFc\r\nb/d\r\n\r\n./a//1\r\na/1\r\n${root}/tree/empty/\r\nb/d/3`);
    const { code, stderr, status } = await run(list);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Expected': 4, 'Files Copied': 4, Outcome: 'Successful' });
    expect(status).not.toHaveProperty('Filtered Out');
    expect(await copied()).toEqual(['a/', 'a/1', 'b/', 'b/d/', 'b/d/3', 'b/d/4', 'c', 'empty/']);
  });

  test('may name what is not there: each such line is a failed file, and the rest is copied', async () => {
    const { run, copied, root, pair } = await scene('missing');
    const { code, status } = await run(listFile('a/1\na/9\nc/below a file\nx/y\n'));
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Expected': 4, 'Files Copied': 1, 'Files Failed': 3, Outcome: 'Failed' });
    const failures = await pair.run(['status', status.Job, '--failures', '--json']);
    const paths = failures.stdout.split('\n').flatMap((line) => /"path":"([^"]+)"/.exec(line)?.[1] ?? []);
    expect(paths.map((path) => path.slice(root.length)).sort()).toEqual([
      '/tree/a/9',
      '/tree/c/below a file',
      '/tree/x/y',
    ]);
    expect(
      failures.stdout.match(/the list names it, and the source has no such file: once it is there copy again/g),
    ).toHaveLength(3);
    expect(await copied()).toEqual(['a/', 'a/1']);
    // Whatever comes there meanwhile, and whatever is in it, only another job finds.
    await pair.a.mkdirs(`${root}/tree/a/9`);
    await pair.a.put(`${root}/tree/x/y`, 'y');
    const resumed = await pair.run(['copy', '--resume', status.Job, '--silent']);
    expect({ code: resumed.code, ...resumed.status }).toMatchObject({ code: 1, 'Files Copied': 1, 'Files Failed': 3 });
    expect(await copied()).toEqual(['a/', 'a/1']);
  });

  test('holds odd names as they are', async () => {
    const names = oddNames.filter((name) => !name.includes('\n'));
    const { run, copied } = await scene('odd', [...names.flatMap((name) => [name, `d/${name}`]), '-rf', '# comment']);
    const { code, status } = await run(listFile([...names, '-rf', '# comment'].join('\n')));
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: names.length + 2 });
    expect((await copied()).sort()).toEqual([...names, '-rf', '# comment'].sort());
  });

  test('is combined with other choices, which say what they leave out of it', async () => {
    const { run, copied } = await scene('combined');
    const { code, status } = await run(listFile('a\nb/d\n'), '--exclude', '*2', '--max-size', '4');
    expect({ code, filtered: status['Filtered Out'] }).toEqual({ code: 0, filtered: { exclude: 1, 'max-size': 2 } });
    expect(await copied()).toEqual(['a/', 'a/1']);
  });

  test('is shown by a dry run, which says nothing of all other files', async () => {
    const { run, b, root } = await scene('dry');
    const { code, stdout } = await run(listFile('a\nx\n'), '--dry-run');
    expect(code).toBe(1);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['copy', 'copy', 'fail', 'Would:', '']);
    expect(await b.exists(`${root}/tree`)).toBe(false);
  });

  test('keeps a copy from listing what it does not name, also when directories get their attributes', async () => {
    const { a, b, root, pair } = await scene('unlisted');
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/a`, { permission: '750' });
    await using source = await FaultProxy.start(bed.a);
    const conf = pair.conf({ A: { url: source.url } });
    const list = listFile('a/1\n');
    const args = [
      'copy',
      '--exact',
      '--preserve',
      '--silent',
      '--files-from',
      list,
      `A:${root}/tree`,
      `B:${root}/tree`,
    ];
    const { code } = await pair.run(args, { conf });
    expect(code).toBe(0);
    expect(source.requests.filter(({ path }) => /\/(?:b|unlisted|empty)\b/.test(path))).toEqual([]);
    expect((await b.status(`${root}/tree/a`)).permission).toBe('750');
  });

  test.each([
    ['a/../../x\n', 'line 1 of the list holds ..'],
    ['a/1\n/etc/passwd\n', 'line 2 of the list does not lie in the source'],
    ['.\n', 'line 1 of the list is the source itself'],
    ['a\0b\n', 'line 1 of the list holds a NUL character'],
  ])('that leads elsewhere is refused before anything is made: %j', async (text, says) => {
    const { pair, root } = await scene(`refused${text.length}${text.charCodeAt(0)}`);
    const paths = [`A:${root}/tree`, `B:${root}/tree`];
    const args = ['copy', '--exact', '--silent', '--files-from', listFile(text), ...paths];
    await pair.expectRefused(args, { code: 2, says: [says, 'nothing was copied'] });
  });

  test('that is not there, or of several sources, is refused', async () => {
    const { pair, root } = await scene('none');
    await pair.expectRefused(
      ['copy', '--exact', '--silent', '--files-from', '/no/list', `A:${root}/tree`, `B:${root}/tree`],
      {
        code: 2,
        says: ['--files-from: /no/list cannot be read', 'ENOENT'],
      },
    );
    await pair.expectRefused(['copy', '--files-from', listFile('1'), `A:${root}/tree/{a,b}`, `B:${root}`], {
      code: 3,
      says: ['a list names files of one source directory'],
    });
  });
});

test('a list on stdin is read once: a job that was stopped while it was planned goes on with it', async () => {
  const { pair, root, copied } = await scene('stdin');
  let isHeld = true;
  await using source = await FaultProxy.start(bed.a, {
    react: ({ operation, path }) =>
      isHeld && operation === 'LISTSTATUS_BATCH' && path.endsWith('/b/d') ? 'hang' : undefined,
  });
  const conf = pair.conf({ A: { url: source.url } });
  const home = newHome();
  const bin = join(import.meta.dirname, '../../bin/hdfs-fanout.js');
  const args = ['copy', '--exact', '--silent', '--files-from', '-', `A:${root}/tree`, `B:${root}/tree`];
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, WEBHDFS_CONFIG: conf, HDFS_FANOUT_HOME: home },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end('b/d/4\na/2\n');
  await expect.poll(() => source.requests.some(({ path }) => path.endsWith('/b/d')), { timeout: 30_000 }).toBe(true);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGKILL');
  await ended;
  isHeld = false;
  const listed = await pair.run(['jobs', '--json'], { home });
  const { Job: job = '' } = JSON.parse(listed.stdout) as { Job?: string };
  expect(readdirSync(join(home, 'lists'))).toEqual([`${job}.db`]);
  const { code, status } = await pair.run(['copy', '--resume', job, '--silent'], { home, conf });
  expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 2 });
  expect(await copied()).toEqual(['a/', 'a/2', 'b/', 'b/d/', 'b/d/4']);
  expect(readdirSync(join(home, 'lists'))).toEqual([]);
});
