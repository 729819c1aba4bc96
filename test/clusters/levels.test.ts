import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { fsShell } from '../support/dfs-admin.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

/** Which checksums clusters store, and what is said of a copy between two that differ in it. */

const MIB = 1024 * 1024;
let bed: Bed<'C' | 'N' | 'D'>;
/** C's HttpFS gives composite CRCs, N stores none, D is like most. */
let clients: Record<'C' | 'N' | 'D', TestHdfs>;

beforeAll(async () => {
  bed = await startBed<'C' | 'N' | 'D'>({
    clusters: [
      { name: 'C', blockBytes: MIB, httpfs: true, extraHdfs: { 'dfs.checksum.combine.mode': 'COMPOSITE_CRC' } },
      { name: 'N', blockBytes: MIB, extraHdfs: { 'dfs.checksum.type': 'NULL' } },
      { name: 'D', blockBytes: 2 * MIB },
    ],
  });
  const { C, N, D } = bed.clusters;
  clients = { C: new TestHdfs(C.namenodeUrl), N: new TestHdfs(N.namenodeUrl), D: new TestHdfs(D.namenodeUrl) };
}, 300_000);
afterAll(() => bed.stop());

const lengths = [0, 1, 511, 512, 513, 3 * MIB + 77];
const files = lengths.length;

async function put(cluster: TestHdfs, root: string): Promise<void> {
  for (const [index, length] of lengths.entries()) await cluster.put(`${root}/f${index}`, content(`${index}`, length));
}

/** C is C's HttpFS, the others are namenodes. */
function confWith(urls: Record<string, string> = {}): string {
  const { C, N, D } = bed.clusters;
  const all = { C: C.httpfs?.url ?? '', N: N.namenodeUrl, D: D.namenodeUrl, ...urls };
  const clusters = Object.entries(all).map(([name, url]) => ({
    name,
    user: 'root',
    nameservices: [{ urls: [url], mounts: ['/'] }],
  }));
  return writeConf(JSON.stringify({ clusters }));
}

const copy = (conf: string, from: string, to: string, ...flags: string[]): Promise<CliResult> =>
  runCli(['copy', '--silent', '--exact', ...flags, from, to], { conf });

/** An empty file has no byte that could differ: it reaches the level that was asked for. */
const readBack = { checksum: 1, 'read-back': files - 1 };

describe.each([
  ['C', 'D', { checksum: files }],
  ['D', 'C', { checksum: files }],
  ['C', 'C', { checksum: files }],
  ['N', 'D', readBack],
  ['D', 'N', readBack],
  ['N', 'N', readBack],
  ['C', 'N', readBack],
] as const)('from %s to %s', (from, to, verified) => {
  const root = `/levels-${from}-${to}`;

  test('every file says how it was verified', async () => {
    await put(clients[from], `${root}/in`);
    await clients[to].mkdirs(root);
    const { code, stderr, status } = await copy(confWith(), `${from}:${root}/in`, `${to}:${root}/out`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': files, Retries: 0, Verified: verified });
    expect(await clients[to].tree(`${root}/out`)).toEqual(await clients[from].tree(`${root}/in`));
  });

  test('copied again nothing is copied, and a byte that differs is found', async () => {
    const again = await copy(confWith(), `${from}:${root}/in`, `${to}:${root}/out`, '--force');
    expect(again.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': files });
    await clients[to].put(`${root}/out/f5`, content('other', 3 * MIB + 77));
    const { status } = await copy(confWith(), `${from}:${root}/in`, `${to}:${root}/out`, '--force');
    expect(status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': files - 1 });
    expect(await clients[to].tree(`${root}/out`)).toEqual(await clients[from].tree(`${root}/in`));
  });
});

test('a composite CRC is computed while the bytes go by: no file is read twice', async () => {
  await put(clients.C, '/once/in');
  await clients.D.mkdirs('/once');
  await using c = await FaultProxy.start(bed.clusters.C.httpfs?.url ?? '');
  await using d = await FaultProxy.start(bed.clusters.D.namenodeUrl);
  const conf = confWith({ C: c.url, D: d.url });
  expect((await copy(conf, 'C:/once/in', 'D:/once/out', '--threads', '1')).status.Verified).toEqual({
    checksum: files,
  });
  expect([c.count('OPEN'), d.count('OPEN')]).toEqual([files - 1, 0]);
});

test('a cluster that stores no checksums is not asked for each file', async () => {
  await clients.D.mkdirs('/asked');
  for (let i = 0; i < 20; i++) await clients.N.put(`/asked/in/f${i}`, content(`${i}`, 1000));
  await using n = await FaultProxy.start(bed.clusters.N.namenodeUrl, { datanodes: true });
  const conf = confWith({ N: n.url });
  expect((await copy(conf, 'N:/asked/in', 'D:/asked/out', '--threads', '1')).status.Verified).toEqual({
    'read-back': 20,
  });
  expect(n.count('GETFILECHECKSUM')).toBe(1);
});

describe('files of one cluster that differ', () => {
  const local = mkdtempSync(join(tmpdir(), 'hdfs-fanout-levels-'));
  const file = (name: string, length: number): string => {
    writeFileSync(join(local, name), content(name, length));
    return join(local, name);
  };
  const shell = (...args: string[]) => fsShell(bed.clusters.C.rpc, ...args);

  test('of CRC32 and CRC32C in turn: only the first of each kind is read twice', async () => {
    const names = Array.from({ length: 6 }, (_, i) => file(`f${2 * i}`, 2000 + i));
    await clients.C.mkdirs('/kinds/in');
    await clients.D.mkdirs('/kinds');
    await shell('-Ddfs.checksum.type=CRC32', '-put', ...names, '/kinds/in');
    for (let i = 0; i < 6; i++) await clients.C.put(`/kinds/in/f${2 * i + 1}`, content(`${i}`, 3000 + i));
    await using d = await FaultProxy.start(bed.clusters.D.namenodeUrl);
    const conf = confWith({ C: bed.clusters.C.namenodeUrl, D: d.url });
    const { status } = await copy(conf, 'C:/kinds/in', 'D:/kinds/out', '--threads', '1');
    expect(status).toMatchObject({ 'Files Copied': 12, Verified: { checksum: 12 } });
    expect(d.count('OPEN')).toBeLessThanOrEqual(2);
  });

  test.each([
    ['blocks of both kinds', '-Ddfs.checksum.type=CRC32'],
    ['chunks of two sizes', '-Ddfs.bytes-per-checksum=1024'],
  ])('with %s: copied, read back, and compared by reading', async (what, property) => {
    const root = `/mixed-${what.replaceAll(' ', '-')}`;
    await clients.C.put(`${root}/in/file`, content('first', MIB));
    await clients.D.mkdirs(root);
    await shell(property, '-appendToFile', file('more', 5000), `${root}/in/file`);
    const conf = confWith({ C: bed.clusters.C.namenodeUrl });
    const first = await copy(conf, `C:${root}/in`, `D:${root}/out`);
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(first.status).toMatchObject({ 'Files Copied': 1, Retries: 0, Verified: { 'read-back': 1 } });
    const again = await copy(conf, `C:${root}/in`, `D:${root}/out`, '--force');
    expect(again.status.Skipped).toEqual({ 'identical content': 1 });
    expect(await clients.D.tree(`${root}/out`)).toEqual(await clients.C.tree(`${root}/in`));
  });
});

test.each([
  ['appended to', (path: string) => clients.D.append(path, content('more', 900))],
  [
    'truncated',
    async (path: string) => {
      await clients.D.call('POST', 'TRUNCATE', path, { newlength: '300' });
      while ((await clients.D.status(path)).length !== 300) await new Promise((resolve) => setTimeout(resolve, 100));
    },
  ],
])('a snapshot of a file that was %s since is verified as it was', async (what, change) => {
  const root = `/snapshot-${what.replaceAll(' ', '-')}`;
  const path = `${root}/in/file`;
  await clients.D.put(path, content('file', 1700), { blocksize: '1024' });
  const before = await clients.D.tree(`${root}/in`);
  await clients.D.call('PUT', 'ALLOWSNAPSHOT', `${root}/in`);
  await clients.D.call('PUT', 'CREATESNAPSHOT', `${root}/in`, { snapshotname: 's' });
  await change(path);
  await clients.C.mkdirs(root);
  const conf = confWith({ C: bed.clusters.C.namenodeUrl });
  const { status } = await copy(conf, `D:${root}/in/.snapshot/s`, `C:${root}/out`);
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0, Verified: { checksum: 1 } });
  expect(await clients.C.tree(`${root}/out`)).toEqual(before);
  const again = await copy(conf, `D:${root}/in/.snapshot/s`, `C:${root}/out`, '--force');
  expect(again.status.Skipped).toEqual({ 'identical content': 1 });
});
