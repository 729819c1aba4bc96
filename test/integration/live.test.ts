import { describe, expect, inject, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { openFile } from '../support/open-file.ts';
import type { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** Sources that are in use: what vanishes, changes or is written while a job runs, with --live and without. */

const bed = inject('bed');
const LENGTH = 2000;
const OLD = 'as it was';

/** Runs a copy with `flags`, and does something at the source before its server hears of some requests. */
async function copyWhile(
  pair: TwoClusters,
  act: (request: FaultProxyRequest) => Promise<void>,
  flags: readonly string[],
): Promise<CliResult> {
  await using faultProxy = await FaultProxy.start(bed.a, {
    datanodes: true,
    react: (request) => act(request).then(() => undefined),
  });
  const args = ['copy', '--silent', '--exact', '--force', ...flags, `A:${pair.root}/tree`, `B:${pair.root}/tree`];
  return await pair.run(args, { conf: pair.conf({ A: { url: faultProxy.url } }) });
}

/** Every file has ended in one way. */
function expectToAddUp(status: CliResult['status']): void {
  const endings = ['Copied', 'Skipped', 'Failed', 'Vanished', 'Changed'] as const;
  const settled = endings.map((ending) => status[`Files ${ending}`] ?? 0).reduce((sum, files) => sum + files, 0);
  expect(settled).toBe(status['Files Expected']);
}

async function failuresOf(pair: TwoClusters, { status }: CliResult): Promise<string> {
  return (await pair.run(['status', status.Job, '--failures'])).stdout;
}

let counter = 0;
const rewritten = () => content(`version ${++counter}`, LENGTH);

/** A file is opened at the namenode, and its checksum comes from the datanode that had its bytes. */
const opens = ({ operation, to }: FaultProxyRequest) => operation === 'OPEN' && to === 'namenode';
const hasRead = ({ operation, to }: FaultProxyRequest) => operation === 'GETFILECHECKSUM' && to === 'datanode';

type Change = (a: TestHdfs, path: string) => Promise<unknown>;
const changes: [string, 'vanished' | 'changed', typeof opens, Change][] = [
  ['vanishes before it is opened', 'vanished', opens, (a, path) => a.remove(path)],
  ['vanishes once it was read', 'vanished', hasRead, (a, path) => a.remove(path)],
  ['vanishes with its directory', 'vanished', opens, (a, path) => a.remove(path.replace('/it', ''))],
  ['grows whenever it is opened', 'changed', opens, (a, path) => a.append(path, 'more')],
  ['shrinks whenever it is opened', 'changed', opens, (a, path) => a.put(path, content('less', --shorter))],
  ['is written anew whenever it was read', 'changed', hasRead, (a, path) => a.put(path, rewritten())],
];
let shorter = LENGTH;

describe.concurrent.each(changes)('a file that %s', (what, ending, isTime, change) => {
  const scene = async (name: string) => {
    const pair = await TwoClusters.make(bed, `live-${name}-${what.replaceAll(' ', '-')}`);
    const { a, b, root } = pair;
    await a.put(`${root}/tree/dir/it`, content('it', LENGTH));
    await a.put(`${root}/tree/whole`, 'whole');
    await b.put(`${root}/tree/dir/it`, OLD);
    const act = async (request: FaultProxyRequest) => {
      if (isTime(request) && request.path.endsWith('/it')) await change(a, request.path);
    };
    return { pair, act };
  };
  const expectOldToStay = async ({ b, root }: TwoClusters) => {
    const tree = await b.tree(`${root}/tree`);
    expect(temporaryNames(tree)).toEqual([]);
    expect(Object.keys(tree)).toEqual(['/dir/', '/dir/it', '/whole']);
    expect(await b.get(`${root}/tree/dir/it`)).toEqual(Buffer.from(OLD));
  };

  test('is counted as such with --live, and fails nothing', async () => {
    const { pair, act } = await scene('with');
    const result = await copyWhile(pair, act, ['--live', '--json']);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(result.status).toMatchObject({
      Outcome: 'Successful',
      'Files Copied': 1,
      'Files Failed': 0,
      'Files Vanished': ending === 'vanished' ? 1 : 0,
      'Files Changed': ending === 'changed' ? 1 : 0,
    });
    expectToAddUp(result.status);
    const path = `${pair.root}/tree/dir/it`;
    expect(result.stdout).toMatch(new RegExp(`"path":"${path}","outcome":"${ending}"`));
    expect(await failuresOf(pair, result)).toContain(`${path}\n`);
    await expectOldToStay(pair);
  });

  test('fails without, and the advice names --live', async () => {
    const { pair, act } = await scene('without');
    const result = await copyWhile(pair, act, []);
    expect(result.code).toBe(1);
    expect(result.status).toMatchObject({
      Outcome: 'Failed',
      'Files Copied': 1,
      'Files Failed': 1,
      'Failed Meanwhile': { [ending]: 1 },
    });
    expectToAddUp(result.status);
    expect(result.status).not.toHaveProperty('Files Vanished');
    expect(result.stderr).toContain(`1 ${ending} while the job ran, which is no failure with --live`);
    await expectOldToStay(pair);
  });
});

describe.concurrent('with --live', () => {
  const LIVE = ['--live'];

  test('a file that somebody writes has changed, and is copied when it is closed', async () => {
    const pair = await TwoClusters.make(bed, 'live-open');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/whole`, 'whole');
    await b.put(`${root}/tree/log`, OLD);
    const idle = () => Promise.resolve();
    {
      await using writer = await openFile(a, `${root}/tree/log`, 6000);
      expect(writer.listedBytes).toBe(4096);
      const { code, status } = await copyWhile(pair, idle, LIVE);
      expect(code).toBe(0);
      expect(status).toMatchObject({ 'Files Copied': 1, 'Files Changed': 1, Retries: 0 });
      expect(await b.get(`${root}/tree/log`)).toEqual(Buffer.from(OLD));
      const skipped = await copyWhile(pair, idle, ['--live', '--open-files', 'skip']);
      expect(skipped.status).toMatchObject({ 'Files Changed': 0, Skipped: { 'open for writing': 1 } });
    }
    expect((await copyWhile(pair, idle, LIVE)).status).toMatchObject({ 'Files Copied': 1, 'Files Changed': 0 });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('one change is no news: the file is copied as it is then', async () => {
    const pair = await TwoClusters.make(bed, 'live-once');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/it`, content('it', LENGTH));
    let times = 0;
    const act = async (request: FaultProxyRequest) => {
      const { path } = request;
      if (opens(request) && times++ === 0) await a.append(path, 'more');
    };
    const { code, status } = await copyWhile(pair, act, LIVE);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Files Changed': 0, 'Files Vanished': 0, Retries: 1 });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('what fails for another reason fails, and a resume takes up again what has changed', async () => {
    const pair = await TwoClusters.make(bed, 'live-resume');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/it`, content('it', LENGTH));
    await a.put(`${root}/tree/gone`, content('gone', LENGTH));
    await a.put(`${root}/tree/other`, 'other');
    await b.put(`${root}/tree/other`, 'differs');
    const act = async (request: FaultProxyRequest) => {
      const { path } = request;
      if (opens(request) && path.endsWith('/it')) await a.append(path, 'more');
      if (opens(request) && path.endsWith('/gone')) await a.remove(path);
    };
    await using faultProxy = await FaultProxy.start(bed.a, { react: (request) => act(request).then(() => undefined) });
    const args = ['copy', '--silent', '--exact', '--live', '--max-failures', '1', `A:${root}/tree`, `B:${root}/tree`];
    const first = await pair.run(args, { conf: pair.conf({ A: { url: faultProxy.url } }) });
    expect(first.code).toBe(1);
    expect(first.status).toMatchObject({ 'Files Failed': 1, 'Files Vanished': 1, 'Files Changed': 1 });
    expect(first.status).not.toHaveProperty('Failed Meanwhile');
    expectToAddUp(first.status);
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job, '--force']);
    expect(resumed.code).toBe(0);
    expect(resumed.status).toMatchObject({ 'Files Copied': 2, 'Files Vanished': 1, 'Files Changed': 0 });
    expectToAddUp(resumed.status);
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('may be said on a resume', async () => {
    const pair = await TwoClusters.make(bed, 'live-later');
    const { a, root } = pair;
    await a.put(`${root}/tree/gone`, content('gone', LENGTH));
    const act = async (request: FaultProxyRequest) => {
      const { path } = request;
      if (opens(request)) await a.remove(path);
    };
    const first = await copyWhile(pair, act, []);
    expect(first.status).toMatchObject({ 'Files Failed': 1 });
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job, '--live']);
    expect(resumed.code).toBe(0);
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Failed': 0, 'Files Vanished': 1 });
  });

  test('a large file that changes between its chunks leaves none of them', async () => {
    const pair = await TwoClusters.make(bed, 'live-chunks');
    const { a, b, root } = pair;
    const MIB = 2 ** 20;
    await a.put(`${root}/tree/large`, content('large', 9 * MIB));
    let times = 0;
    const act = async (request: FaultProxyRequest) => {
      const { path } = request;
      if (opens(request) && ++times === 2) await a.append(path, 'more');
    };
    const flags = [...LIVE, '--split-above', `${4 * MIB}`, '--chunk-size', `${4 * MIB}`, '--threads', '1'];
    const { code, status } = await copyWhile(pair, act, flags);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Split': { 'chunks of 4.0 MiB': 1 }, 'Files Changed': 1, 'Files Copied': 0 });
    expectToAddUp(status);
    expect(await b.tree(`${root}/tree`)).toEqual({});
  });

  test('--direct is refused: neither version would be left', async () => {
    const pair = await TwoClusters.make(bed, 'live-direct');
    const { code, stderr } = await pair.run(['copy', '--live', '--direct', `A:${pair.root}`, `B:${pair.root}/x`]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('options.live: cannot go with direct') as string,
    });
  });
});

describe.concurrent('with --live and --delete', () => {
  const FLAGS = ['--live', '--delete'];

  test('what has vanished is found to be gone, and what has changed keeps its namesake', async () => {
    const pair = await TwoClusters.make(bed, 'live-delete');
    const { a, b, root } = pair;
    for (const file of ['busy', 'gone']) {
      await a.put(`${root}/tree/${file}`, content(file, LENGTH));
      await b.put(`${root}/tree/${file}`, OLD);
    }
    await a.put(`${root}/tree/whole`, 'whole');
    await b.put(`${root}/tree/extra`, 'extra');
    const act = async (request: FaultProxyRequest) => {
      const { path } = request;
      if (opens(request) && path.endsWith('/gone')) await a.remove(path);
      if (opens(request) && path.endsWith('/busy')) await a.append(path, 'more');
    };
    const { code, status } = await copyWhile(pair, act, FLAGS);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Vanished': 1, 'Files Changed': 1, 'Files Copied': 1, 'Files Deleted': 2 });
    expectToAddUp(status);
    expect(Object.keys(await b.tree(`${root}/tree`))).toEqual(['/busy', '/whole']);
    expect(await b.get(`${root}/tree/busy`)).toEqual(Buffer.from(OLD));
  });

  test('a directory that vanishes while it is walked protects its namesake, until the next run', async () => {
    const pair = await TwoClusters.make(bed, 'live-directory');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/a/lost/file`, 'file');
    await a.put(`${root}/tree/whole`, 'whole');
    for (const file of ['a/lost/file', 'a/lost/deep/file', 'a/extra']) await b.put(`${root}/tree/${file}`, OLD);
    const act = async (request: FaultProxyRequest) => {
      const { operation, path } = request;
      if (operation.startsWith('LISTSTATUS') && path.endsWith('/lost')) await a.remove(`${root}/tree/a`);
    };
    const { code, status } = await copyWhile(pair, act, FLAGS);
    expect(code).toBe(0);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Failed': 0, 'Files Deleted': 1 });
    expect(status['Files Vanished']).toBeGreaterThan(0);
    expect(status['Not Deleted']).toMatch(/^\d directories vanished while they were walked, and stay for this time$/);
    expectToAddUp(status);
    expect(Object.keys(await b.tree(`${root}/tree`)).filter((path) => !path.endsWith('/'))).toEqual([
      '/a/lost/deep/file',
      '/a/lost/file',
      '/whole',
    ]);
    const next = await copyWhile(pair, () => Promise.resolve(), FLAGS);
    expect(next.status).toMatchObject({ 'Files Vanished': 0, 'Files Deleted': 2 });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('without --live such a directory fails, and nothing is deleted', async () => {
    const pair = await TwoClusters.make(bed, 'live-directory-failed');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/lost/file`, 'file');
    await b.put(`${root}/tree/extra`, OLD);
    const act = async (request: FaultProxyRequest) => {
      const { operation, path } = request;
      if (operation.startsWith('LISTSTATUS') && path.endsWith('/lost')) await a.remove(path);
    };
    const { code, status } = await copyWhile(pair, act, ['--delete']);
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Failed Meanwhile': { vanished: 1 }, 'Files Deleted': 0 });
  });
});
