import { expect, test } from 'vitest';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import type { ClusterName } from '../support/clusters-bed.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { varied } from '../support/odd-tree.ts';
import { temporaryNames, writeConf } from '../support/two-clusters.ts';

const MIB = 1024 * 1024;

/** Copies a long file within a cluster, and tells what its namenode was asked of the copy. */
async function copied(name: ClusterName, from: string, to: string, chunkBytes: number, ...flags: string[]) {
  const cluster = await sharedCluster(name);
  await using proxy = await FaultProxy.start(cluster.namenodeUrl);
  const definition = { ...definitionOf(cluster), nameservices: [{ urls: [proxy.url], mounts: ['/'] }] };
  const conf = writeConf(JSON.stringify({ clusters: [definition] }));
  const args = ['copy', '--silent', '--exact', `${name}:${from}`, `${name}:${to}`, '--chunk-size', `${chunkBytes}`];
  const { code, stderr, status } = await runCli([...args, ...flags], { conf });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const hdfs = new TestHdfs(cluster.namenodeUrl);
  expect(await hdfs.tree(to)).toEqual(await hdfs.tree(from));
  expect(temporaryNames(await hdfs.tree(to))).toEqual([]);
  const read = proxy.requests.filter(({ operation, path }) => operation === 'OPEN' && path.startsWith(to));
  return { status, appended: proxy.count('APPEND'), ranges: read.map(({ query }) => rangeIn(query)) };
}

function rangeIn(query: string): readonly [number, number] {
  const asked = new URLSearchParams(query);
  return [Number(asked.get('offset') ?? 0), Number(asked.get('length') ?? 0)];
}

test('into an encryption zone each part is read back once, and no other bytes', async () => {
  const e = new TestHdfs((await sharedCluster('E')).namenodeUrl);
  // As long as the default of this cluster's blocks, and a bit.
  await e.put('/plain/parts/long', varied('zone', 129 * MIB));
  const into = await copied('E', '/plain/parts', '/ez/parts', 2 * MIB);
  expect(into.status).toMatchObject({ 'Files Copied': 1, Verified: { 'read-back': 1 } });
  expect(into.appended).toBe(2);
  expect(into.ranges.map(([offset]) => offset)).toEqual([0, 128 * MIB]);
  const out = await copied('E', '/ez/parts', '/plain/parts-back', 2 * MIB);
  expect(out.status).toMatchObject({ Verified: { 'read-back': 1 } });
  expect([out.appended, out.ranges]).toEqual([2, []]);
}, 300_000);

test('into an erasure-coded directory, where HDFS adds to no file, a long file goes as one stream', async () => {
  const x = new TestHdfs((await sharedCluster('X')).namenodeUrl);
  await x.put('/plain/parts/long', varied('striped', 9 * MIB + 100));
  const into = await copied('X', '/plain/parts', '/ec/parts', 2 * MIB);
  expect([into.status.Verified, into.appended]).toEqual([{ checksum: 1 }, 0]);
  const out = await copied('X', '/ec/parts', '/plain/parts-back', 2 * MIB);
  // A group of blocks of the source has 4 MiB.
  expect([out.status.Verified, out.appended]).toEqual([{ checksum: 1 }, 3]);
}, 300_000);

test('the older release adds to files too', async () => {
  const o = new TestHdfs((await sharedCluster('O')).namenodeUrl);
  await o.put('/parts/long', varied('older', 9 * MIB + 100));
  const { status, appended } = await copied('O', '/parts', '/parts-copy', 2 * MIB);
  expect([status.Verified, appended]).toEqual([{ checksum: 1 }, 5]);
}, 300_000);
