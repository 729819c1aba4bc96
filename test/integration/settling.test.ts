import { describe, expect, inject, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** What a plan left open, and what it refused: looked at again, with both files as they are by then. */

const bed = inject('bed');
const LENGTH = 2000;

/** Two equal files on both sides, of which one comparison finds something else; the first checksum of `it` that is asked for waits for it. */
async function compared(
  name: string,
  side: 'A' | 'B',
  react: (pair: TwoClusters, request: FaultProxyRequest, time: number) => Promise<Reaction | undefined>,
  flags: readonly string[],
  to: FaultProxyRequest['to'] = 'namenode',
): Promise<{ pair: TwoClusters; result: CliResult }> {
  const pair = await TwoClusters.make(bed, `settling-${name.replaceAll(' ', '-')}`);
  const { a, b, root } = pair;
  for (const file of ['it', 'other']) {
    await a.put(`${root}/tree/${file}`, content(file, LENGTH));
    await b.put(`${root}/tree/${file}`, content(file, LENGTH));
  }
  let time = 0;
  await using faultProxy = await FaultProxy.start(side === 'A' ? bed.a : bed.b, {
    datanodes: true,
    react: (request) =>
      request.operation === 'GETFILECHECKSUM' && request.to === to && request.path.endsWith('/it')
        ? react(pair, request, time++)
        : undefined,
  });
  const conf = pair.conf({ [side]: { url: faultProxy.url } });
  const args = ['copy', '--silent', '--exact', ...flags, `A:${root}/tree`, `B:${root}/tree`];
  return { pair, result: await pair.run(args, { conf }) };
}

const once =
  (change: (pair: TwoClusters, path: string) => Promise<void>) =>
  async (pair: TwoClusters, { path }: FaultProxyRequest, time: number) => {
    if (time === 0) await change(pair, path);
    return undefined;
  };

describe.concurrent('a file that changes between planning and comparing', () => {
  const changes: [string, 'A' | 'B', (pair: TwoClusters, path: string) => Promise<void>][] = [
    ['the destination becomes empty', 'B', ({ b }, path) => b.put(path, '')],
    ['the destination grows', 'B', ({ b }, path) => b.append(path, 'more')],
    ['the destination shrinks', 'B', ({ b }, path) => b.put(path, 'less')],
    ['the destination vanishes', 'B', ({ b }, path) => b.remove(path)],
    ['the source becomes empty', 'A', ({ a }, path) => a.put(path, '')],
    ['the source grows', 'A', ({ a }, path) => a.append(path, 'more')],
    ['the source shrinks', 'A', ({ a }, path) => a.put(path, 'less')],
  ];

  test.each(changes)('%s: with --force it is copied as it is now', async (what, side, change) => {
    const { pair, result } = await compared(what, side, once(change), ['--force']);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(result.status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': 1, 'Files Failed': 0 });
    const tree = await pair.b.tree(`${pair.root}/tree`);
    expect(temporaryNames(tree)).toEqual([]);
    expect(tree).toEqual(await pair.a.tree(`${pair.root}/tree`));
  });

  test.each(changes)('%s: without --force it is refused, unless nothing stands there', async (what, side, change) => {
    const { result } = await compared(`${what} unforced`, side, once(change), []);
    const isGone = what === 'the destination vanishes';
    expect(result.status).toMatchObject({
      'Files Copied': isGone ? 1 : 0,
      'Files Failed': isGone ? 0 : 1,
      'Files Skipped': 1,
    });
  });

  test.each(changes)('%s: a dry run tells', async (what, side, change) => {
    const { result } = await compared(`${what} dry`, side, once(change), ['--force', '--dry-run']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(what === 'the destination vanishes' ? /^copy +\S+\/it /m : /^overwrite +\S+\/it /m);
  });

  test('the source vanishes: it fails for that reason', async () => {
    const { pair, result } = await compared(
      'source-gone',
      'A',
      once(({ a }, path) => a.remove(path)),
      ['--force'],
    );
    expect(result.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': 1, 'Files Failed': 1 });
    const { stdout } = await pair.run(['status', result.status.Job, '--failures']);
    expect(stdout).toContain('it vanished before it was copied');
  });
});

describe.concurrent('a comparison that breaks off', () => {
  const cut = (_scene: TwoClusters, _request: FaultProxyRequest, time: number) =>
    Promise.resolve(time < 4 ? ('cut-before' as const) : undefined);

  test.each(['A', 'B'] as const)('of %s is made again', async (side) => {
    const { result } = await compared(`cut-${side}`, side, cut, [], 'datanode');
    expect(result.status).toMatchObject({ 'Files Skipped': 2, 'Files Failed': 0 });
  });

  test('does not end a dry run', async () => {
    const { result } = await compared('cut-dry', 'B', cut, ['--dry-run'], 'datanode');
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(result.stdout).toContain('skip 2 files');
  });
});

describe.concurrent('what a plan refused', () => {
  test('is decided anew by a resume, and copied when the conflict is gone', async () => {
    const pair = await TwoClusters.make(bed, 'settling-refused');
    const { a, b, root } = pair;
    const there: Record<string, (path: string) => Promise<void>> = {
      'a-directory': (path) => b.mkdirs(path),
      'another-length': (path) => b.put(path, 'short'),
      'other-content': (path) => b.put(path, content('other', LENGTH)),
      stays: (path) => b.put(path, content('other', LENGTH)),
    };
    for (const [name, put] of Object.entries(there)) {
      await a.put(`${root}/tree/${name}`, content(name, LENGTH));
      await put(`${root}/tree/${name}`);
    }
    const first = await pair.run(['copy', '--silent', '--exact', `A:${root}/tree`, `B:${root}/tree`]);
    expect(first.status).toMatchObject({ 'Files Failed': 4, 'Files Copied': 0 });
    for (const name of Object.keys(there)) if (name !== 'stays') await b.remove(`${root}/tree/${name}`);
    const again = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(again.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 3, 'Files Expected': 4 });
    await b.remove(`${root}/tree/stays`);
    const last = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(last.status).toMatchObject({ Outcome: 'Successful', 'Files Failed': 0, 'Files Copied': 4 });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('because two files would have one name stays refused', async () => {
    const pair = await TwoClusters.make(bed, 'settling-flat');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/d/x`, 'from d');
    await a.put(`${root}/tree/e/x`, 'from e');
    const args = ['copy', '--silent', '--files-only', '--force', `A:${root}/tree`, `B:${root}/out`];
    const first = await pair.run(args);
    expect(first.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 1 });
    const again = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(again.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 1 });
    expect(String(await b.get(`${root}/out/x`))).toBe('from d');
  });

  test('because a directory could not be listed needs another copy, and says so', async () => {
    const pair = await TwoClusters.make(bed, 'settling-unlisted');
    const { a, b, root } = pair;
    await b.call('PUT', 'SETPERMISSION', root, { permission: '777' });
    await a.put(`${root}/tree/file`, 'file');
    await a.put(`${root}/tree/closed/file`, 'file');
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/closed`, { permission: '700' });
    const conf = pair.conf({ A: { user: 'mallory' } });
    const first = await pair.run(['copy', '--silent', `A:${root}/tree`, `B:${root}/tree`], { conf });
    expect(first.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 1 });
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/closed`, { permission: '755' });
    const again = await pair.run(['copy', '--silent', '--resume', first.status.Job], { conf });
    expect(again.status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 1, 'Files Skipped': 0 });
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toContain('copy again');
  });
});

describe.concurrent('a RENAME that a proxy answers', () => {
  test.each([
    ['502 after the rename took place', 'after', 502],
    ['504 after the rename took place', 'after', 504],
    ['403 after the rename took place', 'after', 403],
    ['504 before the rename took place', 'before', 504],
  ])('%s is looked up', async (what, when, status) => {
    const pair = await TwoClusters.make(bed, `settling-rename-${when}-${status}`);
    const { a, b, root } = pair;
    for (let i = 0; i < 4; i++) {
      await a.put(`${root}/tree/f${i}`, content(`${i}`, LENGTH));
      await b.put(`${root}/tree/f${i}`, content(`old ${i}`, 1000));
    }
    const seen = new Set<string>();
    await using faultProxy = await FaultProxy.start(bed.b, {
      react: async ({ operation, path, query }) => {
        if (operation !== 'RENAME' || seen.has(path)) return undefined;
        seen.add(path);
        // The server does what it was asked; its answer is lost on the way, and a proxy gives one of its own.
        if (when === 'after') await fetch(`${bed.b}/webhdfs/v1${encodeURI(path)}${query}`, { method: 'PUT' });
        return { answer: { status, body: '<html><title>Gateway</title></html>' } };
      },
    });
    const conf = pair.conf({ B: { url: faultProxy.url } });
    const result = await pair.run(['copy', '--silent', '--exact', '--force', `A:${root}/tree`, `B:${root}/tree`], {
      conf,
    });
    expect({ code: result.code, stderr: result.stderr }, what).toEqual({ code: 0, stderr: '' });
    expect(result.status).toMatchObject({ 'Files Copied': 4, 'Files Failed': 0, Retries: 0 });
    expect(seen.size).toBe(4);
    expect(faultProxy.count('RENAME')).toBe(when === 'after' ? 4 : 8);
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });
});

test.each([[[]], [['--force']]])(
  'a directory that takes the name of a file while it is copied fails it at once, %j',
  async (flags) => {
    const pair = await TwoClusters.make(bed, `settling-directory-${flags.length}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/it`, content('it', LENGTH));
    await using faultProxy = await FaultProxy.start(bed.a, {
      react: async ({ operation }) => {
        if (operation === 'OPEN') await b.put(`${root}/tree/it/inside`, 'somebody else');
        return undefined;
      },
    });
    const conf = pair.conf({ A: { url: faultProxy.url } });
    const result = await pair.run(
      ['copy', '--silent', '--json', '--exact', ...flags, `A:${root}/tree`, `B:${root}/tree`],
      { conf },
    );
    expect(result.code, result.stderr).toBe(1);
    expect(result.status).toMatchObject({ 'Files Failed': 1, Retries: 0 });
    expect(result.stdout).toContain('a directory stands at the destination');
    expect(faultProxy.count('OPEN')).toBe(1);
    const tree = await b.tree(`${root}/tree`);
    expect(Object.keys(tree)).toEqual(['/it/', '/it/inside']);
  },
);
