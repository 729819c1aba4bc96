import { expect, test } from 'vitest';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, writeConf } from '../support/two-clusters.ts';

const MIB = 1024 * 1024;
const LENGTH = 9 * MIB + 100;
const chunked = ['--split-above', String(2 * MIB), '--chunk-size', String(2 * MIB)];
const bytes = content('chunks', LENGTH);

async function copyOn(conf: string, from: string, to: string) {
  const { code, stderr, status } = await runCli(['copy', '--silent', '--exact', from, to, ...chunked], { conf });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return status;
}

test('into an encryption zone a long file goes as one stream, and out of one in chunks, which no stored checksum proves', async () => {
  const cluster = await sharedCluster('E');
  const e = new TestHdfs(cluster.namenodeUrl);
  const conf = writeConf(JSON.stringify({ clusters: [definitionOf(cluster)] }));
  // As long as the default of this cluster's blocks, and a bit.
  const long = content('zone', 129 * MIB);
  await e.put('/plain/chunks/long', long);
  const into = await copyOn(conf, 'E:/plain/chunks', 'E:/ez/chunks');
  expect(into['Files Not Split']).toEqual({ 'an encryption zone at the destination': 1 });
  const out = await copyOn(conf, 'E:/ez/chunks', 'E:/plain/chunks-back');
  expect(out).toMatchObject({ 'Files Split': { 'chunks of 128.0 MiB': 1 }, Verified: { 'read-back': 1 } });
  expect(await e.tree('/plain/chunks-back')).toEqual(await e.tree('/plain/chunks'));
}, 300_000);

test.each([
  ['/plain/chunks', '/ec/chunks', 'chunks of 4.0 MiB'],
  ['/ec/chunks', '/ec/chunks-again', 'chunks of 4.0 MiB'],
  ['/ec/chunks-again', '/plain/chunks-back', 'chunks of 4.0 MiB'],
])(
  'from %s to %s, chunks end where groups of erasure-coded blocks end, and the file is verified by checksum',
  async (from, to, how) => {
    const cluster = await sharedCluster('X');
    const x = new TestHdfs(cluster.namenodeUrl);
    const conf = writeConf(JSON.stringify({ clusters: [definitionOf(cluster)] }));
    if (from === '/plain/chunks') await x.put('/plain/chunks/long', bytes);
    const status = await copyOn(conf, `X:${from}`, `X:${to}`);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Files Split': { [how]: 1 }, Verified: { checksum: 1 } });
    expect(await x.get(`${to}/long`)).toEqual(bytes);
    expect(temporaryNames(await x.tree(to))).toEqual([]);
  },
  300_000,
);

test('below a mount chunks are put together by the nameservice that has them', async () => {
  const [onA, onB] = await Promise.all([sharedCluster('A'), sharedCluster('B')]);
  const [a, b] = [new TestHdfs(onA.namenodeUrl), new TestHdfs(onB.namenodeUrl)];
  const nameservices = [
    { urls: [a.url], mounts: ['/'] },
    { urls: [b.url], mounts: ['/chunks-fed/b'] },
  ];
  const clusters = [{ name: 'FED', user: 'root', nameservices }, definitionOf(onA)];
  const conf = writeConf(JSON.stringify({ clusters }));
  await a.put('/chunks-fed-source/long', bytes);
  await a.put('/chunks-fed-source/b/long', bytes);
  await b.mkdirs('/chunks-fed/b');
  const status = await copyOn(conf, 'A:/chunks-fed-source', 'FED:/chunks-fed');
  expect(status).toMatchObject({ 'Files Copied': 2, Verified: { checksum: 2 } });
  expect(await a.get('/chunks-fed/long')).toEqual(bytes);
  expect(await b.get('/chunks-fed/b/long')).toEqual(bytes);
}, 300_000);

test('the older release puts chunks together too', async () => {
  const cluster = await sharedCluster('O');
  const o = new TestHdfs(cluster.namenodeUrl);
  const conf = writeConf(JSON.stringify({ clusters: [definitionOf(cluster)] }));
  await o.put('/chunks/long', bytes);
  const status = await copyOn(conf, 'O:/chunks', 'O:/chunks-copy');
  expect(status).toMatchObject({
    'Files Copied': 1,
    'Files Split': { 'chunks of 2.0 MiB': 1 },
    Verified: { checksum: 1 },
  });
  expect(await o.get('/chunks-copy/long')).toEqual(bytes);
}, 300_000);
