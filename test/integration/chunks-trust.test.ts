import { describe, expect, inject, it } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

/** What a file in chunks must not be hurt by: other files under its names, answers of a moment, a mode that shuts its owner out. */

const bed = inject('bed');
const MIB = 1024 * 1024;
const LENGTH = 21 * MIB + 77;
const CHUNKS = 6;
const chunked = ['--split-above', String(4 * MIB), '--chunk-size', String(4 * MIB)];

const copyOf = ({ root }: TwoClusters) => ['copy', '--silent', `A:${root}/in`, `B:${root}/out`, ...chunked];
const proxyOf = (
  side: 'A' | 'B',
  react: (request: FaultProxyRequest) => Reaction | undefined | Promise<Reaction | undefined>,
) => FaultProxy.start(side === 'A' ? bed.a : bed.b, { datanodes: true, react });
const isPromotion = ({ operation, query }: FaultProxyRequest) =>
  operation === 'RENAME' && new URLSearchParams(query).get('destination')?.endsWith('/out/long') === true;
const io: Reaction = {
  answer: { status: 500, body: JSON.stringify({ RemoteException: { exception: 'IOException', message: 'a moment' } }) },
};

async function pairWith(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `chunks-trust-${name}`);
  await pair.a.put(`${pair.root}/in/long`, content(name, LENGTH));
  return pair;
}

describe('a file in chunks', () => {
  it('whose source another file of its length and time replaces is not put together of both', async () => {
    const pair = await pairWith('replaced');
    const path = `${pair.root}/in/long`;
    const { modificationTime } = await pair.a.status(path);
    let writes = 0;
    await using b = await proxyOf('B', async ({ operation, to }) => {
      if (operation === 'CREATE' && to === 'datanode' && ++writes === 4) {
        await pair.a.put(path, content('another', LENGTH));
        await pair.a.call('PUT', 'SETTIMES', path, { modificationtime: String(modificationTime) });
      }
      return undefined;
    });
    const args = [...copyOf(pair), '--threads', '1', '--verify', 'length'];
    const { status, code } = await pair.run(args, { conf: pair.conf({ B: { url: b.url } }) });
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    const { stdout } = await pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain('another file of its length and time has its name now');
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual({});
    const resumed = await pair.run(['copy', '--silent', '--resume', status.Job]);
    expect(resumed.code).toBe(0);
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(content('another', LENGTH));
  });

  it('is put together although its checksum is refused for a moment', async () => {
    const pair = await pairWith('moment');
    let refusals = 0;
    let isJoined = false;
    await using b = await proxyOf('B', ({ operation, path, to }) => {
      isJoined ||= operation === 'CONCAT' && !path.includes('probe');
      return isJoined && operation === 'GETFILECHECKSUM' && to === 'datanode' && refusals++ < 4 ? io : undefined;
    });
    const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
    expect(code).toBe(0);
    expect(refusals).toBeGreaterThan(4);
    expect(status).toMatchObject({ 'Files Copied': 1, Verified: { checksum: 1 } });
    expect(status.Retries).toBeGreaterThan(0);
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  });

  it('of irregular blocks is verified by the checksum of its source: what was written is read once more', async () => {
    const pair = await TwoClusters.make(bed, 'chunks-trust-irregular');
    const path = `${pair.root}/in/long`;
    const bytes = content('irregular', LENGTH);
    const cuts = [0, 3 * MIB + 5, 9 * MIB + 1, LENGTH];
    for (const [index, from] of cuts.slice(0, -1).entries()) {
      await pair.a.put(index === 0 ? path : `${path}.${index}`, bytes.subarray(from, cuts[index + 1]));
    }
    await pair.a.concat(path, [`${path}.1`, `${path}.2`]);
    await using b = await proxyOf('B', () => undefined);
    const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Split': { 'chunks of 4.0 MiB': 1 }, Verified: { checksum: 1 } });
    const read = b.requests.filter(({ operation, to }) => operation === 'OPEN' && to === 'datanode');
    expect(read).toHaveLength(1);
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(bytes);
  });

  it('of a mode that shuts its owner out is copied in spite of kill -9 before it has its name', async () => {
    const pair = await pairWith('shut');
    await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/in/long`, { permission: '000' });
    await pair.b.call('PUT', 'SETOWNER', pair.root, { owner: 'alice' });
    let kill: () => void = () => undefined;
    await using b = await proxyOf('B', (request) => {
      if (!isPromotion(request)) return undefined;
      kill();
      return 'cut-before';
    });
    const home = newHome();
    const conf = (url: string) => pair.conf({ B: { url, user: 'alice' } });
    const args = [...copyOf(pair), '--exact', '--attributes', 'permission'];
    const { child, ended } = startCli(args, { conf: conf(b.url), home });
    kill = () => child.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: null });
    const options = { conf: conf(bed.b), home };
    const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string };
    const { code, status, stderr } = await runCli(['copy', '--silent', '--resume', job], options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': 1, Warnings: {} });
    expect(await pair.b.status(`${pair.root}/out/long`)).toMatchObject({ permission: '0', owner: 'alice' });
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(content('shut', LENGTH));
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  });

  it('that is skipped in the end leaves no chunk, and fails while its chunks cannot be deleted', async () => {
    const pair = await pairWith('skipped');
    const body = JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'no' } });
    let isDenied = true;
    await using b = await proxyOf('B', async ({ operation, path }) => {
      if (operation === 'CONCAT' && !path.includes('probe')) await pair.b.put(`${pair.root}/out/long`, 'taken');
      return isDenied && operation === 'DELETE' && path.endsWith('.s0.0')
        ? { answer: { status: 403, body } }
        : undefined;
    });
    const conf = pair.conf({ B: { url: b.url } });
    const first = await pair.run([...copyOf(pair), '--existing', 'skip'], { conf });
    expect({ code: first.code, failed: first.status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    isDenied = false;
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job], { conf });
    expect({ code: resumed.code, skipped: resumed.status['Files Skipped'] }).toEqual({ code: 0, skipped: 1 });
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(Buffer.from('taken'));
  });
});

it('a file that goes as one stream after all fails while chunks of it cannot be deleted: a job that ends well leaves none', async () => {
  const pair = await pairWith('left');
  const refusal = (exception: string): Reaction => ({
    answer: { status: 403, body: JSON.stringify({ RemoteException: { exception, message: 'not like this' } }) },
  });
  let isDenied = true;
  await using b = await proxyOf('B', ({ operation, path }) => {
    if (operation === 'CONCAT' && !path.includes('probe')) return refusal('HadoopIllegalArgumentException');
    return isDenied && operation === 'DELETE' && path.endsWith('.s0.3') ? refusal('AccessControlException') : undefined;
  });
  const conf = pair.conf({ B: { url: b.url } });
  const { status } = await pair.run(copyOf(pair), { conf });
  const resume = ['copy', '--silent', '--resume', status.Job];
  expect((await pair.run(resume, { conf })).code).toBe(1);
  expect((await pair.run(['status', status.Job, '--failures'])).stdout).toContain('its chunks are left');
  isDenied = false;
  expect((await pair.run(resume, { conf })).code).toBe(0);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
});

describe.each(['B', 'HttpFS'] as const)('a file in chunks to %s', (kind) => {
  it.each([
    { what: 'of an odd directory', directory: `o d+d%41&;ü=?#"'`, length: LENGTH },
    { what: 'whose last chunk is as long as the others', directory: 'even', length: 24 * MIB },
    { what: 'whose last chunk is a byte', directory: 'byte', length: 20 * MIB + 1 },
  ])('$what is put together', async ({ directory, length }) => {
    const pair = await TwoClusters.make(bed, `chunks-trust-${kind}-${directory}`);
    // The source of a copy through A's HttpFS is B.
    const [from, to] = kind === 'B' ? [pair.a, pair.b] : [pair.b, pair.a];
    await from.put(`${pair.root}/in/${directory}/long`, content(directory, length));
    const conf = kind === 'B' ? pair.conf() : pair.conf({ A: { url: bed.b }, B: { url: bed.httpFs } });
    const { status, code, stderr } = await pair.run(copyOf(pair), { conf });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({
      'Files Copied': 1,
      'Size Copied': length,
      'Files Split': { 'chunks of 4.0 MiB': 1 },
    });
    expect(await to.tree(`${pair.root}/out`)).toEqual(await from.tree(`${pair.root}/in`));
  });
});

it('a job that is cleaned asks for no chunk of files that were copied', async () => {
  const pair = await pairWith('cleaned');
  await pair.a.put(`${pair.root}/in/other`, content('other', LENGTH));
  const body = JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'no' } });
  await using b = await proxyOf('B', ({ operation, query }) =>
    operation === 'RENAME' && new URLSearchParams(query).get('destination')?.endsWith('/long')
      ? { answer: { status: 403, body } }
      : undefined,
  );
  const first = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
  expect(first.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1 });
  await using c = await proxyOf('B', () => undefined);
  expect((await pair.run(['clean', first.status.Job], { conf: pair.conf({ B: { url: c.url } }) })).code).toBe(0);
  const deleted = c.requests.filter(({ operation, path }) => operation === 'DELETE' && /\.s\d+\.\d+$/.test(path));
  expect(deleted).toHaveLength(CHUNKS);
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});
