import { beforeAll, describe, expect, inject, test } from 'vitest';
import { startBed } from '../bed/bed.ts';
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { expectOneLine, TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** One file system under several names: a tree is not copied into itself, and two jobs do not write into one destination. */

const bed = inject('bed');
const STOPPED = 3;
const byAddress = (url: string) => url.replace('localhost', '127.0.0.1');

describe('a tree under two names', () => {
  let pair: TwoClusters;
  let conf: string;
  let root: string;

  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'same-tree');
    root = pair.root;
    for (const hdfs of [pair.a, pair.b]) await hdfs.put(`${root}/d/sub/f`, 'inner');
    await pair.a.put(`${root}/d/sub/d/sub/f`, 'of the same name below');
    conf = pair.conf({
      A2: { url: byAddress(bed.a) },
      'A-shout': { url: bed.a.replace('localhost', 'LOCALHOST') },
      HTTPFS: { url: bed.httpFs },
      HA: { nameservices: [{ urls: ['http://localhost:1', byAddress(bed.a)], mounts: ['/'] }] },
      FED: {
        nameservices: [
          { urls: [bed.b], mounts: ['/'] },
          { urls: [byAddress(bed.a)], mounts: [`${root}/d`] },
        ],
      },
    });
  });

  const inside = 'is or lies inside its own source /same-tree/d';
  test.each([
    ['A:/same-tree/d', 'A2:/same-tree/d/new', inside],
    ['A:/same-tree/d', 'A2:/same-tree', inside],
    ['A:/same-tree/d', 'A-shout:/same-tree', inside],
    ['A:/same-tree/d', 'HTTPFS:/same-tree/d/new', inside],
    ['HTTPFS:/same-tree/d', 'A:/same-tree/d/sub', inside],
    ['HTTPFS:/same-tree/d', 'A2:/same-tree', inside],
    ['A:/same-tree/d', 'HA:/same-tree/d/new', inside],
    ['HA:/same-tree/d', 'A:/same-tree/d/new', inside],
    ['A:/same-tree/d', 'FED:/same-tree/d/new', inside],
    ['FED:/same-tree', 'A:/same-tree/d/new', 'is or lies inside its own source /same-tree'],
    ['A:/', 'A2:/same-tree/d/new', 'is or lies inside its own source /'],
    ['A:/same-tree/{d}', 'A2:/same-tree/d/new', inside],
    ['A:/same-tree/d/sub/f', 'A2:/same-tree/d/sub/f', 'is or lies inside its own source'],
  ])('%s is not copied to %s, with and without force', async (from, to, says) => {
    for (const flags of [[], ['--force'], ['--dry-run'], ['--exact']]) {
      if (flags[0] === '--exact' && to.endsWith('same-tree')) continue;
      await pair.expectRefused(['copy', ...flags, from, to], { code: STOPPED, says: [says], conf });
    }
  });

  test('a tree is not copied over what holds it, where that would overwrite it', async () => {
    const args = ['copy', '--exact', '--force', `A:${root}/d/sub`, `A2:${root}`];
    const says = ['holds its own source /same-tree/d/sub', 'would overwrite it'];
    await pair.expectRefused(args, { code: STOPPED, says, conf });
  });

  test('what holds its source may be the destination where nothing meets', async () => {
    const { a } = pair;
    await a.put(`${root}/up/day/file`, 'file');
    const { code, stderr } = await pair.run(
      ['copy', '--silent', '--exact', '--force', `A:${root}/up/day`, `A2:${root}/up`],
      { conf },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Object.keys(await a.tree(`${root}/up`))).toEqual(['/day/', '/day/file', '/file']);
  });

  test('other clusters with the same paths are copied to, and one directory is made to tell where numbers do not', async () => {
    await using faultProxy = await FaultProxy.start(bed.b);
    const own = pair.conf({ B: { url: faultProxy.url }, HTTPFS: { url: bed.httpFs } });
    const probes = () =>
      faultProxy.requests.filter(({ path }) => path.includes('probe')).map(({ operation }) => operation);
    for (const args of [
      [`A:${root}/d`, `B:${root}`],
      [`HTTPFS:${root}/d`, `B:${root}`],
      [`A:${root}/d/sub/f`, `B:${root}/d/sub/f`],
    ]) {
      const { code, stderr } = await pair.run(['copy', '--silent', '--force', ...args], { conf: own });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    // Two young clusters may number their directories alike.
    expect(probes().length / 2).toBeLessThanOrEqual(3);
    faultProxy.requests.length = 0;
    // All root directories have one number.
    await pair.a.put('/same-tree-top/f', 'f');
    const top = ['copy', '--silent', 'A:/same-tree-top', 'A:/same-tree-top/{f,f}', 'B:/'];
    const dry = await pair.run([...top, '--dry-run'], { conf: own });
    expect({ code: dry.code, stderr: dry.stderr, probes: probes() }).toEqual({ code: 0, stderr: '', probes: [] });
    const { code, stderr } = await pair.run(top, { conf: own });
    expect({ code, stderr, probes: probes() }).toEqual({ code: 0, stderr: '', probes: ['MKDIRS', 'DELETE'] });
  });

  test('no probe is left', async () => {
    for (const hdfs of [pair.a, pair.b]) {
      expect((await hdfs.list('/')).filter(({ pathSuffix }) => pathSuffix.startsWith('_hdfs-fanout'))).toEqual([]);
      expect(temporaryNames(await hdfs.tree(root))).toEqual([]);
    }
  });
});

describe('a destination under two names', () => {
  /** Holds a job that writes to `held` and tries another that writes to `wanted`. */
  async function expectBusy(
    pair: TwoClusters,
    conf: string,
    source: string,
    held: string,
    wanted: string,
  ): Promise<void> {
    const first = startCli(['copy', '--json', source, held], { conf, home: pair.home });
    try {
      await new Promise((resolve) => waiting.push(resolve));
      const second = await pair.run(['copy', source, wanted], { conf });
      expectOneLine(second, ['is writing to', 'which overlaps']);
      expect(second.code).toBe(STOPPED);
    } finally {
      first.child.kill('SIGKILL');
      await first.ended;
    }
  }
  const waiting: ((value: unknown) => void)[] = [];
  /** A fault proxy that never lets a file be written. */
  const holding = (url: string) =>
    FaultProxy.start(url, {
      react: ({ operation }) => {
        if (operation !== 'CREATE') return undefined;
        waiting.shift()?.(undefined);
        return 'hang';
      },
    });

  test('is known by its block pool, whatever its addresses', async () => {
    await using own = await startBed({ clusters: [{ name: 'C' }] });
    const pair = await TwoClusters.make(bed, 'same-lock');
    await pair.a.put(`${pair.root}/f`, 'f');
    const { namenodeUrl } = own.clusters.C;
    await new TestHdfs(namenodeUrl).mkdirs('/in/deep');
    await using one = await holding(namenodeUrl);
    await using two = await FaultProxy.start(namenodeUrl);
    const conf = pair.conf({ C: { url: one.url }, C2: { url: two.url }, C3: { url: byAddress(namenodeUrl) } });
    const source = `A:${pair.root}/f`;
    await expectBusy(pair, conf, source, 'C:/in/deep', 'C2:/in/deep');
    await expectBusy(pair, conf, source, 'C:/in/deep', 'C3:/in/deep/f');
    const beside = await pair.run(['copy', source, 'C2:/in/g'], { conf });
    expect(beside.code, beside.stderr).toBe(0);
  });

  test('is known by its resolved address where it does not tell its block pool', async () => {
    const pair = await TwoClusters.make(bed, 'same-lock-resolved');
    await pair.a.put(`${pair.root}/f`, 'f');
    // Both namenodes of the shared bed answer for one JVM, whose block pools are two.
    await using one = await holding(bed.b);
    const port = new URL(one.url).port;
    const conf = pair.conf({ B: { url: one.url }, B2: { url: `http://localhost:${port}` } });
    await expectBusy(pair, conf, `A:${pair.root}/f`, `B:${pair.root}/x`, `B2:${pair.root}/x`);
  });
});
