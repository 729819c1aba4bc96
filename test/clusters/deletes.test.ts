import { beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { writeConf } from '../support/two-clusters.ts';

/** --delete where the trash is more than a directory in one's home: mounts, encryption zones, HttpFS, an older release. */

const clusters = new Map<string, Cluster>();
const hdfs = new Map<string, TestHdfs>();
let conf: string;

const on = (name: string): TestHdfs => {
  const found = hdfs.get(name);
  if (!found) throw new Error(`no cluster ${name}`);
  return found;
};

beforeAll(async () => {
  for (const name of ['A', 'B', 'E', 'O'] as const) {
    const cluster = await sharedCluster(name);
    clusters.set(name, cluster);
    hdfs.set(name, new TestHdfs(cluster.namenodeUrl));
  }
  const nameservice = (url: string | undefined, ...mounts: string[]) => ({ urls: [url ?? ''], mounts });
  const federated = {
    name: 'FED',
    user: 'root',
    nameservices: [nameservice(on('A').url, '/'), nameservice(on('B').url, '/fed-delete/b', '/fed-delete/old/mount')],
  };
  const gateways = (['A', 'O'] as const).map((name) => ({
    name: `${name}-HTTPFS`,
    user: 'root',
    nameservices: [nameservice(clusters.get(name)?.httpfs?.url, '/')],
  }));
  const definitions = [...clusters.values()].map((cluster) => definitionOf(cluster));
  conf = writeConf(JSON.stringify({ clusters: [...definitions, federated, ...gateways] }));
}, 300_000);

const mirror = (from: string, to: string, ...flags: string[]) =>
  runCli(['copy', '--silent', '--exact', '--delete', ...flags, from, to], { conf });

async function put(cluster: string, root: string, ...files: string[]): Promise<void> {
  for (const file of files) await on(cluster).put(`${root}/${file}`, file);
}

const files = async (cluster: string, path: string) =>
  (await on(cluster).exists(path))
    ? Object.keys(await on(cluster).tree(path)).filter((name) => !name.endsWith('/'))
    : [];

test('on two nameservices each deletes into its own trash, and a mount stays', async () => {
  await put('A', '/fed-source', 'a', 'b/1');
  await put('A', '/fed-delete', 'a', 'extra/1', 'old/2');
  await on('B').put('/fed-delete/b/1', 'b/1');
  await put('B', '/fed-delete/b', 'extra/2');
  await put('B', '/fed-delete/old/mount', '3');
  const { code, stderr, status } = await mirror('A:/fed-source', 'FED:/fed-delete');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Skipped': 2, 'Files Deleted': 4 });
  expect(await files('A', '/fed-delete')).toEqual(['/a']);
  expect(await files('B', '/fed-delete')).toEqual(['/b/1']);
  expect(await on('B').exists('/fed-delete/old/mount')).toBe(true);
  expect(await files('A', '/user/root/.Trash/Current/fed-delete')).toEqual(['/extra/1', '/old/2']);
  expect(await files('B', '/user/root/.Trash/Current/fed-delete')).toEqual(['/b/extra/2', '/old/mount/3']);
});

test('in an encryption zone what is deleted goes into the trash of the zone', async () => {
  await put('E', '/plain-source', 'a');
  await put('E', '/ez/mirror', 'a', 'extra/1', 'first');
  const { code, stderr, status } = await mirror('E:/plain-source', 'E:/ez/mirror');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Skipped': 1, 'Files Deleted': 2 });
  expect(await files('E', '/ez/mirror')).toEqual(['/a']);
  expect(await files('E', '/ez/.Trash/root/Current/ez/mirror')).toEqual(['/extra/1', '/first']);
});

describe.each([
  ['HttpFS', 'A-HTTPFS', 'A'],
  ['a namenode of Hadoop 3.3', 'O', 'O'],
  ['HttpFS of Hadoop 3.3', 'O-HTTPFS', 'O'],
] as const)('by way of %s', (_, alias, cluster) => {
  test('what is deleted goes into the trash, where a name that is taken gets the time', async () => {
    const root = `/by-${alias}`;
    await put('B', `${root}/source`, 'a');
    for (const first of [true, false]) {
      await put(cluster, `${root}/mirror`, 'a', 'extra/1', 'first');
      const { code, stderr, status } = await mirror(`B:${root}/source`, `${alias}:${root}/mirror`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(status).toMatchObject({ 'Files Skipped': 1, 'Files Deleted': 2 });
      expect(await files(cluster, `${root}/mirror`)).toEqual(['/a']);
      const trashed = await files(cluster, `/user/root/.Trash/Current${root}/mirror`);
      if (first) expect(trashed).toEqual(['/extra/1', '/first']);
      else expect(trashed).toContainEqual(expect.stringMatching(/^\/extra\d{13}\/1$/));
    }
  });

  test('a snapshottable directory stays', async () => {
    const root = `/snap-${alias}`;
    await put('B', `${root}/source`, 'a');
    await put(cluster, `${root}/mirror`, 'a', 'extra/snap/1', 'extra/2');
    await on(cluster).call('PUT', 'ALLOWSNAPSHOT', `${root}/mirror/extra/snap`);
    const { code, stderr } = await mirror(`B:${root}/source`, `${alias}:${root}/mirror`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Object.keys(await on(cluster).tree(`${root}/mirror`))).toEqual(['/a', '/extra/', '/extra/snap/']);
  });

  test('deletes for good with --skip-trash', async () => {
    const root = `/skip-${alias}`;
    await put('B', `${root}/source`, 'a');
    await put(cluster, `${root}/mirror`, 'a', 'extra/1', 'first');
    const { code, status } = await mirror(`B:${root}/source`, `${alias}:${root}/mirror`, '--skip-trash');
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 2 });
    expect(Object.keys(await on(cluster).tree(`${root}/mirror`))).toEqual(['/a']);
  });
});
