import { describe, expect, inject, it } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

/** Files in chunks whose blocks are as long on both sides: no byte is digested on its way, and the whole is proved by both stored checksums. */

const bed = inject('bed');
const MIB = 1024 * 1024;
/** Four chunks of a block of the destination, of which the last is short. */
const LENGTH = 13 * MIB + 77;
const CHUNKS = 4;
const chunked = ['--split-above', String(4 * MIB), '--chunk-size', String(4 * MIB)];
const blocks = { blocksize: String(4 * MIB) };

async function pairWith(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `chunks-again-${name}`);
  await pair.a.put(`${pair.root}/in/long`, content(name, LENGTH), blocks);
  return pair;
}

const copyOf = ({ root }: TwoClusters) => ['copy', '--silent', `A:${root}/in`, `B:${root}/out`, ...chunked];
const proxyOf = (side: 'A' | 'B', react: (request: FaultProxyRequest) => Reaction | undefined) =>
  FaultProxy.start(side === 'A' ? bed.a : bed.b, { datanodes: true, react });
const toDatanode = (proxy: FaultProxy, operation: string) =>
  proxy.requests.filter((request) => request.operation === operation && request.to === 'datanode').length;

async function requireEqual(pair: TwoClusters): Promise<void> {
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
}

it('a file in chunks of one layout on both sides is proved by one checksum of each', async () => {
  const pair = await pairWith('stated');
  await using a = await proxyOf('A', () => undefined);
  await using b = await proxyOf('B', () => undefined);
  const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ A: { url: a.url }, B: { url: b.url } }) });
  expect(code).toBe(0);
  expect(status).toMatchObject({ Verified: { checksum: 1 }, 'Files Split': { 'chunks of 4.0 MiB': 1 }, Retries: 0 });
  expect([a, b].map((proxy) => toDatanode(proxy, 'GETFILECHECKSUM'))).toEqual([1, 1]);
  expect({ read: toDatanode(a, 'OPEN'), readBack: toDatanode(b, 'OPEN') }).toEqual({ read: CHUNKS, readBack: 0 });
  await requireEqual(pair);
});

it('a file in chunks whose source turns out to have irregular blocks is read again, and reaches checksum', async () => {
  const pair = await TwoClusters.make(bed, 'chunks-again-irregular');
  const path = `${pair.root}/in/long`;
  const bytes = content('irregular', LENGTH);
  const cuts = [0, 3 * MIB + 5, 5 * MIB, LENGTH];
  for (const [index, from] of cuts.slice(0, -1).entries()) {
    await pair.a.put(index === 0 ? path : `${path}.${index}`, bytes.subarray(from, cuts[index + 1]), blocks);
  }
  await pair.a.concat(path, [`${path}.1`, `${path}.2`]);
  await using a = await proxyOf('A', () => undefined);
  const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ A: { url: a.url } }) });
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Split': { 'chunks of 4.0 MiB': 1 }, Verified: { checksum: 1 }, Retries: 0 });
  expect(toDatanode(a, 'OPEN')).toBe(CHUNKS);
  expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(bytes);
});

describe.each([
  { side: 'A', operation: 'OPEN' },
  { side: 'B', operation: 'CREATE' },
] as const)('a bit of a chunk that changes in $operation', ({ side, operation }) => {
  const flipping = (name: string, flips: (number: number) => boolean) => {
    let seen = 0;
    const react = (request: FaultProxyRequest) =>
      request.operation === operation && request.to === 'datanode' && flips(++seen) ? 'flip' : undefined;
    return { name: `${operation}-${name}`, start: () => proxyOf(side, react) };
  };

  it('once is found when the file is put together, and all chunks are copied again', async () => {
    const { name, start } = flipping('once', (number) => number === 2);
    const pair = await pairWith(name);
    await using proxy = await start();
    const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ [side]: { url: proxy.url } }) });
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Verified: { checksum: 1 } });
    expect({ retries: status.Retries, seen: toDatanode(proxy, operation) }).toEqual({
      retries: CHUNKS,
      seen: 2 * CHUNKS,
    });
    await requireEqual(pair);
  });

  it('always fails its file, which gets no name; a resume copies it', async () => {
    const { name, start } = flipping('always', () => true);
    const pair = await pairWith(name);
    await using proxy = await start();
    const first = await pair.run(copyOf(pair), { conf: pair.conf({ [side]: { url: proxy.url } }) });
    expect(first.code).toBe(1);
    expect(first.status).toMatchObject({ 'Files Copied': 0, 'Files Failed': 1, 'Size Failed': LENGTH });
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toMatch(/do not match the checksum of the source|is not that of the bytes written/);
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual({});
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(resumed.code).toBe(0);
    expect(resumed.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 0, Verified: { checksum: 1 } });
    await requireEqual(pair);
  });
});

it.each(['read-back', 'length', 'checksum'] as const)(
  'a copy in chunks that is killed while chunks are copied again, and resumed with --verify %s, ends with equal trees',
  async (level) => {
    const pair = await pairWith(`killed-${level}`);
    let writes = 0;
    let kill: () => void = () => undefined;
    await using b = await proxyOf('B', ({ operation, to }) => {
      if (operation !== 'CREATE' || to !== 'datanode') return undefined;
      writes += 1;
      if (writes === 2) return 'flip';
      if (writes !== CHUNKS + 3) return undefined;
      kill();
      return 'cut-before';
    });
    const home = newHome();
    const { child, ended } = startCli(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }), home });
    kill = () => child.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: null });
    const options = { conf: pair.conf(), home };
    const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string };
    const { code, status } = await runCli(['copy', '--silent', '--resume', job, '--verify', level], options);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, 'Files Failed': 0 });
    await requireEqual(pair);
  },
);

it.each(['read-back', 'length', 'none'] as const)(
  'chunks that were not digested, resumed with --verify %s, make up a file of that level',
  async (level) => {
    const pair = await pairWith(`resumed-${level}`);
    let kill: () => void = () => undefined;
    await using b = await proxyOf('B', ({ operation, path }) => {
      if (operation !== 'CONCAT' || path.includes('probe')) return undefined;
      kill();
      return 'cut-before';
    });
    const home = newHome();
    const { child, ended } = startCli(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }), home });
    kill = () => child.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: null });
    await using again = await proxyOf('B', () => undefined);
    const options = { conf: pair.conf({ B: { url: again.url } }), home };
    const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string };
    const { code, status } = await runCli(['copy', '--silent', '--resume', job, '--verify', level], options);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, Verified: { [level]: 1 } });
    expect(toDatanode(again, 'OPEN')).toBe(level === 'read-back' ? 1 : 0);
    await requireEqual(pair);
  },
);
