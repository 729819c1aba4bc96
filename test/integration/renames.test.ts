import { expect, inject, test } from 'vitest';
import { type CliResult, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { inTrash } from '../support/mirror.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What is renamed at the source of a mirror by snapshots, on daemons. The random rounds hold all of it against a walk (mirror-rounds). */

const bed = inject('bed');
const MANY = 1000;

/** A snapshottable tree on A, and its mirror on B, or behind HttpFS on A. */
class Renamed {
  readonly pair: TwoClusters;
  readonly source: string;
  readonly mirror: string;
  readonly proxy: FaultProxy;
  /** What becomes of a request to B. */
  react: (request: FaultProxyRequest) => 'cut-before' | 'cut-after' | undefined = () => undefined;

  private constructor(pair: TwoClusters, proxy: FaultProxy) {
    this.pair = pair;
    this.source = `${pair.root}/source`;
    this.mirror = `${pair.root}/mirror`;
    this.proxy = proxy;
  }

  /** A mirror that is up to date. */
  static async make(name: string, files: readonly string[]): Promise<Renamed> {
    const pair = await TwoClusters.make(bed, `renames-${name}`);
    const proxy: FaultProxy = await FaultProxy.start(bed.b, { react: (request) => made.react(request) });
    const made: Renamed = new Renamed(pair, proxy);
    for (let i = 0; i < files.length; i += 20)
      await Promise.all(files.slice(i, i + 20).map((file) => pair.a.put(`${made.source}/${file}`, file)));
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', made.source);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }

  get conf(): string {
    return this.pair.conf({ B: { url: this.proxy.url }, H: { url: bed.httpFs } });
  }

  args(flags: readonly string[], to = 'B'): string[] {
    return ['copy', '--silent', '--exact', '--snapshot', ...flags, `A:${this.source}`, `${to}:${this.mirror}`];
  }

  /** Mirrors, which has to succeed. */
  async copy(flags: readonly string[] = ['-fp', '--delete'], to = 'B'): Promise<CliResult['status']> {
    const { code, stderr, status } = await this.pair.run(this.args(flags, to), { conf: this.conf });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return status;
  }

  async move(from: string, to: string, hdfs = this.pair.a, root = this.source): Promise<void> {
    const { text } = await hdfs.call('PUT', 'RENAME', `${root}/${from}`, { destination: `${root}/${to}` });
    expect(text, `${from} to ${to}`).toContain('true');
  }

  async expectEqual(): Promise<void> {
    const { a, b } = this.pair;
    expect(await b.tree(this.mirror)).toEqual(await a.tree(this.source));
  }

  /** Operations of this kind that B was asked for. */
  asked(operation: string): number {
    return this.proxy.requests.filter((one) => one.operation === operation).length;
  }
}

test(`a directory with ${MANY} files is renamed in one request, and no byte of it is copied`, async () => {
  const files = Array.from({ length: MANY }, (_, i) => `big/${i % 10}/file ${i}`);
  await using tree = await Renamed.make('many', ['stays', ...files]);
  // The least that is asked of each file.
  const flags = ['-fp', '--delete', '--compare', 'time', '--attributes', 'times', '--verify', 'length'];
  await tree.copy(flags);
  const asked = { creates: tree.asked('CREATE'), renames: tree.asked('RENAME') };
  await tree.move('big', 'great');
  const status = await tree.copy(flags);
  expect(status).toMatchObject({ 'Entries Renamed': 1, 'Files Copied': 0, 'Size Copied': 0, 'Files Skipped': MANY });
  expect(status).toMatchObject({ 'Files Deleted': 0, 'Entries Looked At': MANY + 11 });
  expect(status).not.toHaveProperty('Renames Not Made');
  expect(tree.asked('CREATE') - asked.creates).toBe(0);
  expect(tree.asked('RENAME') - asked.renames).toBe(1);
  await tree.expectEqual();
  expect(await tree.copy(flags)).toMatchObject({ 'Entries Looked At': 0 });
});

test('what can be renamed is, and all else is copied and deleted, with the reason', async () => {
  const files = [
    ...['nested/a/x', 'nested/a/y', 'into new/jan/1', 'odd/é %41', 'odd/"quoted" &?=#'],
    ...['logs/log', 'logs/log.1', 'logs/log.2', 'away/deep/er/1'],
    ...['swap/a/1', 'swap/b/2', 'over/new', 'over/old', 'changed/old', 'emptied/a/1', 'emptied/a/2'],
    ...['order/p/1', 'order/z', 'order/deep/er/x'],
    ...['other/file', 'taken/old/1', 'repaired/dir/1', 'repaired/dir/2', 'lost/old/1', 'kind/old/1'],
  ];
  await using tree = await Renamed.make('each', files);
  const { a, b } = tree.pair;
  await a.mkdirs(`${tree.source}/empty/old`);
  await tree.copy();
  // A directory and what is in it; into one that is new, and in one that is new itself.
  await tree.move('nested/a', 'nested/b');
  await tree.move('nested/b/x', 'nested/b/z');
  await a.mkdirs(`${tree.source}/into new/2026/q 1`);
  await tree.move('into new/jan', 'into new/2026/q 1/jan');
  await tree.move('away/deep/er', 'er');
  await tree.move('odd/é %41', 'odd/ü +');
  await tree.move('odd/"quoted" &?=#', 'nested/"quoted" &?=#');
  await tree.move('empty/old', 'empty/new');
  await tree.move('logs/log.2', 'logs/log.3');
  await tree.move('logs/log.1', 'logs/log.2');
  await tree.move('logs/log', 'logs/log.1');
  await a.put(`${tree.source}/logs/log`, 'a new one');
  await tree.move('emptied/a', 'emptied/b');
  await a.remove(`${tree.source}/emptied/b/1`);
  await a.put(`${tree.source}/emptied/b/2`, 'rewritten', { overwrite: 'true' });
  // Into a new directory that has the old name of one that is renamed.
  await tree.move('order/p', 'order/deep/er/q');
  await a.mkdirs(`${tree.source}/order/p`);
  await tree.move('order/z', 'order/p/z');
  const renamed = 13;
  // Taken: by what trades places, by what is deleted, by somebody else's.
  await tree.move('swap/a', 'swap/c');
  await tree.move('swap/b', 'swap/a');
  await tree.move('swap/c', 'swap/b');
  await a.remove(`${tree.source}/over/old`);
  await tree.move('over/new', 'over/old');
  await tree.move('taken/old', 'taken/new');
  await b.put(`${tree.mirror}/taken/new/theirs`, 'somebody else');
  // Changed here or there.
  await tree.move('changed/old', 'changed/new');
  await a.append(`${tree.source}/changed/new`, ' and more');
  await tree.move('other/file', 'other/moved');
  await b.put(`${tree.mirror}/other/file`, 'not it', { overwrite: 'true' });
  await tree.move('lost/old', 'lost/new');
  await b.remove(`${tree.mirror}/lost/old`);
  await tree.move('kind/old', 'kind/new');
  await b.remove(`${tree.mirror}/kind/old`);
  await b.put(`${tree.mirror}/kind/old`, 'a file');
  // What was changed in a directory is found under its new name.
  await tree.move('repaired/dir', 'repaired/moved');
  await b.put(`${tree.mirror}/repaired/dir/1`, 'hers', { overwrite: 'true' });
  await b.remove(`${tree.mirror}/repaired/dir/2`);
  await b.put(`${tree.mirror}/repaired/dir/extra`, 'hers');
  const status = await tree.copy();
  expect(status).toMatchObject({
    'Entries Renamed': renamed + 1,
    'Renames Not Made': {
      'its new name is taken': 4,
      'the file has changed as well': 1,
      'the destination has something else under the old name': 3,
    },
  });
  await tree.expectEqual();
  const [moved] = [inTrash(`${tree.mirror}/repaired/moved/extra`)];
  expect(String(await b.get(moved))).toBe('hers');
  expect(String(await b.get(inTrash(`${tree.mirror}/other/file`)))).toBe('not it');
  expect(await tree.copy()).toMatchObject({ 'Entries Looked At': 0, 'Files Deleted': 0 });
});

test('a rename deletes nothing: --max-delete 0 lets it pass, and stops what goes beside it', async () => {
  await using tree = await Renamed.make('brake', ['a/1', 'a/2', 'b/3', 'c']);
  await tree.copy();
  await tree.move('a', 'renamed');
  expect(await tree.copy(['-fp', '--delete', '--max-delete', '0'])).toMatchObject({ 'Entries Renamed': 1 });
  await tree.expectEqual();
  await tree.move('renamed', 'a');
  await tree.pair.a.remove(`${tree.source}/c`);
  const flags = ['-fp', '--delete', '--max-delete', '0'];
  const stopped = await tree.pair.run(tree.args(flags), { conf: tree.conf });
  expect({ code: stopped.code, left: await tree.pair.b.exists(`${tree.mirror}/c`) }).toEqual({ code: 3, left: true });
  // The next job looks at what both have to do, and finds that the directory is there already.
  const status = await tree.copy();
  expect(status).toMatchObject({ 'Files Copied': 0, 'Files Deleted': 1 });
  await tree.expectEqual();
});

test.each([
  ['without --delete, under whose old name it stays', ['-fp'], 'B', undefined],
  ['where files that exist are not compared', ['-p', '--delete'], 'B', 'files that exist are not compared'],
  ['where a filter may hide something in it', ['-fp', '--delete', '--exclude', '*.tmp'], 'B', 'filters'],
  ['behind HttpFS, which may move it into another one', ['-fp', '--delete', '--skip-trash'], 'H', 'server may move'],
] as const)('a directory is copied %s', async (_, flags, to, why) => {
  await using tree = await Renamed.make(`copied ${to} ${flags.length}`, ['a/1', 'a/2', 'file']);
  await tree.copy(flags, to);
  await tree.move('a', 'renamed');
  const status = await tree.copy(flags, to);
  expect(status).not.toHaveProperty('Entries Renamed');
  expect(status).toMatchObject({ 'Files Copied': 2, 'Files Deleted': why === undefined ? 0 : 2 });
  const [reason] = Object.keys(status['Renames Not Made'] ?? {});
  if (why === undefined) expect(reason).toBeUndefined();
  else expect(reason).toContain(why);
});

test('a file that no filter hides is renamed, and what one hides is left alone', async () => {
  await using tree = await Renamed.make('filtered', ['a/x', 'a/y.tmp', 'a/z']);
  const flags = ['-fp', '--delete', '--exclude', '*.tmp'];
  await tree.copy(flags);
  await tree.pair.b.put(`${tree.mirror}/a/hers.tmp`, 'hers');
  await tree.move('a/x', 'a/moved');
  await tree.move('a/y.tmp', 'a/seen');
  await tree.move('a/z', 'a/hidden.tmp');
  const status = await tree.copy(flags);
  expect(status).toMatchObject({ 'Entries Renamed': 1, 'Renames Not Made': { filters: 2 }, 'Files Copied': 1 });
  const names = Object.keys(await tree.pair.b.tree(tree.mirror)).sort();
  expect(names).toEqual(['/a/', '/a/hers.tmp', '/a/moved', '/a/seen']);
});

test.each(['cut-before', 'cut-after'] as const)(
  'a job that is killed at any of its renames (%s) makes the rest when it is resumed, and each once',
  async (cut) => {
    await using tree = await Renamed.make(`killed-${cut}`, ['a/1', 'a/x/2', 'b/3', 'log', 'log.1']);
    await tree.copy();
    const { pair } = tree;
    await tree.move('a', 'c');
    await tree.move('c/x', 'y');
    await pair.a.mkdirs(`${tree.source}/new`);
    await tree.move('b', 'new/b');
    await tree.move('log.1', 'log.2');
    await tree.move('log', 'log.1');
    let kill = () => undefined as unknown;
    tree.react = ({ operation, to }) => {
      if (to !== 'namenode' || !['RENAME', 'MKDIRS'].includes(operation)) return undefined;
      kill();
      return cut;
    };
    let args = tree.args(['-fp', '--delete']);
    for (let kills = 0; kills < 6; kills++) {
      const { child, ended } = startCli(args, { conf: tree.conf, home: pair.home });
      kill = () => child.kill('SIGKILL');
      expect((await ended).code).toBe(null);
      const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout.split('\n')[0] ?? '') as {
        Job: string;
      };
      args = ['copy', '--silent', '--resume', job];
      // Cut before it the request is never heard of: the last of the kills is the first one again.
      if (cut === 'cut-before') break;
    }
    tree.react = () => undefined;
    const { code, status } = await pair.run(args, { conf: tree.conf });
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Entries Renamed': 5, 'Files Copied': 0, 'Files Deleted': 0 });
    await tree.expectEqual();
  },
);

test('an entry that took the place of a planned one while the job was dead is not moved', async () => {
  await using tree = await Renamed.make('replaced', ['a/1', 'b/2', 'keep']);
  await tree.copy();
  const { pair } = tree;
  await tree.move('a', 'moved');
  await tree.move('b', 'moved b');
  let kill = () => undefined as unknown;
  tree.react = ({ operation }) => (operation === 'RENAME' ? (kill(), 'cut-before') : undefined);
  const { child, ended } = startCli(tree.args(['-fp', '--delete']), { conf: tree.conf, home: pair.home });
  kill = () => child.kill('SIGKILL');
  expect((await ended).code).toBe(null);
  tree.react = () => undefined;
  await tree.move('a', 'elsewhere', pair.b, tree.mirror);
  await pair.b.put(`${tree.mirror}/a/hers`, 'hers');
  const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout.split('\n')[0] ?? '') as { Job: string };
  const { status } = await pair.run(['copy', '--silent', '--resume', job], { conf: tree.conf });
  expect(status).toMatchObject({
    Outcome: 'Successful',
    'Entries Renamed': 1,
    'Renames Not Made': { 'the destination has changed meanwhile': 1 },
  });
  expect(String(await pair.b.get(inTrash(`${tree.mirror}/a/hers`)))).toBe('hers');
  expect(String(await pair.b.get(`${tree.mirror}/moved/1`))).toBe('a/1');
});

test('a plan that waits renames nothing, and its run copies and deletes what was renamed', async () => {
  await using tree = await Renamed.make('planned', ['a/1', 'stays']);
  await tree.copy();
  await tree.move('a', 'moved');
  const flags = ['-fp', '--delete', '--max-delete', '100%', '--plan-only'];
  const { Job: job } = (await tree.pair.run(tree.args(flags), { conf: tree.conf })).status;
  expect(Object.keys(await tree.pair.b.tree(tree.mirror))).toEqual(['/a/', '/a/1', '/moved/', '/stays']);
  const { code, status } = await tree.pair.run(['copy', '--silent', '--resume', job], { conf: tree.conf });
  expect({ code, status }).toMatchObject({ code: 0, status: { 'Files Copied': 1, 'Files Deleted': 1 } });
  expect(status).toMatchObject({ 'Renames Not Made': { 'the plan waits to be run': 1 } });
  await tree.expectEqual();
});

/** A mirror that is about to be renamed, replaced, deleted and made in, all at once. */
async function manifold(name: string): Promise<Renamed> {
  const files = ['a/1', 'a/x/2', 'a/gone', 'b/3', 'log', 'log.1', 'p/q/1', 'order/p/1', 'order/z', 'order/deep/er/x'];
  const tree = await Renamed.make(name, files);
  const { a } = tree.pair;
  await tree.copy();
  await tree.move('a', 'c');
  await tree.move('c/x', 'y');
  await a.put(`${tree.source}/a/fresh`, 'in a new directory of an old name');
  await a.put(`${tree.source}/c/1`, 'replaced', { overwrite: 'true' });
  await a.remove(`${tree.source}/c/gone`);
  await a.put(`${tree.source}/c/made/4`, 'made');
  await a.mkdirs(`${tree.source}/new/er`);
  await tree.move('b', 'new/er/b');
  await a.put(`${tree.source}/new/er/b/5`, 'made');
  await tree.move('log.1', 'log.2');
  await tree.move('log', 'log.1');
  await a.put(`${tree.source}/log`, 'a new one');
  // Of a directory that is deleted: no snapshot tells of this rename.
  await tree.move('p/q', 'q');
  await a.remove(`${tree.source}/p`);
  await tree.move('order/p', 'order/deep/er/q');
  await a.mkdirs(`${tree.source}/order/p`);
  await tree.move('order/z', 'order/p/z');
  return tree;
}

/** Every entry of the mirror with its inode. */
async function inodes({ pair: { b }, mirror }: Renamed): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const path of Object.keys(await b.tree(mirror)))
    found[path] = (await b.status(mirror + path.replace(/\/$/, ''))).fileId;
  return found;
}

test.each(['backups', 'the trash'])('undo of a job that renamed gives old names back, with %s', async (kept) => {
  await using tree = await manifold(`undo ${kept}`);
  const { pair, conf } = tree;
  const before = [await pair.b.tree(tree.mirror), await inodes(tree)] as const;
  const backups = kept === 'backups' ? ['--backup-dir', `${pair.root}/kept`] : [];
  const { Job: job, ...status } = await tree.copy(['-fp', '--delete', '--max-delete', '100%', ...backups]);
  expect(status).toMatchObject({ 'Entries Renamed': 7 });
  await tree.expectEqual();
  const dry = await pair.run(['undo', job, '--dry-run'], { conf });
  expect(dry.stdout).toContain(`rename    ${tree.mirror}/a  (from ${tree.mirror}/c)\n`);
  const { code, stdout } = await pair.run(['undo', job, '--yes'], { conf });
  expect(stdout).toContain('rename back 7');
  if (kept === 'backups') {
    expect(code, stdout).toBe(0);
    expect(stdout.split('\n').at(-2)?.replace('Did', 'Would')).toBe(dry.stdout.split('\n').at(-2));
    expect([await pair.b.tree(tree.mirror), await inodes(tree)]).toEqual(before);
  } else {
    // What was replaced stays as it is, and with it its name.
    expect(code, stdout).toBe(1);
    expect(Object.keys(await pair.b.tree(tree.mirror))).toEqual(Object.keys(before[0]));
    expect(String(await pair.b.get(`${tree.mirror}/a/1`))).toBe('replaced');
  }
  expect((await tree.copy())['Whole Walk']).toContain('was undone');
  await tree.expectEqual();
});

test.each(['cut-before', 'cut-after'] as const)(
  'an undo that is killed at any of its changes (%s) gives back all old names when it is repeated',
  async (cut) => {
    await using tree = await manifold(`undo-${cut}`);
    const { pair, conf } = tree;
    const before = [await pair.b.tree(tree.mirror), await inodes(tree)] as const;
    const flags = ['-fp', '--delete', '--max-delete', '100%', '--backup-dir', `${pair.root}/kept`];
    const { Job: job } = await tree.copy(flags);
    const isChange = ({ to, operation }: FaultProxyRequest) =>
      to === 'namenode' && ['RENAME', 'DELETE', 'MKDIRS'].includes(operation);
    for (let left = 2; ; left += 6) {
      let [passed, isKilled] = [0, false];
      const { child, ended } = startCli(['undo', job, '--yes', '--json'], { conf, home: pair.home });
      tree.react = (request) => {
        if (isKilled || !isChange(request) || ++passed < left) return isKilled ? 'cut-before' : undefined;
        isKilled = true;
        child.kill('SIGKILL');
        return cut;
      };
      const { code, stdout } = await ended;
      tree.react = () => undefined;
      if (isKilled) continue;
      expect(code, stdout).toBe(0);
      break;
    }
    expect([await pair.b.tree(tree.mirror), await inodes(tree)]).toEqual(before);
  },
);
