import { beforeAll, expect, inject, test } from 'vitest';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';
import { Cloud, copiersConnectedTo, kill } from './cloud.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MIB = 1024 * 1024;
const MINUTES = 60_000;
const LENGTH = 61 * MIB + 77;
const chunked = ['--split-above', String(4 * MIB), '--chunk-size', String(8 * MIB)];
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'aws-chunks');
});

/** Cluster B behind a fault proxy. Its alias is of this file alone: files run beside each other on one deployment. */
async function faultProxyOf(react: (request: FaultProxyRequest) => Reaction | undefined) {
  const faultProxy = await FaultProxy.start(bed.b, { react });
  await cloud.push({ chunksProxy: { url: faultProxy.url } });
  return faultProxy;
}

async function long(name: string): Promise<Record<string, string>> {
  await pair.a.put(`${pair.root}/${name}/long`, content(name, LENGTH));
  await pair.a.put(`${pair.root}/${name}/short`, 'short');
  return pair.a.tree(`${pair.root}/${name}`);
}

const start = (name: string, alias: string) =>
  cloud.run('start', '--wait', '--exact', `A:${pair.root}/${name}`, `${alias}:${pair.root}/${name}`, ...chunked);

test(
  'one file is copied by several Lambdas, one of which is killed, and is counted once',
  async () => {
    const expected = await long('killed');
    let killed = 0;
    await using faultProxy = await faultProxyOf((request) => {
      const isChunk = request.operation === 'CREATE' && request.path.includes('_hdfs-fanout');
      if (!isChunk || killed > 0 || faultProxy.count('CREATE') < 4) return undefined;
      const copiers = copiersConnectedTo(faultProxy.url);
      killed = copiers.length;
      kill(copiers);
      return 'cut-before';
    });
    const { code, stderr, status } = await start('killed', 'chunksProxy');
    expect(code, stderr).toBe(0);
    expect(killed).toBeGreaterThan(0);
    expect(status).toMatchObject({
      'Files Expected': 2,
      'Files Copied': 2,
      'Size Copied': LENGTH + 5,
      'Files Split': { 'chunks of 8.0 MiB': 1 },
      Verified: { checksum: 2 },
    });
    // The batches of chunks are as many Lambdas' work.
    const batches = new Set(
      faultProxy.requests.flatMap(({ path }) => /_hdfs-fanout\..*\.(\d+)\.\d+\.\d+\.\d+$/.exec(path)?.[1] ?? []),
    );
    expect(batches.size).toBeGreaterThan(2);
    expect(await pair.b.tree(`${pair.root}/killed`)).toEqual(expected);
  },
  5 * MINUTES,
);

test(
  'a file that could not be put together fails, and a retry puts it together of the same chunks',
  async () => {
    const expected = await long('denied');
    let isDenied = true;
    const body = JSON.stringify({
      RemoteException: { exception: 'AccessControlException', message: 'Permission denied' },
    });
    await using faultProxy = await faultProxyOf(({ operation, path }) =>
      isDenied && operation === 'CONCAT' && !path.includes('probe') ? { answer: { status: 403, body } } : undefined,
    );
    const { code, status } = await start('denied', 'chunksProxy');
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1 });
    isDenied = false;
    const created = faultProxy.count('CREATE');
    const again = await cloud.run('retry', status.Job, '--wait');
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ 'Files Copied': 2, 'Files Failed': 0, 'Size Copied': LENGTH + 5 });
    expect(faultProxy.count('CREATE')).toBe(created);
    const tree = await pair.b.tree(`${pair.root}/denied`);
    expect(temporaryNames(tree)).toEqual([]);
    expect(tree).toEqual(expected);
  },
  5 * MINUTES,
);

test(
  'a job that will not be retried is cleaned: nothing of it is left at the destination, and no retry takes it up',
  async () => {
    await long('cleaned');
    const body = JSON.stringify({
      RemoteException: { exception: 'AccessControlException', message: 'Permission denied' },
    });
    await using faultProxy = await faultProxyOf(({ operation, path }) =>
      operation === 'CONCAT' && !path.includes('probe') ? { answer: { status: 403, body } } : undefined,
    );
    const { code, status } = await start('cleaned', 'chunksProxy');
    expect(code).toBe(1);
    expect(temporaryNames(await pair.b.tree(`${pair.root}/cleaned`))).toHaveLength(8);
    const cleaned = await cloud.run('clean', status.Job);
    expect({ code: cleaned.code, stderr: cleaned.stderr }).toEqual({ code: 0, stderr: '' });
    expect(cleaned.stdout).toContain(`${status.Job} is clean`);
    expect(Object.keys(await pair.b.tree(`${pair.root}/cleaned`))).toEqual(['/short']);
    const again = await cloud.run('retry', status.Job, '--wait');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('was cleaned');
    expect(faultProxy.count('DELETE')).toBeGreaterThan(7);
  },
  5 * MINUTES,
);
