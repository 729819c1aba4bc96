import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import type { Estimate } from '../../shared/estimate/estimate.ts';
import { startCli } from '../support/cli.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** A sample is copied beside the destination, and nothing of it is left, however the estimate ends. */

const bed = inject('bed');

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `sample-${name}`);
  const { a, root } = pair;
  for (let i = 0; i < 8; i++) await a.put(`${root}/tree/d/small${i}`, content(`s${i}`, 1000 + i));
  for (let i = 0; i < 3; i++) await a.put(`${root}/tree/middle${i}`, content(`m${i}`, 3_000_000));
  return { pair, ends: [`A:${root}/tree`, `B:${root}/tree`] };
}

/** An estimate whose sample cannot end by itself before the test ends, once a file of the sample is being written. */
async function sampling({ pair, ends }: Awaited<ReturnType<typeof scene>>) {
  const { b, root, home } = pair;
  const args = ['estimate', '--silent', '--sample=250', '--bandwidth', '20K', ...ends];
  const { child, ended } = startCli(args, { conf: bed.configFile, home });
  for (;;) {
    const names = Object.keys(await b.tree(root));
    if (names.some((path) => /_hdfs-fanout\.sample\.[^/]+\/.+/.test(path))) return { child, ended };
    if (child.exitCode !== null) throw new Error(`it ended: ${(await ended).stderr}`);
    await sleep(100);
  }
}

describe.concurrent('a sample', () => {
  test('measures rates, and leaves nothing', async () => {
    const { pair, ends } = await scene('measures');
    const { root, b, home } = pair;
    const before = await pair.trees();
    const { code, stdout, stderr } = await pair.run(['estimate', '--json', '--sample', '--preserve', ...ends]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { rates } = JSON.parse(stdout) as Estimate;
    expect(rates.isMeasured).toBe(true);
    // JSON has no Infinity.
    expect(rates.here.small.bytesPerSecond).toBeNull();
    expect(rates.here.middle.filesPerSecond).toBeNull();
    expect(rates.here.small.filesPerSecond).toBeGreaterThan(0);
    expect(rates.here.middle.bytesPerSecond).toBeGreaterThan(0);
    expect(rates.here.large).toEqual({ filesPerSecond: 100, bytesPerSecond: 50_000_000 });
    expect(await pair.trees()).toEqual(before);
    expect(readdirSync(join(home, 'samples'))).toEqual([]);
    expect((await pair.run(['jobs'])).stdout).toBe('');
    const text = await pair.run(['estimate', '--silent', '--sample=3', ...ends]);
    expect(text.stdout).toContain('Measured from this machine with a sample');
    expect(text.stdout.replace(/\s+/g, ' ')).toContain(
      'The sample had no large files: of them 50 MB/s a copier are assumed.',
    );
    for (const line of text.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(await b.tree(root)).toEqual(before.b);
  });

  test('is removed when the estimate is interrupted', async () => {
    const one = await scene('interrupted');
    const { child, ended } = await sampling(one);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(130);
    expect(await one.pair.b.tree(one.pair.root)).toEqual({});
    expect(readdirSync(join(one.pair.home, 'samples'))).toEqual([]);
  });

  test('of an estimate that was killed is removed by clean', async () => {
    const one = await scene('killed');
    const { child } = await sampling(one);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const { pair } = one;
    expect(await pair.b.tree(pair.root)).not.toEqual({});
    const [id = ''] = readdirSync(join(pair.home, 'samples')).map((name) => name.replace('.json', ''));
    const { code, stdout, stderr } = await pair.run(['clean', id]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${id} is clean`);
    expect(await pair.b.tree(pair.root)).toEqual({});
    expect(readdirSync(join(pair.home, 'samples'))).toEqual([]);
  });

  test('of an estimate that was killed is removed by the next one', async () => {
    const one = await scene('next');
    const { child } = await sampling(one);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const { pair, ends } = one;
    const { code, stderr } = await pair.run(['estimate', '--silent', '--sample=3', ...ends]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('which an estimate had left that was killed');
    expect(await pair.b.tree(pair.root)).toEqual({});
  });
});
