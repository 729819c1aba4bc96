import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { chmod } from '../support/attributes.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What `hdfs-fanout distcp` says and does beside the trees that DistCp would make, which are in distcp.test.ts. */

const bed = inject('bed');
const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-distcp-'));

/** A cluster pair with a tree `in` at the source. */
async function prepared(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, name);
  await pair.a.put(`${pair.root}/in/a`, 'first');
  await pair.a.put(`${pair.root}/in/sub/b`, 'second');
  return pair;
}

/** The command that was printed, as words: the test's own paths need no quotes. */
function commandIn(stderr: string): string[] {
  const [, command = ''] = /^hdfs-fanout: as hdfs-fanout (.*)$/m.exec(stderr) ?? [];
  return command.replaceAll("'", '').split(' ');
}

describe.concurrent('hdfs-fanout distcp', () => {
  test('says what each option means, and the command that it runs does the same again', async () => {
    const pair = await prepared('distcp-says');
    const [from, to] = [`hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out/deep`];
    const said = await pair.run(['distcp', '-update', '-pp', '-m', '4', '-log', '/logs', '--silent', from, to]);
    expect(said.code, said.stderr).toBe(0);
    expect(said.stderr).toMatch(/^ {2}-update {5}a source directory becomes the target itself; /m);
    expect(said.stderr).toMatch(/^ {2}-m 4 {8}4 transfers at once/m);
    expect(said.stderr).toMatch(/^ {2}-log \/logs {2}no effect/m);
    expect(said.status).toMatchObject({ 'Files Copied': 2 });
    const again = await pair.run(commandIn(said.stderr));
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': 2 });
    expect(await pair.b.tree(`${pair.root}/out/deep`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  });

  test('with --json says it in one object, and nothing but objects on stdout', async () => {
    const pair = await prepared('distcp-json');
    const { code, stdout } = await pair.run([
      'distcp',
      '--json',
      `hdfs://A${pair.root}/in`,
      `hdfs://B${pair.root}/out`,
    ]);
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; command?: string[] });
    expect(events[0]).toMatchObject({ type: 'distcp', options: [] });
    expect(events[0]?.command?.slice(0, 3)).toEqual(['copy', '--existing', 'skip']);
    expect(events.at(-1)).toMatchObject({ type: 'status' });
  });

  test('with --dry-run changes nothing, missing parents included', async () => {
    const pair = await prepared('distcp-dry');
    const before = await pair.trees();
    const args = ['distcp', '--dry-run', '-update', `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/x/y/z`];
    const { code, stdout } = await pair.run(args);
    expect(code).toBe(0);
    expect(stdout).toContain(`copy      ${pair.root}/in/a -> ${pair.root}/x/y/z/a`);
    expect(await pair.trees()).toEqual(before);
  });

  test.each([
    ['-append -update', '-append: '],
    ['-atomic', '-atomic: '],
    ['-delete', '-delete needs'],
    ['-m many', 'not a whole number'],
  ])('refuses %s before a cluster is asked', async (options, says) => {
    const pair = await TwoClusters.make(bed, `distcp-refuses${options.replaceAll(' ', '')}`);
    const conf = pair.conf({ A: { url: 'http://nowhere.invalid:1' }, B: { url: 'http://nowhere.invalid:2' } });
    const args = ['distcp', ...options.split(' '), `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out`];
    await pair.expectRefused(args, { code: 2, says: [says], conf });
  });

  test('refuses a host that two clusters have, and takes it with the port of one', async () => {
    const pair = await prepared('distcp-hosts');
    const args = [`hdfs://${bed.rpcA}${pair.root}/in`, `hdfs://B${pair.root}/out`];
    await pair.expectRefused(['distcp', ...args], { code: 2, says: ['A and B in', 'webhdfs:// with the port'] });
    const uri = (url: string) => url.replace('http:', 'webhdfs:');
    const named = await pair.run(['distcp', `${uri(bed.a)}${pair.root}/in`, `${uri(bed.b)}${pair.root}/out`]);
    expect(named.code, named.stderr).toBe(0);
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  });

  test('refuses sources of two clusters, and a source that is not there', async () => {
    const pair = await prepared('distcp-sources');
    const target = `hdfs://B${pair.root}/out`;
    const both = ['distcp', `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/in`, target];
    await pair.expectRefused(both, { code: 2, says: ['the sources lie in two clusters, A and B'] });
    const gone = ['distcp', `hdfs://A${pair.root}/gone`, target];
    await pair.expectRefused(gone, { code: 3, says: ['no source matches'] });
  });

  test('-delete moves into the trash, and --skip-trash deletes for good as DistCp does', async () => {
    const pair = await prepared('distcp-trash');
    const { b, root } = pair;
    const trash = `/user/root/.Trash/Current${root}`;
    for (const [flags, isKept] of [
      [[], true],
      [['--skip-trash'], false],
    ] as const) {
      const out = `${root}/out-${isKept}`;
      await b.put(`${out}/extra`, 'only here');
      const args = ['distcp', '-update', '-delete', ...flags, `hdfs://A${root}/in`, `hdfs://B${out}`];
      const { code, stderr } = await pair.run(args);
      expect(code, stderr).toBe(0);
      expect(await b.tree(out)).toEqual(await pair.a.tree(`${root}/in`));
      expect(await b.exists(`${trash}/out-${isKept}/extra`)).toBe(isKept);
    }
  });

  test('-delete keeps to the brake that DistCp has not', async () => {
    const pair = await prepared('distcp-brake');
    for (let i = 0; i < 30; i++) await pair.b.put(`${pair.root}/out/extra-${i}`, 'x');
    const args = ['distcp', '-update', '-delete', '--silent', `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out`];
    const { code, stderr } = await pair.run(args);
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('--max-delete');
    expect(Object.keys(await pair.b.tree(`${pair.root}/out`)).filter((path) => path.includes('extra'))).toHaveLength(
      30,
    );
  });

  test('-i ends with 0 although a file failed, which ends with 1 without it, and tells of it', async () => {
    const pair = await prepared('distcp-ignore');
    await chmod(pair.a, `${pair.root}/in/a`, '000');
    const conf = pair.conf({ A: { user: 'nobody' } });
    const args = ['--silent', `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out`];
    const failing = await pair.run(['distcp', ...args], { conf });
    expect(failing.code, failing.stderr).toBe(1);
    const ignoring = await pair.run(['distcp', '-i', '-update', ...args], { conf });
    expect(ignoring.code, ignoring.stderr).toBe(0);
    expect(ignoring.status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 1 });
    expect(ignoring.stderr).toContain('some files failed, and -i ends with 0 all the same');
  });

  test('-i does not make a success of a job that could not go on', async () => {
    const pair = await prepared('distcp-ignore-all');
    const args = ['distcp', '-i', `hdfs://A${pair.root}/gone`, `hdfs://B${pair.root}/out`];
    expect((await pair.run(args)).code).toBe(3);
  });

  test('-f takes the URIs of a file on a cluster, and of this machine', async () => {
    const pair = await prepared('distcp-list');
    const list = [`hdfs://A${pair.root}/in/a`, '', `hdfs://A${pair.root}/in/sub`, ''].join('\n');
    await pair.b.put(`${pair.root}/list`, list);
    writeFileSync(join(scratch, 'list'), list);
    for (const [index, from] of [`hdfs://B${pair.root}/list`, `file://${scratch}/list`].entries()) {
      const to = `${pair.root}/out-${index}`;
      const { code, stderr } = await pair.run(['distcp', '-f', from, `hdfs://B${to}`]);
      expect(code, stderr).toBe(0);
      expect(Object.keys(await pair.b.tree(to))).toEqual(['/a', '/sub/', '/sub/b']);
    }
    await pair.b.put(`${pair.root}/empty`, '\n\n');
    const empty = await pair.run(['distcp', '-f', `hdfs://B${pair.root}/empty`, `hdfs://B${pair.root}/out`]);
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('names nothing')]);
  });

  test('-filters leaves out, and -delete leaves alone, what an expression matches', async () => {
    const pair = await prepared('distcp-filters');
    writeFileSync(join(scratch, 'filters'), '.*/sub/.*\n');
    await pair.b.put(`${pair.root}/out/sub/only-here`, 'x');
    const args = ['-update', '-delete', '-filters', join(scratch, 'filters')];
    const { code, stderr } = await pair.run(['distcp', ...args, `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out`]);
    expect(code, stderr).toBe(0);
    expect(Object.keys(await pair.b.tree(`${pair.root}/out`))).toEqual(['/a', '/sub/', '/sub/only-here']);
  });

  test('-xtrack lists what only the target has, and deletes nothing', async () => {
    const pair = await prepared('distcp-xtrack');
    await pair.b.put(`${pair.root}/out/extra`, 'x');
    const missing = join(scratch, 'missing.jsonl');
    const args = ['distcp', '-update', '-xtrack', missing, `hdfs://A${pair.root}/in`, `hdfs://B${pair.root}/out`];
    const { code, stderr } = await pair.run(args);
    expect(code, stderr).toBe(0);
    expect(readFileSync(missing, 'utf8')).toContain(`${pair.root}/out/extra`);
    expect(await pair.b.exists(`${pair.root}/out/extra`)).toBe(true);
  });

  test('names that are patterns elsewhere are names here, and what two directories both have is refused', async () => {
    const pair = await TwoClusters.make(bed, 'distcp-names');
    const { a, b, root } = pair;
    for (const directory of ['x{1,2}', 'y*', 'z[a]']) await a.put(`${root}/in/${directory}/of ${directory}`, directory);
    const args = ['distcp', '-update', `hdfs://A${root}/in/*`, `hdfs://B${root}/out`];
    const first = await pair.run(args);
    expect(first.code, first.stderr).toBe(0);
    expect(Object.keys(await b.tree(`${root}/out`))).toEqual(['/of x{1,2}', '/of y*', '/of z[a]']);
    await a.put(`${root}/in/other/of y*`, 'another');
    const before = await pair.trees();
    const second = await pair.run(args);
    expect([second.code, second.stderr]).toEqual([3, expect.stringContaining('would both become')]);
    expect(await pair.trees()).toEqual(before);
  });
});
