import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { varied } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
/** A multiple of the blocks of both clusters. */
const PART = 4 * MIB;
const PARTS = 11;
const LENGTH = (PARTS - 1) * PART + 77;
const inParts = ['--chunk-size', String(PART)];

/** HttpFS redirects an upload to itself. */
const isAdding = ({ operation, to, query }: FaultProxyRequest) =>
  operation === 'APPEND' && (to === 'datanode' || query.includes('data=true'));
const isPromotion = ({ operation, query }: FaultProxyRequest) =>
  operation === 'RENAME' && new URLSearchParams(query).get('destination')?.endsWith('/out/long') === true;

/** Where the parts that were read begin, each once for every time. */
function offsetsIn(requests: readonly FaultProxyRequest[]): number[] {
  const opened = requests.filter(
    ({ operation, to, path }) => operation === 'OPEN' && to === 'namenode' && path.endsWith('/in/long'),
  );
  return opened.map(({ query }) => Number(new URLSearchParams(query).get('offset') ?? 0));
}

describe.each(['B', 'HttpFS'] as const)('a file in parts to %s whose copy is killed with kill -9', (kind) => {
  /** Both clusters behind proxies; what the destination is asked goes through `react`. */
  async function between(name: string, react: (request: FaultProxyRequest) => Reaction | undefined) {
    const pair = await TwoClusters.make(bed, `parts-${kind}-${name}`);
    // The source of a copy through A's HttpFS is B.
    const [from, to] = kind === 'B' ? [pair.a, pair.b] : [pair.b, pair.a];
    const source = await FaultProxy.start(from.url);
    const destination = await FaultProxy.start(kind === 'B' ? bed.b : bed.httpFs, { datanodes: true, react });
    const conf = pair.conf({ A: { url: source.url }, B: { url: destination.url } });
    await from.put(`${pair.root}/in/long`, varied(name, LENGTH));
    const copy = ['copy', '--silent', `A:${pair.root}/in`, `B:${pair.root}/out`, ...inParts];
    return {
      pair,
      from,
      to,
      source,
      destination,
      copy,
      options: { conf, home: newHome() },
      async [Symbol.asyncDispose]() {
        await source[Symbol.asyncDispose]();
        await destination[Symbol.asyncDispose]();
      },
    };
  }

  async function jobIn(options: { conf: string; home: string }): Promise<string> {
    const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string };
    return job;
  }

  it('five times in the middle of a part, goes on behind the last part that was recorded', async () => {
    let kill: () => void = () => undefined;
    let added = 0;
    await using ends = await between('often', (request) => {
      // While the second part of each run is on its way, a part of its bytes having been written.
      if (isAdding(request) && ++added === 2) setTimeout(() => kill(), 250);
      return undefined;
    });
    const { options, source, destination, from, to, pair } = ends;
    const slow = ['--bandwidth', '8M'];
    let args = [...ends.copy, ...slow];
    for (let killed = 0; killed < 5; killed++) {
      added = 0;
      const { child, ended } = startCli(args, options);
      kill = () => child.kill('SIGKILL');
      expect(await ended, `run ${killed}`).toMatchObject({ code: null });
      args = ['copy', '--silent', '--resume', await jobIn(options)];
    }
    kill = () => undefined;
    const last = await runCli([...args, '--bandwidth', 'off'], options);
    expect({ code: last.code, stderr: last.stderr }).toEqual({ code: 0, stderr: '' });
    expect(last.status).toMatchObject({
      'Files Expected': 1,
      'Files Copied': 1,
      'Size Copied': LENGTH,
      'Files Failed': 0,
      'Files Skipped': 0,
      Verified: { checksum: 1 },
    });
    expect(temporaryNames(await to.tree(pair.root))).toEqual([]);
    expect(await to.tree(`${pair.root}/out`)).toEqual(await from.tree(`${pair.root}/in`));
    // Each part once, and again only the five that were cut off.
    const offsets = offsetsIn(source.requests);
    expect(new Set(offsets)).toEqual(new Set(Array.from({ length: PARTS }, (_, part) => part * PART)));
    expect(offsets).toHaveLength(PARTS + 5);
    expect(destination.count('TRUNCATE')).toBeGreaterThan(0);
  });

  it.each([
    { moment: 'before its first part', of: isAdding, number: 1, fault: 'cut-before', again: 1 },
    { moment: 'once its third part was added', of: isAdding, number: 3, fault: 'cut-after', again: 1 },
    { moment: 'before it is promoted', of: isPromotion, number: 1, fault: 'cut-before', again: 0 },
    { moment: 'after it was promoted', of: isPromotion, number: 1, fault: 'cut-after', again: 0 },
  ] as const)('$moment, ends with equal trees and exact counts', async ({ moment, of, number, fault, again }) => {
    let seen = 0;
    let kill: () => void = () => undefined;
    await using ends = await between(moment.replaceAll(' ', '-'), (request) => {
      if (!of(request) || ++seen !== number) return undefined;
      kill();
      return fault;
    });
    const { options, source, from, to, pair } = ends;
    await to.put(`${pair.root}/out/long`, 'older');
    const { child, ended } = startCli([...ends.copy, '--exact', '--force'], options);
    kill = () => child.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: null });
    const { code, status, stderr } = await runCli(['copy', '--silent', '--resume', await jobIn(options)], options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Expected': 1, 'Files Copied': 1, 'Size Copied': LENGTH, 'Files Skipped': 0 });
    expect(temporaryNames(await to.tree(pair.root))).toEqual([]);
    expect(await to.tree(`${pair.root}/out`)).toEqual(await from.tree(`${pair.root}/in`));
    expect(offsetsIn(source.requests).length - PARTS).toBeLessThanOrEqual(again);
  });

  it('and that is cleaned, leaves nothing', async () => {
    let kill: () => void = () => undefined;
    let added = 0;
    await using ends = await between('cleaned', (request) => {
      if (isAdding(request) && ++added === 3) kill();
      return undefined;
    });
    const { options, to, pair } = ends;
    const { child, ended } = startCli(ends.copy, options);
    kill = () => child.kill('SIGKILL');
    await ended;
    // A datanode closes what a connection that broke off has left.
    await sleep(1000);
    expect(temporaryNames(await to.tree(pair.root))).toHaveLength(1);
    const cleaned = await runCli(['clean', await jobIn(options)], options);
    expect({ code: cleaned.code, stderr: cleaned.stderr }).toEqual({ code: 0, stderr: '' });
    expect(temporaryNames(await to.tree(pair.root))).toEqual([]);
  });
});
