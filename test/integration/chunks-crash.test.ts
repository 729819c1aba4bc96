import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
const LENGTH = 21 * MIB + 77;
const chunked = ['--split-above', String(4 * MIB), '--chunk-size', String(4 * MIB)];

/** HttpFS redirects an upload to itself. */
const isChunkWrite = ({ operation, to, query }: FaultProxyRequest) =>
  operation === 'CREATE' && (to === 'datanode' || query.includes('data=true'));
const isNamed = ({ operation, query }: FaultProxyRequest) =>
  operation === 'RENAME' && /\.s0\.\d+$/.test(new URLSearchParams(query).get('destination') ?? '');
const isJoin = ({ operation, path }: FaultProxyRequest) => operation === 'CONCAT' && !path.includes('probe');
const isPromotion = ({ operation, query }: FaultProxyRequest) =>
  operation === 'RENAME' && new URLSearchParams(query).get('destination')?.endsWith('/out/long') === true;

describe.each(['B', 'HttpFS'] as const)('a copy in chunks to %s, killed with kill -9', (kind) => {
  const namenode = kind === 'B' ? bed.b : bed.httpFs;

  it.each([
    { moment: 'while the third chunk is written', of: isChunkWrite, number: 3, fault: 'cut-before' },
    { moment: 'once the fifth chunk was written', of: isChunkWrite, number: 5, fault: 'cut-after' },
    { moment: 'before a chunk has its name', of: isNamed, number: 2, fault: 'cut-before' },
    { moment: 'once a chunk has its name', of: isNamed, number: 2, fault: 'cut-after' },
    { moment: 'before CONCAT', of: isJoin, number: 1, fault: 'cut-before' },
    { moment: 'after CONCAT', of: isJoin, number: 1, fault: 'cut-after' },
    { moment: 'before it is promoted', of: isPromotion, number: 1, fault: 'cut-before' },
    { moment: 'after it was promoted', of: isPromotion, number: 1, fault: 'cut-after' },
  ] as const)('$moment and resumed, ends with equal trees and exact counts', async ({ moment, of, number, fault }) => {
    const pair = await TwoClusters.make(bed, `chunks-killed-${kind}-${moment.replaceAll(' ', '-')}`);
    // The source of a copy through A's HttpFS is B.
    const [from, to] = kind === 'B' ? [pair.a, pair.b] : [pair.b, pair.a];
    await from.put(`${pair.root}/in/long`, content(moment, LENGTH));
    await to.put(`${pair.root}/out/long`, 'older');
    let seen = 0;
    let kill: () => void = () => undefined;
    await using proxy = await FaultProxy.start(namenode, {
      datanodes: true,
      react: (request) => {
        if (!of(request) || ++seen !== number) return undefined;
        kill();
        return fault;
      },
    });
    const ends = (url: string) =>
      kind === 'B' ? pair.conf({ B: { url } }) : pair.conf({ A: { url: bed.b }, B: { url } });
    const home = newHome();
    const args = ['copy', '--silent', '--exact', '--force', `A:${pair.root}/in`, `B:${pair.root}/out`, ...chunked];
    const { child, ended } = startCli(args, { conf: ends(proxy.url), home });
    kill = () => child.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: null });
    const partial = (await to.list(`${pair.root}/out`)).filter(({ pathSuffix }) => pathSuffix === 'long');
    expect([5, LENGTH, undefined]).toContain(partial[0]?.length);
    const options = { conf: ends(namenode), home };
    const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string };
    const { code, status } = await runCli(['copy', '--silent', '--resume', job], options);
    expect({ code, expected: status['Files Expected'], copied: status['Files Copied'] }).toEqual({
      code: 0,
      expected: 1,
      copied: 1,
    });
    expect(status).toMatchObject({ 'Size Copied': LENGTH, 'Files Failed': 0, 'Files Skipped': 0 });
    expect(temporaryNames(await to.tree(pair.root))).toEqual([]);
    expect(await to.tree(`${pair.root}/out`)).toEqual(await from.tree(`${pair.root}/in`));
  });

  it('five times at random moments, copies no chunk again that was recorded', async () => {
    const pair = await TwoClusters.make(bed, `chunks-killed-${kind}-often`);
    const [from, to] = kind === 'B' ? [pair.a, pair.b] : [pair.b, pair.a];
    await from.put(`${pair.root}/in/long`, content(kind, LENGTH));
    const conf = kind === 'B' ? pair.conf() : pair.conf({ A: { url: bed.b }, B: { url: bed.httpFs } });
    const options = { conf, home: newHome() };
    const args = ['copy', '--silent', '--threads', '1', `A:${pair.root}/in`, `B:${pair.root}/out`, ...chunked];
    const first = startCli(args, options);
    let told = '';
    // However long it takes to begin: there is nothing to resume before.
    while (told === '') told = (await runCli(['jobs', '--json'], options)).stdout;
    await sleep(Math.random() * 1500);
    first.child.kill('SIGKILL');
    await first.ended;
    const { Job: job } = JSON.parse(told) as { Job: string };
    for (let round = 0; round < 4; round++) {
      const resumed = startCli(['copy', '--silent', '--resume', job], options);
      await sleep(1000 + Math.random() * 1500);
      resumed.child.kill('SIGKILL');
      await resumed.ended;
    }
    const last = await runCli(['copy', '--silent', '--resume', job], options);
    expect({ code: last.code, copied: last.status['Files Copied'] }).toEqual({ code: 0, copied: 1 });
    expect(last.status['Size Copied']).toBe(LENGTH);
    expect(temporaryNames(await to.tree(pair.root))).toEqual([]);
    expect(await to.tree(`${pair.root}/out`)).toEqual(await from.tree(`${pair.root}/in`));
  });
});
