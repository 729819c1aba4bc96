import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { parseMetrics, problemsOf, valuesOf } from '../support/prometheus.ts';
import { expectOneLine, TwoClusters } from '../support/two-clusters.ts';

/** What a copy tells Prometheus. */

const bed = inject('bed');
const KIB = 1024;

/** A tree of these many files of 1 KiB, and a directory for metrics. */
async function scene(name: string, files: number) {
  const pair = await TwoClusters.make(bed, `metrics-${name}`);
  const { a, root } = pair;
  await Promise.all(
    Array.from({ length: files }, (_, i) => a.put(`${root}/tree/d${i % 3}/f${i}`, content(`${i}`, KIB))),
  );
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-metrics-'));
  const file = join(directory, 'copy.prom');
  const args = ['copy', '--silent', '--exact', '--metrics-file', file, `A:${root}/tree`, `B:${root}/copy`];
  return { pair, root, directory, file, args };
}

function metricsIn(text: string) {
  const families = parseMetrics(text);
  expect(problemsOf(families)).toEqual([]);
  return (name: string) => valuesOf(families, name);
}

describe.concurrent('--metrics-file', () => {
  test.each([
    [1, 60],
    [2, 160],
  ])('tells all that a copy has done, by %i copiers', async (copiers, files) => {
    const { pair, root, directory, file, args } = await scene(`copy-${copiers}`, files);
    await using source = await FaultProxy.start(bed.a);
    await using destination = await FaultProxy.start(bed.b);
    const conf = pair.conf({ A: { url: source.url }, B: { url: destination.url } });
    const { code, stderr, status } = await pair.run([...args, '--copiers', String(copiers)], { conf });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(directory)).toEqual(['copy.prom']);
    const text = readFileSync(file, 'utf8');
    const of = metricsIn(text);
    expect(of('files_total')).toEqual({ copied: files, skipped: 0, failed: 0, vanished: 0, changed: 0 });
    expect(of('copied_bytes_total')).toEqual({ '': files * KIB });
    expect(of('transferred_bytes_total')).toEqual({ '': files * KIB });
    expect([of('expected_files'), of('expected_bytes')]).toEqual([{ '': files }, { '': files * KIB }]);
    expect(of('listed_entries_total')).toEqual({ files, directories: 3 });
    expect(of('retries_total')).toEqual({ '': status.Retries });
    expect(of('transfers_in_flight')).toEqual({ '': 0 });
    expect(of('copiers')).toEqual({ '': copiers });
    expect(of('remaining_seconds')).toEqual({});
    expect(of('job_phase')).toEqual({ planning: 0, copying: 0, finishing: 0, done: 1 });
    expect(of('job_exit_code')).toEqual({ '': 0 });
    expect(of('job_info')).toEqual({ [`A B ${packageJson.version}`]: 1 });
    const [begun, ended] = [of('job_start_timestamp_seconds')[''] ?? 0, of('job_end_timestamp_seconds')[''] ?? 0];
    expect(ended - begun).toBeGreaterThan(0);
    // Every request to a namenode is measured, those of copier processes too.
    const asked: Record<string, number> = {};
    for (const [alias, proxy] of Object.entries({ A: source, B: destination })) {
      for (const { operation, path } of proxy.requests) {
        const key = `${alias} ${operation}`;
        if (!path.startsWith('/jmx')) asked[key] = (asked[key] ?? 0) + 1;
      }
    }
    expect(of('namenode_request_duration_seconds_count')).toEqual(asked);
    expect(asked).toMatchObject({ 'A OPEN': files, 'B CREATE': files });
    expect(text).toContain(`job_id="${status.Job}"`);
    expect(text).not.toContain(root);
  });

  test('counts what failed, and what a resume then copies, as the Job Status does', async () => {
    const { pair, root, file, args } = await scene('resume', 5);
    const refusal = { RemoteException: { exception: 'AccessControlException', message: 'Permission denied' } };
    await using source = await FaultProxy.start(bed.a, {
      react: ({ operation, path }) =>
        operation === 'OPEN' && path.endsWith('/f3')
          ? { answer: { status: 403, body: JSON.stringify(refusal) } }
          : undefined,
    });
    const first = await pair.run(args, { conf: pair.conf({ A: { url: source.url } }) });
    expect(first.code).toBe(1);
    const failed = metricsIn(readFileSync(file, 'utf8'));
    expect(failed('files_total')).toMatchObject({ copied: 4, failed: 1 });
    expect(failed('job_exit_code')).toEqual({ '': 1 });
    const again = await pair.run(['copy', '--silent', '--resume', first.status.Job, '--metrics-file', file]);
    expect(again.code, again.stderr).toBe(0);
    const resumed = metricsIn(readFileSync(file, 'utf8'));
    expect(resumed('files_total')).toMatchObject({ copied: 5, failed: 0 });
    expect(resumed('copied_bytes_total')).toEqual({ '': 5 * KIB });
    expect(resumed('job_exit_code')).toEqual({ '': 0 });
    expect(await pair.b.tree(`${root}/copy`)).toEqual(await pair.a.tree(`${root}/tree`));
  });

  test('of a command that came to no job tells how it ended', async () => {
    const { pair, root, file } = await scene('nothing', 1);
    const { code } = await pair.run(['copy', '--metrics-file', file, `A:${root}/nowhere`, `B:${root}/copy`]);
    expect(code).toBeGreaterThan(0);
    const of = metricsIn(readFileSync(file, 'utf8'));
    expect([of('job_exit_code'), of('job_info'), of('files_total')['copied']]).toEqual([{ '': code }, {}, 0]);
    expect(readFileSync(file, 'utf8')).not.toContain('job_id');
  });

  test('that cannot be written any more is told of once, and the copy goes on', async () => {
    const { pair, root, directory, args } = await scene('gone', 1);
    await pair.a.put(`${root}/tree/slow`, content('slow', 1600 * KIB));
    const below = join(directory, 'below');
    mkdirSync(below);
    const file = join(below, 'copy.prom');
    const { child, ended } = startCli([...args, '--metrics-file', file, '--bandwidth', '200K'], {
      conf: pair.conf(),
      home: pair.home,
    });
    while (!existsSync(file) && child.exitCode === null) await sleep(20);
    rmSync(below, { recursive: true });
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expectOneLine({ stderr, code, stdout: '' } as Awaited<typeof ended>, [
      file,
      'cannot be written any more',
      'ENOENT',
    ]);
  });
});

/** Reads the address that a copy with `--metrics-port 0` tells on stderr. */
function addressOf(child: ReturnType<typeof startCli>['child']): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (part: string) => {
      text += part;
      const [address] = /http:\/\/\S+\/metrics/.exec(text) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.on('close', () => reject(new Error(text)));
  });
}

describe.concurrent('--metrics-port', () => {
  test('answers while the copy runs, and ends with it', async () => {
    const { pair, root } = await scene('port', 3);
    await pair.a.put(`${root}/tree/slow`, content('slow', 4096 * KIB));
    const args = ['copy', '--silent', '--exact', '--bandwidth', '20K', '--metrics-port', '0'];
    const { child, ended } = startCli([...args, `A:${root}/tree`, `B:${root}/copy`], {
      conf: pair.conf(),
      home: pair.home,
    });
    const address = await addressOf(child);
    expect(new URL(address).hostname).toBe('127.0.0.1');
    const scrape = async () => {
      const answer = await fetch(address);
      expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
      return metricsIn(await answer.text());
    };
    let of = await scrape();
    while (of('transfers_in_flight')[''] !== 1 || !of('remaining_seconds')['']) {
      await sleep(50);
      of = await scrape();
    }
    expect(of('job_phase')).toMatchObject({ planning: 0, copying: 1 });
    expect(of('throughput_bytes_per_second')['']).toBeGreaterThan(0);
    expect(of('transferred_bytes_total')['']).toBeLessThan(4100 * KIB);
    expect([of('job_end_timestamp_seconds'), of('job_exit_code')]).toEqual([{}, {}]);
    expect((await fetch(new URL('/', address))).status).toBe(404);
    expect((await fetch(address, { method: 'POST', body: '' })).status).toBe(405);
    expect(await (await fetch(address, { method: 'HEAD' })).text()).toBe('');
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    await expect(fetch(address)).rejects.toThrow();
  });
});

describe.concurrent('metrics that cannot be told', () => {
  test('are refused before anything is asked of a cluster', async () => {
    const { pair, root, directory } = await scene('refused', 1);
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => taken.once('listening', done));
    const port = String((taken.address() as AddressInfo).port);
    await using source = await FaultProxy.start(bed.a);
    const conf = pair.conf({ A: { url: source.url } });
    const file = join(directory, 'copy.prom');
    const refused: [string[], string[]][] = [
      [
        ['--metrics-port', port],
        ['--metrics-port', 'EADDRINUSE', port],
      ],
      [['--metrics-port', port, '--metrics-file', file], ['EADDRINUSE']],
      [
        ['--metrics-port', '65536'],
        ["'65536'", 'no port'],
      ],
      [['--metrics-port', '-1'], ["'-1'"]],
      [
        ['--metrics-port', '0', '--metrics-host', '203.0.113.7'],
        ['EADDRNOTAVAIL', '203.0.113.7'],
      ],
      [['--metrics-host', '::1'], ['--metrics-port']],
      [
        ['--metrics-file', join(directory, 'none', 'x.prom')],
        ['ENOENT', 'x.prom'],
      ],
      [['--metrics-file', directory], [directory]],
      [['--metrics-file', file, '--dry-run'], ['dry run']],
    ];
    for (const [flags, says] of refused)
      await pair.expectRefused(['copy', ...flags, `A:${root}/tree`, `B:${root}/copy`], { code: 2, says, conf });
    taken.close();
    expect(source.requests).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });
});
