import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { varied } from '../support/odd-tree.ts';
import { temporaryNames, writeConf } from '../support/two-clusters.ts';

const MIB = 1024 * 1024;
const PART = 4 * MIB;
const PARTS = 6;
const LENGTH = (PARTS - 1) * PART + 77;
let bed: Bed<'A' | 'B'>;
let a: TestHdfs;
let b: TestHdfs;

// A bed of its own, with a JVM for each daemon.
beforeAll(async () => {
  bed = await startBed({
    separate: true,
    clusters: [
      { name: 'A', blockBytes: MIB },
      { name: 'B', blockBytes: PART },
    ],
  });
  a = new TestHdfs(bed.clusters.A.namenodeUrl);
  b = new TestHdfs(bed.clusters.B.namenodeUrl);
});

afterAll(() => bed.stop());

/** A copy of a file in parts of which `onAppend` hears of every APPEND, by its number. */
async function copying(name: string, onAppend: (number: number) => void) {
  await a.put(`/${name}/in/long`, varied(name, LENGTH));
  await b.mkdirs(`/${name}`);
  const source = await FaultProxy.start(bed.clusters.A.namenodeUrl);
  let appended = 0;
  const destination = await FaultProxy.start(bed.clusters.B.namenodeUrl, {
    react: ({ operation }) => {
      if (operation === 'APPEND') onAppend(++appended);
      return undefined;
    },
  });
  const clusters = [
    { ...definitionOf(bed.clusters.A), nameservices: [{ urls: [source.url], mounts: ['/'] }] },
    { ...definitionOf(bed.clusters.B), nameservices: [{ urls: [destination.url], mounts: ['/'] }] },
  ];
  const options = { conf: writeConf(JSON.stringify({ clusters })), home: newHome() };
  const args = ['copy', '--silent', '--bandwidth', '8M', '--chunk-size', `${PART}`, `A:/${name}/in`, `B:/${name}/out`];
  return {
    ...startCli(args, options),
    options,
    /** Where the parts that were read begin. */
    offsets: () =>
      source.requests
        .filter(({ operation, path }) => operation === 'OPEN' && path.endsWith('/in/long'))
        .map(({ query }) => Number(new URLSearchParams(query).get('offset') ?? 0)),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
    },
  };
}

test('a datanode killed with kill -9 in the middle of a part costs that part alone', async () => {
  let restarted: Promise<void> | undefined;
  const restart = async () => {
    await sleep(250);
    await bed.kill('B-dn1');
    await bed.start('B-dn1');
  };
  await using copy = await copying('datanode', (number) => {
    if (number === 4) restarted ??= restart();
  });
  const { code, stderr, status } = await copy.ended;
  await restarted;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Verified: { checksum: 1 } });
  const offsets = copy.offsets();
  expect(new Set(offsets)).toEqual(new Set(Array.from({ length: PARTS }, (_, part) => part * PART)));
  expect(offsets.filter((offset) => offset !== 3 * PART)).toHaveLength(PARTS - 1);
  expect(await b.tree('/datanode/out')).toEqual(await a.tree('/datanode/in'));
  expect(temporaryNames(await b.tree('/datanode'))).toEqual([]);
});

test('a writer that hangs with the lease is waited for, and then the file begins anew', async () => {
  let kill: () => void = () => undefined;
  await using copy = await copying('hanging', (number) => {
    if (number === 4) kill();
  });
  kill = () => copy.child.kill('SIGKILL');
  await copy.ended;
  const [left = ''] = temporaryNames(await b.tree('/hanging'));
  const hanging = await hangingAppend(`/hanging${left}`);
  const { Job: job } = JSON.parse((await runCli(['jobs', '--json'], copy.options)).stdout) as { Job: string };
  const { code, status } = await runCli(['copy', '--silent', '--resume', job], copy.options);
  hanging.destroy();
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Verified: { checksum: 1 } });
  expect(copy.offsets().filter((offset) => offset === 0)).toHaveLength(2);
  expect(await b.tree('/hanging/out')).toEqual(await a.tree('/hanging/in'));
  await sleep(1000);
  expect(temporaryNames(await b.tree('/hanging'))).toEqual([]);
});

/** Begins to add to a file, as a frozen copier that keeps its connection. */
async function hangingAppend(path: string) {
  // What the killed copier has left is closed by then.
  while (await isOpen(path)) await sleep(50);
  const { location = '' } = await b.call('POST', 'APPEND', path);
  const upload = request(location, { method: 'POST', headers: { 'content-length': PART } });
  upload.on('error', () => undefined);
  upload.write(Buffer.alloc(100_000, 1));
  await once(upload, 'socket');
  while (!(await isOpen(path))) await sleep(50);
  return upload;
}

/** Whether the namenode knows a writer of the file. */
async function isOpen(path: string): Promise<boolean> {
  interface Located {
    readonly LocatedBlocks: { readonly isUnderConstruction: boolean };
  }
  return (await b.json<Located>('GET_BLOCK_LOCATIONS', path)).LocatedBlocks.isUnderConstruction;
}
