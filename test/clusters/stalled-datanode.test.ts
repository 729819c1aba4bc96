import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { runCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

/** A datanode that stands still, while its namenode believes that it lives: the others do its work. */

const FILES = 16;
const TRANSFERS = 4;
let bed: Bed<'A' | 'D'>;
let a: TestHdfs;
let d: TestHdfs;
let tree: Record<string, string>;

beforeAll(async () => {
  const clusters = [
    { name: 'A' },
    // What a datanode wants of another one that stands still, as for a checksum, it soon gets of the next one.
    { name: 'D', datanodes: 3, replication: 1, extraHdfs: { 'dfs.client.socket-timeout': '1000' } },
  ] as const;
  bed = await startBed({ separate: true, clusters });
  a = new TestHdfs(bed.clusters.A.namenodeUrl);
  d = new TestHdfs(bed.clusters.D.namenodeUrl);
  for (const hdfs of [a, d]) {
    for (let i = 0; i < FILES; i++)
      await hdfs.put(`/in/f${i}`, content(`${i}`, 100_000 + i), { replication: hdfs === d ? '2' : '1' });
  }
  tree = await a.tree('/in');
}, 240_000);
afterAll(() => bed.stop());

test.each([
  ['D', 'A', 'OPEN'],
  ['A', 'D', 'CREATE'],
] as const)(
  'copies from %s to %s avoid it, and the job tells of it',
  async (from, to, operation) => {
    const still = bed.clusters.D.datanodes[0];
    if (!still) throw new Error('there is no datanode');
    await using namenode = await FaultProxy.start(bed.clusters.D.namenodeUrl);
    const clusters = [
      { name: 'A', user: 'root', nameservices: [{ urls: [bed.clusters.A.namenodeUrl], mounts: ['/'] }] },
      { name: 'D', user: 'root', data_timeout: 20, nameservices: [{ urls: [namenode.url], mounts: ['/'] }] },
    ];
    const conf = writeConf(JSON.stringify({ clusters }));
    await bed.kill(still.daemon, 'SIGSTOP');
    try {
      const args = ['copy', '--silent', '--exact', '--threads', `${TRANSFERS}`, `${from}:/in`, `${to}:/from-${from}`];
      const { code, status, stderr } = await runCli(args, { conf });
      expect(code, stderr).toBe(0);
      expect(status).toMatchObject({ 'Files Copied': FILES, 'Files Failed': 0, Verified: { checksum: FILES } });
      const warning = `connections to the datanode ${still.httpAddress} of D that died or stalled`;
      expect(Object.keys(status.Warnings)).toEqual([warning]);
      // Those that were under way when the first one was lost; nobody came after.
      expect(status.Warnings[warning]).toBeLessThanOrEqual(2 * TRANSFERS);
      const asked = namenode.requests.filter((request) => request.operation === operation);
      const excluded = new Set(asked.map(({ query }) => new URLSearchParams(query).get('excludedatanodes')));
      expect(excluded).toEqual(new Set([null, still.transferAddress]));
    } finally {
      await bed.kill(still.daemon, 'SIGCONT');
    }
    // What it was sent before it stood still it may write when it wakes, and under a temporary name.
    const there = Object.entries(await (to === 'A' ? a : d).tree(`/from-${from}`));
    const copied = Object.fromEntries(there.filter(([path]) => !path.startsWith('/_hdfs-fanout.')));
    expect(copied).toEqual(tree);
  },
  300_000,
);
