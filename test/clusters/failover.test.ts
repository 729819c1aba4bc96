import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { startCli } from '../support/cli.ts';
import { killShared, makeActiveShared, sharedCluster, startShared } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

const FILES = 500;
const FILE_BYTES = 40_000;
const TRANSFERS = 10;

let h: Cluster;
let a: TestHdfs;
let conf: string;
let tree: Record<string, string>;

beforeAll(async () => {
  const [onH, onA] = await Promise.all([sharedCluster('F'), sharedCluster('A')]);
  h = onH;
  a = new TestHdfs(onA.namenodeUrl);
  conf = writeConf(JSON.stringify({ clusters: [definitionOf(onH), definitionOf(onA)] }));
  for (let i = 0; i < FILES; i += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, j) => a.put(`/failover/${(i + j) % 7}/${i + j}`, content(`${i + j}`, FILE_BYTES))),
    );
  }
  tree = await a.tree('/failover');
}, 300_000);

const namenode = (index: number) => h.namenodes[index] ?? { daemon: '', url: '' };
const first = () => namenode(0);
const second = () => namenode(1);

/** Until so many files of a copy stand at their names. */
async function until(hdfs: TestHdfs, path: string, files: number): Promise<void> {
  for (;;) {
    const lists = await Promise.all(Array.from({ length: 7 }, (_, i) => hdfs.list(`${path}/${i}`).catch(() => [])));
    if (lists.flat().filter(({ pathSuffix }) => !pathSuffix.includes('_hdfs-fanout.')).length >= files) return;
    await sleep(50);
  }
}

const start = (from: string, to: string) =>
  startCli(['copy', '--silent', '--threads', String(TRANSFERS), from, to], { conf });

test('of two namenodes one is active, and the other takes its place', async () => {
  const [one, two] = [first(), second()];
  const hdfs = { one: new TestHdfs(one.url), two: new TestHdfs(two.url) };
  const onStandby = /StandbyException/;
  await hdfs.one.mkdirs('/bed-test');
  await expect(hdfs.two.call('GET', 'LISTSTATUS', '/')).rejects.toThrow(onStandby);

  await makeActiveShared(two.daemon);
  await expect(hdfs.one.call('GET', 'LISTSTATUS', '/')).rejects.toThrow(onStandby);
  expect((await hdfs.two.call('GET', 'LISTSTATUS', '/')).text).toContain('bed-test');

  await killShared('F', two.daemon);
  await makeActiveShared(one.daemon);
  await hdfs.one.put('/bed-test/after', 'x');
  await expect(makeActiveShared(two.daemon)).rejects.toThrow('F-nn2 is not running');

  await startShared('F', two.daemon);
  await expect(hdfs.two.call('GET', 'LISTSTATUS', '/')).rejects.toThrow(onStandby);
  await hdfs.one.remove('/bed-test');
});

describe('a namenode that stops being active while ten files are on their way, of five hundred, loses nothing:', () => {
  test('a graceful failover, as destination and as source', async () => {
    const to = start('A:/failover', 'F:/graceful');
    await until(new TestHdfs(first().url), '/graceful', 50);
    await makeActiveShared(second().daemon);
    const written = await to.ended;
    expect({ code: written.code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await new TestHdfs(second().url).tree('/graceful')).toEqual(tree);

    const from = start('F:/graceful', 'A:/graceful');
    await until(a, '/graceful', 50);
    await makeActiveShared(first().daemon);
    const read = await from.ended;
    expect({ code: read.code, stderr: read.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await a.tree('/graceful')).toEqual(tree);
    expect(read.status).toMatchObject({ 'Files Copied': FILES, 'Files Failed': 0 });
  });

  test('kill -9 of the active one, as destination and as source', async () => {
    const to = start('A:/failover', 'F:/killed');
    await until(new TestHdfs(first().url), '/killed', 50);
    await killShared('F', first().daemon);
    await makeActiveShared(second().daemon);
    const written = await to.ended;
    expect({ code: written.code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await new TestHdfs(second().url).tree('/killed')).toEqual(tree);
    await startShared('F', first().daemon);

    const from = start('F:/killed', 'A:/killed');
    await until(a, '/killed', 50);
    await killShared('F', second().daemon);
    await makeActiveShared(first().daemon);
    const read = await from.ended;
    expect({ code: read.code, stderr: read.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await a.tree('/killed')).toEqual(tree);
    await startShared('F', second().daemon);
  });
});

test('the first address may be of the standby, or of nobody', async () => {
  await makeActiveShared(second().daemon);
  const { code, stderr } = await start('A:/failover/0', 'F:/from-standby').ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await new TestHdfs(second().url).tree('/from-standby')).toEqual(await a.tree('/failover/0'));
  await makeActiveShared(first().daemon);
});
