import { beforeAll, describe, expect, test } from 'vitest';
import { ContentDigest } from '../../shared/storage/checksum.ts';
import { silentLog } from '../../shared/log.ts';
import { parseCluster } from '../../shared/hdfs/cluster.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { never } from '../support/files.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content, makeSmallTree } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

const MIB = 1024 * 1024;
/** XOR-2-1-1024k. */
const stripe = { cellBytes: MIB, dataUnits: 2 };

let X: Cluster;
let x: TestHdfs;
let conf: string;

/** /ec is erasure-coded, all else is replicated. */
beforeAll(async () => {
  X = await sharedCluster('X');
  x = new TestHdfs(X.namenodeUrl);
  conf = writeConf(JSON.stringify({ clusters: [definitionOf(X)] }));
}, 300_000);

const copy = (...args: string[]) => runCli(['copy', '--silent', ...args], { conf });

/** Around the ends of cells, stripes and block groups of 4 MiB. */
const lengths = [1, 512, 513, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 100];

test.each(lengths)('the checksum of %i bytes is computed from the content as the cluster stores it', async (length) => {
  const path = `/ec/lengths/${length}`;
  const bytes = content(path, length);
  await x.put(path, bytes);
  await using fs = openOn(X);
  const stored = await fs.checksums.stored(path, never);
  const [plain] = await fs.checksums.expectedLayouts(path, (await fs.stat(path, never))?.blockBytes, never);
  const layout = { ...plain, stripe };
  const digest = new ContentDigest([layout]);
  for (let at = 0; at < length; at += 1_000_003) digest.update(bytes.subarray(at, at + 1_000_003));
  expect(digest.checksum(layout)).toEqual(stored);
});

function openOn(cluster: Cluster): WebHdfs & AsyncDisposable {
  const fs = new WebHdfs(parseCluster(JSON.stringify(definitionOf(cluster)), 'X'), silentLog);
  return Object.assign(fs, { [Symbol.asyncDispose]: () => fs.close() });
}

describe('a tree', () => {
  let tree: Record<string, string>;
  const large = content('large', 9 * MIB + 100);

  beforeAll(async () => {
    await makeSmallTree(x, '/plain/tree');
    for (const name of ['large', 'deep/er/large']) await x.put(`/plain/tree/${name}`, large);
    tree = await x.tree('/plain/tree');
  });

  test('goes into an erasure-coded directory, from there into another and out again, proven by checksums without reading twice', async () => {
    await x.mkdirs('/ec/there/deep');
    for (const [from, to] of [
      ['/plain/tree', '/ec/tree'],
      ['/ec/tree', '/ec/there/deep/tree'],
      ['/ec/tree', '/plain/back'],
    ] as const) {
      const copied = await copy('--exact', `X:${from}`, `X:${to}`);
      expect(copied.code, copied.stderr).toBe(0);
      expect(copied.status.Verified).toEqual({ checksum: copied.status['Files Expected'] });
      expect(await x.tree(to)).toEqual(tree);
      const again = await copy('--exact', `X:${from}`, `X:${to}`);
      expect(again.status).toMatchObject({ 'Files Copied': 0, 'Files Skipped': again.status['Files Expected'] });
    }
    expect(await policyOf('/ec/there/deep/tree/deep/er/large')).toBe('XOR-2-1-1024k');
    expect(await policyOf('/plain/back/large')).toBeUndefined();
  });

  test('as one file, and flattened, too', async () => {
    await x.mkdirs('/ec/one');
    for (const [args, to] of [
      [['X:/plain/tree/large', 'X:/ec/one/large'], '/ec/one/large'],
      [['--files-only', 'X:/plain/tree/deep', 'X:/ec/flat'], '/ec/flat/large'],
    ] as const) {
      const copied = await copy('--exact', ...args);
      expect(copied.code, copied.stderr).toBe(0);
      expect(copied.status.Verified).toEqual({ checksum: 1 });
      expect(await policyOf(to)).toBe('XOR-2-1-1024k');
    }
  });
});

test('a byte that differs is found between the two kinds, and replaced; what is replaced gets the directory’s kind', async () => {
  const bytes = content('same', 5 * MIB);
  const other = Buffer.from(bytes);
  other.writeUInt8(other.readUInt8(3 * MIB) ^ 1, 3 * MIB);
  for (const [from, to] of [
    ['/plain/same', '/ec/same'],
    ['/ec/same-2', '/plain/same-2'],
  ] as const) {
    await x.put(`${from}/a`, bytes);
    await x.put(`${to}/a`, other);
    const refused = await copy('--exact', `X:${from}`, `X:${to}`);
    expect({ code: refused.code, failed: refused.status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    const { status } = await copy('--exact', '--force', `X:${from}`, `X:${to}`);
    expect(status).toMatchObject({ 'Files Copied': 1, Verified: { checksum: 1 } });
    expect(await x.tree(to)).toEqual(await x.tree(from));
  }
});

test('--preserve: a block size below the cell is dropped, and one replica of a striped file is not one elsewhere', async () => {
  await x.put('/plain/attributes/small-blocks', content('small blocks', 3 * MIB), { blocksize: String(512 * 1024) });
  expect((await copy('--exact', '--preserve', 'X:/plain/attributes', 'X:/ec/attributes')).code).toBe(0);
  const { code, stderr } = await copy('--exact', '--preserve', 'X:/ec/attributes', 'X:/plain/attributes-back');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { replication } = await x.status('/plain/attributes-back/small-blocks');
  expect(replication).toBe((await x.status('/plain/attributes/small-blocks')).replication);
});

describe('--attributes ecpolicy', () => {
  const policies = async (root: string) => ({
    root: await policyOf(root),
    file: await policyOf(`${root}/file`),
    replicated: await policyOf(`${root}/replicated`),
    inside: await policyOf(`${root}/replicated/file`),
    deep: await policyOf(`${root}/deep/er`),
  });

  beforeAll(async () => {
    await x.mkdirs('/plain');
    await x.mkdirs('/ec/policies/replicated');
    await x.call('PUT', 'SETECPOLICY', '/ec/policies/replicated', { ecpolicy: 'REPLICATION' });
    for (const name of ['file', 'replicated/file', 'deep/er/file'])
      await x.put(`/ec/policies/${name}`, content(name, 3 * MIB));
  });

  test('gives directories what their source has, and so the files in them', async () => {
    const wanted = await policies('/ec/policies');
    expect(wanted).toMatchObject({ root: 'XOR-2-1-1024k', replicated: undefined, inside: undefined });
    const copied = await copy('--exact', '--attributes', 'ecpolicy', 'X:/ec/policies', 'X:/plain/policies');
    expect(copied.code, copied.stderr).toBe(0);
    expect(copied.status).toMatchObject({ 'Files Copied': 3, Verified: { checksum: 3 }, Warnings: {} });
    expect(await policies('/plain/policies')).toEqual(wanted);
    expect((await x.status('/plain/policies/deep')).permission).toBe('755');
    const replicas = await copy(
      '--exact',
      '--attributes',
      'ecpolicy',
      'X:/plain/policies/replicated',
      'X:/ec/replicas',
    );
    expect(replicas.status).toMatchObject({ 'Files Copied': 1, Warnings: {} });
    expect(await policyOf('/ec/replicas/file')).toBeUndefined();
  });

  test('is no part of --preserve', async () => {
    const { code, status } = await copy('--exact', '--preserve', 'X:/ec/policies', 'X:/plain/preserved');
    expect({ code, warnings: status.Warnings['ecpolicy'] }).toEqual({ code: 0, warnings: undefined });
    expect(await policyOf('/plain/preserved')).toBeUndefined();
  });

  test('that is not enabled there is counted, with the reason, and the files are copied', async () => {
    const { namenodeUrl, ...b } = await sharedCluster('B');
    const both = writeConf(JSON.stringify({ clusters: [definitionOf(X), definitionOf({ namenodeUrl, ...b })] }));
    const args = ['copy', '--silent', '--exact', '--attributes', 'ecpolicy', 'X:/ec/policies', 'B:/policies'];
    const { code, status } = await runCli(args, { conf: both });
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 3 });
    expect(status.Warnings['ecpolicy']).toBe(3);
    expect(Object.keys(status['Warning Reasons']).join()).toContain('ecpolicy: ');
  });
});

async function policyOf(path: string): Promise<string | undefined> {
  return ((await x.status(path)) as { ecPolicy?: string }).ecPolicy;
}
