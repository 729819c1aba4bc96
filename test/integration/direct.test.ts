import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { type CliResult, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** With --direct a file is written under its own name: what stood there before is touched only where that was asked for. */

const bed = inject('bed');

interface Stop {
  /** Which cluster's fault proxy. */
  readonly at: 'A' | 'B';
  /** What it does to a request; the copy is stopped as soon as it answers `hang`, or slowly, for the first time. */
  readonly react: (request: FaultProxyRequest) => Reaction | undefined;
  readonly signal: NodeJS.Signals;
  /** Between the moment and the signal. */
  readonly meanwhile?: () => Promise<void>;
}

/** Starts a copy and stops it at a moment that a fault proxy sees. @returns the job's id */
async function stoppedCopy(
  pair: TwoClusters,
  flags: readonly string[],
  { at, react, signal, meanwhile }: Stop,
): Promise<string> {
  const { promise: moment, resolve: come } = Promise.withResolvers<undefined>();
  await using faultProxy = await FaultProxy.start(at === 'A' ? bed.a : bed.b, {
    datanodes: true,
    react: (request) => {
      const reaction = react(request);
      if (reaction !== undefined) come(undefined);
      return reaction;
    },
  });
  const options = { conf: pair.conf({ [at]: { url: faultProxy.url } }), home: pair.home };
  const args = ['copy', '--silent', '--exact', '--direct', ...flags, `A:${pair.root}/tree`, `B:${pair.root}/tree`];
  const { child, ended } = startCli(args, options);
  await moment;
  await sleep(300);
  await meanwhile?.();
  child.kill(signal);
  await ended;
  const { stdout } = await pair.run(['jobs', '--json']);
  return (JSON.parse(stdout.split('\n')[0] ?? '') as { Job: string }).Job;
}

const resume = (pair: TwoClusters, job: string): Promise<CliResult> => pair.run(['copy', '--silent', '--resume', job]);

const copy = (pair: TwoClusters, ...flags: string[]) =>
  pair.run(['copy', '--silent', '--exact', '--direct', ...flags, `A:${pair.root}/tree`, `B:${pair.root}/tree`]);

const hangs = (operation: string) => (request: FaultProxyRequest) =>
  request.operation === operation ? ('hang' as const) : undefined;

describe.concurrent('--direct without --force', () => {
  test('refuses a file that exists, and so does a resume', async () => {
    const pair = await TwoClusters.make(bed, 'direct-exists');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/same-length`, 'new content');
    await a.put(`${root}/tree/longer`, 'old content and more');
    await b.put(`${root}/tree/same-length`, 'old content');
    await b.put(`${root}/tree/longer`, 'old content');
    const before = await b.tree(root);
    const first = await copy(pair);
    expect(first.status).toMatchObject({ 'Files Failed': 2 });
    const again = await resume(pair, first.status.Job);
    expect(again.status).toMatchObject({ 'Files Failed': 2, 'Files Copied': 0 });
    expect(await b.tree(root)).toEqual(before);
  });

  test.each([
    ['other content of the same length', content('stranger', 3_000_000), 'fail'],
    ['a shorter one', Buffer.from('stranger'), 'fail'],
    ['a longer one', content('stranger', 3_100_000), 'fail'],
    ['other content of the same length, to be left alone', content('stranger', 3_000_000), 'skip'],
    ['a shorter one, to be left alone', Buffer.from('stranger'), 'skip'],
  ])('keeps a file that appears while it copies, %s, also after a crash', async (what, stranger, existing) => {
    const pair = await TwoClusters.make(bed, `direct-appeared-${stranger.length}-${existing}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, content('file', 3_000_000));
    const job = await stoppedCopy(pair, ['--existing', existing], {
      at: 'A',
      react: hangs('OPEN'),
      signal: 'SIGKILL',
      meanwhile: () => b.put(`${root}/tree/file`, stranger),
    });
    const again = await resume(pair, job);
    const [failed, skipped] = existing === 'fail' ? [1, 0] : [0, 1];
    expect(again.status).toMatchObject({ 'Files Failed': failed, 'Files Skipped': skipped, 'Files Copied': 0 });
    expect((await b.get(`${root}/tree/file`)).equals(stranger), what).toBe(true);
  });

  test.each(['fail', 'skip'])('goes on after a crash in the middle of a file, --existing %s', async (existing) => {
    const pair = await TwoClusters.make(bed, `direct-crash-${existing}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, content('file', 3_000_000));
    await a.put(`${root}/tree/other`, 'other');
    const job = await stoppedCopy(pair, ['--existing', existing], {
      at: 'A',
      react: ({ operation, to, path }) =>
        operation === 'OPEN' && to === 'datanode' && path.endsWith('/file') ? { bytesPerSecond: 400_000 } : undefined,
      signal: 'SIGKILL',
      meanwhile: async () => {
        while (!(await b.exists(`${root}/tree/file`))) await sleep(50);
        await sleep(500);
      },
    });
    expect((await b.status(`${root}/tree/file`)).length).toBeLessThan(3_000_000);
    const { code, stderr, status } = await resume(pair, job);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({
      'Files Expected': 2,
      'Files Copied': 2,
      'Files Skipped': 0,
      'Size Copied': 3_000_005,
    });
    expect(await b.tree(root)).toEqual(await a.tree(root));
  });
});

describe.concurrent('--direct --force leaves the old file whole', () => {
  test('where the source may not be read', async () => {
    const pair = await TwoClusters.make(bed, 'direct-denied');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, 'a new content', { permission: '600' });
    await b.put(`${root}/tree/file`, 'the old one');
    const conf = pair.conf({ A: { user: 'mallory' } });
    const { status } = await pair.run(
      ['copy', '--silent', '--exact', '--direct', '--force', `A:${root}/tree`, `B:${root}/tree`],
      { conf },
    );
    expect(status).toMatchObject({ 'Files Failed': 1 });
    expect(String(await b.get(`${root}/tree/file`))).toBe('the old one');
  });

  test.each([
    ['has vanished', (pair: TwoClusters, path: string) => pair.a.remove(path)],
    ['was moved away by its directory', (pair: TwoClusters) => pair.a.remove(`${pair.root}/tree`)],
  ])('where the source %s', async (what, change) => {
    const pair = await TwoClusters.make(bed, `direct-${what.replaceAll(' ', '-')}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, 'a new content');
    await b.put(`${root}/tree/file`, 'the old one');
    await using faultProxy = await FaultProxy.start(bed.a, {
      react: async ({ operation, path }) => {
        if (operation === 'OPEN') await change(pair, path).catch(() => undefined);
        return undefined;
      },
    });
    const result = await pair.run(
      ['copy', '--silent', '--exact', '--direct', '--force', `A:${root}/tree`, `B:${root}/tree`],
      { conf: pair.conf({ A: { url: faultProxy.url } }) },
    );
    expect(result.status).toMatchObject({ 'Files Failed': 1, Retries: 0 });
    const { stdout } = await pair.run(['status', result.status.Job, '--failures']);
    expect(stdout).toContain('it vanished before it was copied');
    expect(String(await b.get(`${root}/tree/file`))).toBe('the old one');
  });

  test.each(['SIGINT', 'SIGKILL'] as const)(
    'where the copy is ended by %s before the source answers',
    async (signal) => {
      const pair = await TwoClusters.make(bed, `direct-${signal}`);
      const { a, b, root } = pair;
      await a.put(`${root}/tree/file`, 'a new content');
      await b.put(`${root}/tree/file`, 'the old one');
      const job = await stoppedCopy(pair, ['--force'], { at: 'A', react: hangs('OPEN'), signal });
      expect(String(await b.get(`${root}/tree/file`))).toBe('the old one');
      const { status } = await resume(pair, job);
      expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1 });
      expect(await b.tree(root)).toEqual(await a.tree(root));
    },
  );

  test('where the destination refuses it', async () => {
    const pair = await TwoClusters.make(bed, 'direct-refused');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, 'a new content');
    await b.put(`${root}/tree/file`, 'the old one', { permission: '644' });
    await b.call('PUT', 'SETPERMISSION', `${root}/tree`, { permission: '1777' });
    const conf = pair.conf({ B: { user: 'mallory' } });
    const { status } = await pair.run(
      ['copy', '--silent', '--exact', '--direct', '--force', `A:${root}/tree`, `B:${root}/tree`],
      { conf },
    );
    expect(status).toMatchObject({ 'Files Failed': 1 });
    expect(String(await b.get(`${root}/tree/file`))).toBe('the old one');
  });
});

test.concurrent(
  '--direct --preserve, killed between the last byte and the attributes: a resume sets them',
  async () => {
    const pair = await TwoClusters.make(bed, 'direct-preserve');
    const { a, b, root } = pair;
    const path = `${root}/tree/file`;
    await a.put(path, 'content');
    await a.call('PUT', 'SETOWNER', path, { owner: 'alice', group: 'staff' });
    await a.call('PUT', 'SETTIMES', path, { modificationtime: '1600000000000', accesstime: '1600000001000' });
    const job = await stoppedCopy(pair, ['--preserve'], { at: 'B', react: hangs('SETOWNER'), signal: 'SIGKILL' });
    expect(await b.status(path)).toMatchObject({ length: 7, owner: 'root' });
    const { code, status } = await resume(pair, job);
    expect({ code, copied: status['Files Copied'], skipped: status['Files Skipped'] }).toEqual({
      code: 0,
      copied: 1,
      skipped: 0,
    });
    expect(await b.status(path)).toMatchObject({ owner: 'alice', group: 'staff', modificationTime: 1_600_000_000_000 });
  },
);
