import { describe, expect, inject, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { openFile } from '../support/open-file.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** Files that somebody writes: listed shorter than they are, down to nothing, and not whole at any length. */

const bed = inject('bed');
const SOME_FAILED = 1;
const told = 'open for writing (copy from a snapshot)';

const copy = (pair: TwoClusters, flags: readonly string[] = [], conf?: string) =>
  pair.run(
    ['copy', '--silent', '--exact', ...flags, `A:${pair.root}/tree`, `B:${pair.root}/tree`],
    conf ? { conf } : {},
  );

async function failuresOf(pair: TwoClusters, { status }: CliResult): Promise<string> {
  return (await pair.run(['status', status.Job, '--failures'])).stdout;
}

/** The open file failed for that reason, the whole one beside it was copied, nothing else stands there. */
async function expectFailed(pair: TwoClusters, result: CliResult, path: string): Promise<void> {
  expect(result.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1, Retries: 0 });
  expect(result.code).toBe(SOME_FAILED);
  const failures = await failuresOf(pair, result);
  expect(failures).toContain(`${path}\n`);
  expect(failures).toContain(told);
  expect(Object.keys(await pair.b.tree(`${pair.root}/tree`))).toEqual(['/whole']);
}

const states = [
  ['an empty one', 0, 'create', 0],
  ['bytes that no listing shows', 100, 'create', 0],
  ['whole blocks and a part of one', 6000, 'create', 4096],
  ['an append that has not come to bytes', 0, 'append', 2048],
  ['an append under way', 6000, 'append', 6144],
] as const;
const levels = ['checksum', 'read-back', 'length', 'none'];

describe.concurrent.each(states)('a source file open for writing, %s', (what, bytes, how, listed) => {
  const name = what.replaceAll(' ', '-');

  test.each(levels)('fails once, at --verify %s', async (level) => {
    const pair = await TwoClusters.make(bed, `open-${name}-${level}`);
    const { a, root } = pair;
    const path = `${root}/tree/log`;
    await a.put(`${root}/tree/whole`, 'whole');
    if (how === 'append') await a.put(path, content('before', 2048), { blocksize: '1024' });
    await using writer = await openFile(a, path, bytes, how);
    expect(writer.listedBytes).toBe(listed);
    await using faultProxy = await FaultProxy.start(bed.a, { datanodes: true });
    const result = await copy(pair, ['--verify', level], pair.conf({ A: { url: faultProxy.url } }));
    await expectFailed(pair, result, path);
    const opened = faultProxy.requests.filter((seen) => seen.operation === 'OPEN' && seen.path === path);
    expect(opened.filter(({ to }) => to === 'namenode').length).toBeLessThanOrEqual(1);
  });

  test('is skipped and counted with --open-files skip, and copied when it is closed', async () => {
    const pair = await TwoClusters.make(bed, `open-skip-${name}`);
    const { a, b, root } = pair;
    const path = `${root}/tree/log`;
    await a.put(`${root}/tree/whole`, 'whole');
    if (how === 'append') await a.put(path, content('before', 2048), { blocksize: '1024' });
    {
      await using writer = await openFile(a, path, bytes, how);
      expect(writer.listedBytes).toBe(listed);
      const { code, stderr, status } = await copy(pair, ['--open-files', 'skip']);
      expect({ code, stderr, skipped: status.Skipped }).toEqual({
        code: 0,
        stderr: '',
        skipped: { 'open for writing': 1 },
      });
    }
    const closed = await copy(pair, ['--open-files', 'skip']);
    expect(closed.status).toMatchObject({ 'Files Copied': 1, Skipped: { 'identical content': 1 } });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('is told through HttpFS too', async () => {
    const pair = await TwoClusters.make(bed, `open-httpfs-${name}`);
    const { a, root } = pair;
    const path = `${root}/tree/log`;
    await a.put(`${root}/tree/whole`, 'whole');
    if (how === 'append') await a.put(path, content('before', 2048), { blocksize: '1024' });
    await using writer = await openFile(a, path, bytes, how);
    expect(writer.listedBytes).toBe(listed);
    await expectFailed(pair, await copy(pair, [], pair.conf({ A: { url: bed.httpFs } })), path);
    // Servers that do not know GET_BLOCK_LOCATIONS refuse the checksum.
    await using faultProxy = await FaultProxy.start(bed.httpFs, {
      react: ({ operation }) =>
        operation === 'GET_BLOCK_LOCATIONS'
          ? {
              answer: {
                status: 400,
                body: '{"RemoteException":{"exception":"QueryParamException","message":"No enum constant GET_BLOCK_LOCATIONS"}}',
              },
            }
          : undefined,
    });
    await pair.b.remove(`${root}/tree`);
    await expectFailed(pair, await copy(pair, [], pair.conf({ A: { url: faultProxy.url } })), path);
  });
});

describe.concurrent('what a file costs that nobody writes', () => {
  test('no request more, and an empty one is asked about once', async () => {
    const pair = await TwoClusters.make(bed, 'open-cost');
    const { a, root } = pair;
    for (let i = 0; i < 5; i++) await a.put(`${root}/tree/f${i}`, content(`${i}`, 3000));
    await a.put(`${root}/tree/empty`, '');
    await using faultProxy = await FaultProxy.start(bed.a);
    const conf = pair.conf({ A: { url: faultProxy.url } });
    expect((await copy(pair, [], conf)).code).toBe(0);
    expect(faultProxy.count('GET_BLOCK_LOCATIONS')).toBe(1);
    expect(faultProxy.count('OPEN')).toBe(5);
    expect(
      faultProxy.requests.filter(({ operation, path }) => operation === 'GETFILESTATUS' && path.includes('/tree/')),
    ).toEqual([]);
    expect((await copy(pair, ['--force'], conf)).status).toMatchObject({ 'Files Skipped': 6 });
    expect(faultProxy.count('GET_BLOCK_LOCATIONS')).toBe(1);
  });
});

describe.concurrent('an open file elsewhere', () => {
  test('alone as the source', async () => {
    const pair = await TwoClusters.make(bed, 'open-single');
    const { a, b, root } = pair;
    await using writer = await openFile(a, `${root}/log`, 6000);
    expect(writer.listedBytes).toBe(4096);
    const result = await pair.run(['copy', '--silent', `A:${root}/log`, `B:${root}/copy`]);
    expect(result.status).toMatchObject({ 'Files Failed': 1, Retries: 0 });
    expect(await failuresOf(pair, result)).toContain(told);
    expect(await b.tree(root)).toEqual({});
  });

  test('in a snapshot is what the snapshot holds', async () => {
    const pair = await TwoClusters.make(bed, 'open-snapshot');
    const { a, b, root } = pair;
    await a.mkdirs(`${root}/tree`);
    await using writer = await openFile(a, `${root}/tree/log`, 6000);
    expect(writer.listedBytes).toBe(4096);
    await a.call('PUT', 'ALLOWSNAPSHOT', `${root}/tree`);
    await a.call('PUT', 'CREATESNAPSHOT', `${root}/tree`, { snapshotname: 's' });
    const result = await pair.run(['copy', '--silent', '--exact', `A:${root}/tree/.snapshot/s`, `B:${root}/tree`]);
    expect(result.status).toMatchObject({ 'Files Copied': 1, Verified: { checksum: 1 } });
    expect((await b.status(`${root}/tree/log`)).length).toBe(4096);
  });

  test('compared with a copy of the same length', async () => {
    const pair = await TwoClusters.make(bed, 'open-compared');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/log`, content('log', 2048), { blocksize: '1024' });
    await a.put(`${root}/tree/whole`, 'whole');
    expect((await copy(pair)).code).toBe(0);
    const before = await b.tree(root);
    await using writer = await openFile(a, `${root}/tree/log`, 0, 'append');
    expect(writer.listedBytes).toBe(2048);
    const result = await copy(pair, ['--force']);
    expect(result.status).toMatchObject({ 'Files Failed': 1, 'Files Skipped': 1, Retries: 0 });
    expect(await failuresOf(pair, result)).toContain(told);
    const dry = await copy(pair, ['--force', '--dry-run']);
    expect({ code: dry.code, says: /fail .*log.*open for writing/.test(dry.stdout) }).toEqual({ code: 1, says: true });
    const skipped = await copy(pair, ['--force', '--open-files', 'skip']);
    expect(skipped.status.Skipped).toEqual({ 'open for writing': 1, 'identical content': 1 });
    expect(await b.tree(root)).toEqual(before);
  });

  test.each([
    ['another length', 6000],
    ['the same length', 0],
  ])('at the destination, with %s: kept without --force, replaced with it', async (what, bytes) => {
    const pair = await TwoClusters.make(bed, `open-there-${bytes}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, content('file', 2048), { blocksize: '1024' });
    const there = `${root}/tree/file`;
    if (what === 'the same length') await b.put(there, content('file', 2048), { blocksize: '1024' });
    await using writer = await openFile(b, there, bytes, what === 'the same length' ? 'append' : 'create');
    expect(writer.listedBytes).toBe(what === 'the same length' ? 2048 : 4096);
    const { fileId } = await b.status(there);
    const refused = await copy(pair);
    expect(refused.status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 0, Retries: 0 });
    expect(await failuresOf(pair, refused)).toMatch(
      what === 'the same length' ? /exists and is open for writing/ : /exists and differs in length/,
    );
    expect((await b.status(there)).fileId).toBe(fileId);
    const forced = await copy(pair, ['--force']);
    expect(forced.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 0, Retries: 0 });
    const tree = await b.tree(`${root}/tree`);
    expect(temporaryNames(tree)).toEqual([]);
    expect(tree).toEqual(await a.tree(`${root}/tree`));
  });
});

test.each([
  [[], 'fail'],
  [['--force', '--preserve'], 'fail'],
  [['--open-files', 'skip'], 'skip'],
])(
  'a file that is being written anew, where an empty copy stands, is no pair of empty files: %j',
  async (flags, what) => {
    const pair = await TwoClusters.make(bed, `open-anew-${flags.join('')}`);
    const { a, b, root } = pair;
    await b.put(`${root}/tree/log`, '');
    await a.mkdirs(`${root}/tree`);
    await using writer = await openFile(a, `${root}/tree/log`, 100);
    expect(writer.listedBytes).toBe(0);
    const { code, status } = await pair.run([
      'copy',
      '--silent',
      '--exact',
      ...flags,
      `A:${root}/tree`,
      `B:${root}/tree`,
    ]);
    if (what === 'fail') expect({ code, failed: status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    else expect({ code, skipped: status.Skipped }).toEqual({ code: 0, skipped: { 'open for writing': 1 } });
  },
);
