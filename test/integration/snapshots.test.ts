import { describe, expect, inject, test } from 'vitest';
import { type CliResult, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { inTrash } from '../support/mirror.ts';
import { openFile } from '../support/open-file.ts';
import { expectOneLine, TwoClusters } from '../support/two-clusters.ts';

/** `--snapshot` on daemons; what decides what is looked at is in test/unit/shared/machine/snapshot-runs. */

const bed = inject('bed');
const TREE = ['a/1', 'a/2', 'a/deep/3', 'b/4', 'b/5%', 'c é'];

/** A tree below a snapshottable directory on A, and its mirror on B. */
class SnapshotMirror {
  readonly pair: TwoClusters;
  readonly top: string;
  readonly source: string;
  readonly mirror: string;
  readonly #conf: string | undefined;

  private constructor(pair: TwoClusters, below: string, conf: string | undefined) {
    this.pair = pair;
    this.top = `${pair.root}/top`;
    this.source = this.top + below;
    this.mirror = `${pair.root}/mirror`;
    this.#conf = conf;
  }

  /** @param below  of the source, in the snapshottable directory. @param by  what A is asked through */
  static async make(name: string, below = '', by?: string): Promise<SnapshotMirror> {
    const pair = await TwoClusters.make(bed, `snapshots-${name}`);
    const made = new SnapshotMirror(pair, below, by === undefined ? undefined : pair.conf({ A: { url: by } }));
    for (const file of TREE) await pair.a.put(`${made.source}/${file}`, file);
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', made.top);
    return made;
  }

  copy(...flags: readonly string[]): Promise<CliResult> {
    const args = ['copy', '--silent', '-fp', '--exact', '--snapshot', ...flags, `A:${this.source}`, `B:${this.mirror}`];
    return this.pair.run(args, this.#conf === undefined ? {} : { conf: this.#conf });
  }

  move(from: string, to: string): Promise<unknown> {
    return this.pair.a.call('PUT', 'RENAME', `${this.source}/${from}`, { destination: `${this.source}/${to}` });
  }

  async expectEqual(): Promise<void> {
    const { a, b } = this.pair;
    expect(await b.tree(this.mirror)).toEqual(await a.tree(this.source));
  }

  async snapshots(): Promise<string[]> {
    return (await this.pair.a.list(`${this.top}/.snapshot`)).map(({ pathSuffix }) => pathSuffix);
  }
}

describe.each([
  ['the whole of a snapshottable directory', '', undefined],
  ['a part of one', '/part/of', undefined],
  ['one behind HttpFS', '', bed.httpFs],
])('%s', (what, below, by) => {
  test('is looked at once, and then where something was made, modified, renamed or deleted', async () => {
    const mirror = await SnapshotMirror.make(`rounds-${what.replaceAll(' ', '-')}`, below, by);
    const { a, b } = mirror.pair;
    const first = await mirror.copy('--delete');
    expect(first.stderr).toBe('');
    expect(first.status).toMatchObject({ Outcome: 'Successful', 'Entries Looked At': 9, 'Files Copied': 6 });
    await mirror.expectEqual();
    const second = await mirror.copy('--delete');
    const base = `hdfs-fanout-${first.status.Job}`;
    expect(second.status).toMatchObject({ Outcome: 'Successful', 'Snapshot Base': base, 'Entries Looked At': 0 });
    expect(await mirror.snapshots()).toEqual([`hdfs-fanout-${second.status.Job}`]);
    await a.put(`${mirror.source}/a/1`, 'rewritten', { overwrite: 'true' });
    await a.append(`${mirror.source}/a/2`, ' and more');
    await a.put(`${mirror.source}/new/deep/6`, '6');
    await a.call('PUT', 'SETPERMISSION', `${mirror.source}/a/deep`, { permission: '711' });
    await mirror.move('b', 'a/moved');
    await a.put(`${mirror.source}/a/moved/7`, '7');
    await mirror.move('a/moved/4', '4');
    await a.remove(`${mirror.source}/c é`);
    const { stderr, status } = await mirror.copy('--delete');
    expect(stderr).toBe('');
    // a, a/1, a/2, a/deep, a/moved, a/moved/5%, a/moved/7, 4, new, new/deep, new/deep/6
    expect(status).toMatchObject({ Outcome: 'Successful', 'Entries Looked At': 11, 'Entries Renamed': 2 });
    expect(status).toMatchObject({ 'Files Copied': 4, 'Files Skipped': 2, 'Files Deleted': 1 });
    await mirror.expectEqual();
    expect((await b.status(`${mirror.mirror}/a/deep`)).permission).toBe('711');
    expect(await b.exists(inTrash(`${mirror.mirror}/c é`))).toBe(true);
    expect((await mirror.copy('--delete')).status).toMatchObject({ 'Entries Looked At': 0, 'Files Deleted': 0 });
  });
});

test('one source is mirrored to the same path of two clusters in turn, and each looks at what has changed', async () => {
  const { pair, source, mirror } = await SnapshotMirror.make('two-clusters');
  // The namenodes of the bed share a JVM, and JMX tells the block pools of all: each answers here as one that has its own.
  const alone = (url: string, pool: string) => {
    const body = JSON.stringify({ beans: [{ BlockPoolId: pool }] });
    return FaultProxy.start(url, {
      react: ({ path }) => (path === '/jmx' ? { answer: { status: 200, body } } : undefined),
    });
  };
  await using onA = await alone(bed.a, 'BP-1');
  await using onB = await alone(bed.b, 'BP-2');
  const conf = pair.conf({ A: { url: onA.url }, B: { url: onB.url } });
  const args = ['copy', '--silent', '-fp', '--exact', '--snapshot', '--delete', '--skip-trash', `A:${source}`];
  const copyTo = async (cluster: string) => {
    const result = await pair.run([...args, `${cluster}:${mirror}`], { conf });
    expect(result.stderr).toBe('');
    return result.status;
  };
  const both = async () => [await copyTo('A'), await copyTo('B')];
  for (const status of await both()) expect(status).toMatchObject({ 'Files Copied': 6 });
  await pair.a.put(`${source}/a/new`, 'new');
  for (const status of await both()) expect(status).toMatchObject({ 'Entries Looked At': 2, 'Files Copied': 1 });
  await pair.a.remove(`${source}/b`);
  for (const status of await both()) expect(status).toMatchObject({ 'Entries Looked At': 0, 'Files Deleted': 2 });
  const tree = await pair.a.tree(source);
  expect([await pair.a.tree(mirror), await pair.b.tree(mirror)]).toEqual([tree, tree]);
});

test('a job killed in the middle is gone on with from its snapshot, and the next one from both', async () => {
  const mirror = await SnapshotMirror.make('killed');
  const { pair } = mirror;
  let kill = () => undefined as unknown;
  await using proxy = await FaultProxy.start(bed.b, {
    react: ({ operation }) => {
      if (operation === 'RENAME') kill();
      return undefined;
    },
  });
  // A mirror behind another address is another one.
  const conf = pair.conf({ B: { url: proxy.url } });
  const args = ['copy', '--silent', '-fp', '--exact', '--snapshot', `A:${mirror.source}`, `B:${mirror.mirror}`];
  await pair.run(args, { conf });
  for (const name of ['7', '8', '9']) await pair.a.put(`${mirror.source}/a/deep/${name}`, name);
  const { child, ended } = startCli(args, { conf, home: pair.home });
  kill = () => child.kill('SIGKILL');
  expect((await ended).code).toBe(null);
  await pair.a.put(`${mirror.source}/a/deep/8`, 'changed since', { overwrite: 'true' });
  const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout.split('\n')[0] ?? '') as { Job: string };
  const resumed = await pair.run(['copy', '--silent', '--resume', job], { conf });
  expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 3 });
  expect(String(await pair.b.get(`${mirror.mirror}/a/deep/8`))).toBe('8');
  const { status } = await pair.run(args, { conf });
  expect(status).toMatchObject({ 'Snapshot Base': `hdfs-fanout-${job}`, 'Files Copied': 1 });
  await mirror.expectEqual();
});

test('a file that is open when the snapshot is made fails, and is copied whole once it is closed', async () => {
  const mirror = await SnapshotMirror.make('open');
  {
    await using open = await openFile(mirror.pair.a, `${mirror.source}/a/open`, 6000);
    expect(open.listedBytes).toBeGreaterThan(0);
    const { code, status } = await mirror.copy();
    expect({ code, outcome: status.Outcome, failed: status['Files Failed'] }).toEqual({
      code: 1,
      outcome: 'Failed',
      failed: 1,
    });
  }
  const { status } = await mirror.copy();
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1 });
  await mirror.expectEqual();
});

test('clean drops the snapshot of a job that will not be resumed, and keeps the base', async () => {
  const mirror = await SnapshotMirror.make('clean');
  const { status: base } = await mirror.copy();
  const open = await openFile(mirror.pair.a, `${mirror.source}/open`, 10);
  const { status: failed } = await mirror.copy();
  expect(await mirror.snapshots()).toHaveLength(2);
  for (const job of [failed.Job, base.Job]) {
    expect((await mirror.pair.run(['clean', job])).code).toBe(0);
  }
  await open[Symbol.asyncDispose]();
  expect(await mirror.snapshots()).toEqual([`hdfs-fanout-${base.Job}`]);
  const why = `the job ${failed.Job} has written to the destination since: its snapshot is gone`;
  expect((await mirror.copy()).status).toMatchObject({ Outcome: 'Successful', 'Whole Walk': why });
  await mirror.expectEqual();
});

test('a directory that is not snapshottable is refused with what to do, and nothing is copied', async () => {
  const pair = await TwoClusters.make(bed, 'snapshots-refused');
  await pair.a.put(`${pair.root}/plain/x`, 'x');
  const args = ['copy', '--silent', '--exact', '--snapshot', `A:${pair.root}/plain`, `B:${pair.root}/mirror`];
  const result = await pair.run(args);
  expect(result.code).toBe(3);
  expect(result.stderr).toContain(`hdfs dfsadmin -allowSnapshot ${pair.root}/plain`);
  expect(await pair.b.exists(`${pair.root}/mirror`)).toBe(false);
  const dry = await pair.run([...args, '--dry-run']);
  expect(dry.code).toBe(0);
  expectOneLine(dry, ['a dry run makes no snapshot']);
});
