import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { type CliResult, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What `jobs prune` removes, and what it keeps. */

const bed = inject('bed');
const MIB = 1024 * 1024;
const refusal = { RemoteException: { exception: 'AccessControlException', message: 'Permission denied' } };

interface Told {
  /** None of a summary. */
  readonly job?: string;
  readonly removed?: boolean;
  readonly kept?: string;
}

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `prune-${name}`);
  const { a, root } = pair;
  await a.put(`${root}/tree/one`, 'one');
  await a.put(`${root}/tree/two`, 'two');
  const copy = async (to: string, flags: readonly string[] = [], refused?: (request: FaultProxyRequest) => boolean) => {
    await using source = await FaultProxy.start(bed.a, {
      react: (request) => (refused?.(request) ? { answer: { status: 403, body: JSON.stringify(refusal) } } : undefined),
    });
    const args = ['copy', '--silent', '--exact', ...flags, `A:${root}/tree`, `B:${root}/${to}`];
    return await pair.run(args, { conf: pair.conf({ A: { url: source.url } }) });
  };
  const prune = async (...args: string[]) => {
    const result = await pair.run(['jobs', 'prune', ...args, '--json']);
    expect(result.code, result.stderr).toBe(0);
    const told = result.stdout.trimEnd().split('\n').filter(Boolean);
    return told.map((line) => JSON.parse(line) as Told).filter(({ job }) => job !== undefined);
  };
  const ids = async () => {
    const { stdout } = await pair.run(['jobs', '--json']);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { Job: string }).Job);
  };
  return { pair, root, copy, prune, ids };
}

const jobOf = ({ status }: CliResult) => status.Job;

describe.concurrent('jobs prune', () => {
  test('removes what ended before, and nothing on a dry run', async () => {
    const { pair, copy, prune, ids } = await scene('ended');
    const whole = jobOf(await copy('whole'));
    const failed = jobOf(
      await copy('failed', [], ({ operation, path }) => operation === 'OPEN' && path.endsWith('two')),
    );
    expect(await prune('--older-than', '1h')).toEqual([]);
    expect(await prune('--older-than', '0s', '--dry-run')).toEqual([
      { type: 'job', job: failed, removed: false },
      { type: 'job', job: whole, removed: false },
    ]);
    expect(await ids()).toEqual([failed, whole]);
    const { stdout, code } = await pair.run(['jobs', 'prune', '--older-than', '0s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^${failed} {2}removed\\n${whole} {2}removed\\n2 jobs removed, [\\d.]+ \\w+ freed\\n$`),
    );
    expect(stdout).not.toContain(' 0 B freed');
    expect(await ids()).toEqual([]);
    expect(readdirSync(join(pair.home, 'manifests'))).toEqual([]);
    expect((await pair.run(['status', whole])).code).toBe(2);
  });

  test('removes only what is named, and nothing where one of these is kept', async () => {
    const { pair, copy, prune, ids } = await scene('named');
    const [one, two] = [jobOf(await copy('one')), jobOf(await copy('two'))];
    for (const [args, says] of [
      [[one, '20000101-000000-abcdef'], 'no job 20000101-000000-abcdef'],
      [[], '--older-than 30d'],
      [['--older-than', 'soon'], '"soon" is no time'],
      [['--older-than', '0s', '--force'], 'name them'],
    ] as const) {
      const { code, stderr } = await pair.run(['jobs', 'prune', ...args]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
    }
    expect(await ids()).toEqual([two, one]);
    await prune(one);
    expect(await ids()).toEqual([two]);
  });

  test('keeps a job that runs, and one that may have left temporary files until it is cleaned', async () => {
    const { pair, root, copy, prune, ids } = await scene('running');
    const done = jobOf(await copy('done'));
    await pair.a.put(`${root}/tree/slow`, content('slow', 4 * MIB));
    const args = ['copy', '--silent', '--exact', '--bandwidth', '50K', `A:${root}/tree`, `B:${root}/slow`];
    const { child, ended } = startCli(args, { conf: pair.conf(), home: pair.home });
    const hasBegun = async () => Object.keys(await pair.b.tree(`${root}/slow`).catch(() => ({}))).length > 2;
    while (!(await hasBegun())) await sleep(50);
    const [running = ''] = await ids();
    expect(await prune('--older-than', '0s')).toEqual([
      { type: 'job', job: running, kept: 'it is running' },
      { type: 'job', job: done, removed: true },
    ]);
    child.kill('SIGKILL');
    await ended;
    const kept = `it may have left temporary files or a snapshot: hdfs-fanout clean ${running} deletes them`;
    // Its copiers may take a moment to end.
    while ((await prune('--older-than', '0s'))[0]?.kept === 'it is running') await sleep(50);
    expect(await prune('--older-than', '0s')).toEqual([{ type: 'job', job: running, kept }]);
    const refused = await pair.run(['jobs', 'prune', '--force', running]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(kept)]);
    expect((await pair.run(['clean', running])).code).toBe(0);
    expect(await prune('--older-than', '0s')).toEqual([{ type: 'job', job: running, removed: true }]);
  });

  test('keeps a failed job whose chunks still stand at the destination', async () => {
    const { pair, root, copy, prune } = await scene('chunks');
    await pair.a.put(`${root}/tree/large`, content('large', 9 * MIB));
    const isSecond = ({ operation, query }: FaultProxyRequest) => operation === 'OPEN' && /offset=[1-9]/.test(query);
    const split = ['--split-above', String(MIB), '--chunk-size', String(4 * MIB)];
    const { status } = await copy('chunks', split, isSecond);
    expect(status).toMatchObject({ Outcome: 'Failed', Phase: 'done', 'Files Failed': 1 });
    expect(await prune('--older-than', '0s')).toEqual([
      { type: 'job', job: status.Job, kept: expect.stringContaining('hdfs-fanout clean') as string },
    ]);
  });

  test('removes a job that was killed while it was planned only by name and by force', async () => {
    const { pair, root, prune, ids } = await scene('planning');
    await using source = await FaultProxy.start(bed.a, {
      react: ({ operation }) => (operation.startsWith('LISTSTATUS') ? 'hang' : undefined),
    });
    const { child, ended } = startCli(['copy', '--silent', '--exact', `A:${root}/tree`, `B:${root}/copy`], {
      conf: pair.conf({ A: { url: source.url } }),
      home: pair.home,
    });
    while (source.count('LISTSTATUS_BATCH') === 0) await sleep(50);
    child.kill('SIGKILL');
    await ended;
    const [id = ''] = await ids();
    const kept = `it has not ended: hdfs-fanout jobs prune --force ${id} removes it`;
    while ((await prune('--older-than', '0s'))[0]?.kept === 'it is running') await sleep(50);
    expect(await prune('--older-than', '0s')).toEqual([{ type: 'job', job: id, kept }]);
    expect((await pair.run(['jobs', 'prune', id])).stderr).toContain(kept);
    expect(await prune('--force', id)).toEqual([{ type: 'job', job: id, removed: true }]);
  });

  test('keeps what the next job of a mirror has to know', async () => {
    const { pair, root, copy, prune } = await scene('mirror');
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', `${root}/tree`);
    const first = jobOf(await copy('mirror', ['--force', '--snapshot']));
    await pair.a.put(`${root}/tree/three`, 'three');
    const second = await copy('mirror', ['--force', '--snapshot']);
    expect(second.status).toHaveProperty('Snapshot Base');
    const plain = await copy('mirror', ['--force']);
    const kept = 'the next job of a mirror has to know of it';
    expect(await prune('--older-than', '0s')).toEqual([
      { type: 'job', job: jobOf(plain), kept },
      { type: 'job', job: jobOf(second), kept },
      { type: 'job', job: first, removed: true },
    ]);
    const third = await copy('mirror', ['--force', '--snapshot']);
    expect(third.status['Whole Walk']).toContain(`${jobOf(plain)} has written to the destination since`);
    await pair.a.put(`${root}/tree/four`, 'four');
    const fourth = await copy('mirror', ['--force', '--snapshot']);
    expect(fourth.status).toMatchObject({
      'Files Copied': 1,
      'Snapshot Base': expect.stringContaining(jobOf(third)) as string,
    });
    expect((await prune('--older-than', '0s')).filter(({ removed }) => removed)).toHaveLength(3);
  });
});
