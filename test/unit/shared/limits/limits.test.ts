import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lease, OwnLeases } from '../../../../shared/limits/leases.ts';
import { type LimitOptions, Limits, type LimitStore, requireZone } from '../../../../shared/limits/limits.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { allBytes, type Storage, type WriteOptions } from '../../../../shared/storage/storage.ts';
import { urgently } from '../../../../shared/storage/urgent.ts';
import { allOf, never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => void (clock = new VirtualClock()));
afterEach(() => clock[Symbol.dispose]());

const PIECE = 65_536;
const asked: WriteOptions = {
  lengthBytes: 0,
  permission: undefined,
  overwrite: false,
  blockBytes: undefined,
  replication: undefined,
};

async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += PIECE) yield Promise.resolve(new Uint8Array(Math.min(PIECE, bytes - at)).fill(7));
}

/** A storage that reads as fast as it is asked, and counts what is written. */
function storageOf(written: Uint8Array[] = []): Storage {
  return decorated(new ListedTree([], namenodeOrder, 10), {
    read: (_path, { lengthBytes }) => Promise.resolve({ body: pieces(lengthBytes), cancel: () => undefined }),
    async write(_path, body) {
      for await (const piece of body) written.push(piece);
      return {};
    },
  });
}

/** Reads until it has all. @returns how long that took by the clock, s, and the pieces */
async function secondsOf(work: Promise<unknown>): Promise<number> {
  const startedAtMs = clock.nowMs;
  let endedAtMs: number | undefined;
  void work.then(() => (endedAtMs = clock.nowMs));
  while (endedAtMs === undefined) await clock.pass(50);
  return (endedAtMs - startedAtMs) / 1000;
}

async function read(storage: Storage, bytes: number): Promise<Uint8Array[]> {
  const { body } = await storage.read('/f', allBytes(bytes), never);
  const got: Uint8Array[] = [];
  for await (const piece of body) got.push(piece);
  return got;
}

/** A store with one job. */
class OneJob extends OwnLeases implements LimitStore {
  options: LimitOptions = {};
  readonly budgets: string[] = [];
  looks = 0;

  get() {
    this.looks += 1;
    return Promise.resolve({ spec: { options: this.options } });
  }

  override lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease> {
    this.budgets.push(budget);
    return super.lease(budget, lastsMs, nowMs);
  }
}

describe('the bandwidth of a job', () => {
  it('is that of all that is read, whole and in small pieces', async () => {
    const limits = new Limits({ bandwidth: '100K' });
    const [one, other] = [limits.paced(storageOf()), limits.paced(storageOf())];
    const both = Promise.all([read(one, 512_000), read(other, 512_000)]);
    const seconds = await secondsOf(both);
    expect(seconds).toBeGreaterThan(9.5);
    expect(seconds).toBeLessThan(10.5);
    for (const got of await both) {
      expect(Buffer.concat(got)).toEqual(Buffer.alloc(512_000, 7));
      expect(Math.max(...got.map(({ length }) => length))).toBeLessThanOrEqual(2048);
    }
    expect(limits.binding).toBe('limited to 100.0 KiB/s');
  });

  it('is not spent by what is written: a copied byte counts once', async () => {
    const written: Uint8Array[] = [];
    const storage = new Limits({ bandwidth: '1' }).paced(storageOf(written));
    await storage.write('/f', pieces(1_000_000), asked, never);
    expect(Buffer.concat(written).length).toBe(1_000_000);
  });

  it('passes pieces on as they are where there is none', async () => {
    const limits = new Limits({});
    const got = await read(limits.paced(storageOf()), 3 * PIECE);
    expect(got.map(({ length }) => length)).toEqual([PIECE, PIECE, PIECE]);
    expect(limits.binding).toBeUndefined();
  });

  it('leaves at once who is aborted', async () => {
    const storage = new Limits({ bandwidth: '1' }).paced(storageOf());
    const stop = new AbortController();
    const { body } = await storage.read('/f', allBytes(PIECE), stop.signal);
    const refused = expect(allOf(body)).rejects.toThrow('stopped');
    await clock.pass(100);
    stop.abort(new Error('stopped'));
    await refused;
  });

  it('follows its timetable', async () => {
    // The clock says 08:00 UTC.
    clock.nowMs = Date.parse('2026-03-02T07:59:50Z');
    const storage = new Limits({ bandwidth: '08:00,off 07:00,10K UTC' }).paced(storageOf());
    const seconds = await secondsOf(read(storage, 10_000_000));
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(12);
  });
});

describe('what a cluster allows', () => {
  const prod = { name: 'listed', max_bandwidth: '100K' };

  it('counts what is read from it and what is written to it', async () => {
    const limits = new Limits({});
    const storage = limits.paced(storageOf(), prod);
    const work = Promise.all([read(storage, 512_000), storage.write('/f', pieces(512_000), asked, never)]);
    const seconds = await secondsOf(work);
    expect(seconds).toBeGreaterThan(9.5);
    expect(seconds).toBeLessThan(10.5);
    expect(limits.binding).toMatch(/^limited to 100\.0 KiB\/s by /);
  });

  it.each([
    ['50K', 10],
    ['1M', 5],
  ])('holds beside a job’s %s: the stricter one wins', async (bandwidth, expected) => {
    const seconds = await secondsOf(read(new Limits({ bandwidth }).paced(storageOf(), prod), 512_000));
    expect(Math.abs(seconds - expected)).toBeLessThan(0.6);
  });
});

describe('requests to namenodes', () => {
  const turns = async (limits: Limits, cluster: { name: string; max_namenode_ops?: number }, requests: number) => {
    const turn = limits.turnsAt(cluster);
    for (let request = 0; request < requests; request++) await turn(never);
  };

  it('are as many a second as the job allows, for each cluster', async () => {
    const limits = new Limits({ namenodeOps: 20 });
    const both = Promise.all([turns(limits, { name: 'a' }, 200), turns(limits, { name: 'b' }, 200)]);
    const seconds = await secondsOf(both);
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(11);
    expect(limits.binding).toBe('limited to 20 namenode requests/s');
  });

  it('are as many a second as the cluster allows', async () => {
    const limits = new Limits({ namenodeOps: 1000 });
    const seconds = await secondsOf(turns(limits, { name: 'a', max_namenode_ops: 10 }, 100));
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(11);
    expect(limits.binding).toBe('limited to 10 namenode requests/s by a');
  });

  it('wait for nothing where nothing limits them', () => {
    expect(new Limits({ namenodeOps: 'off' }).turnsAt({ name: 'a' })(never)).toBeUndefined();
  });
});

describe('limits that follow a store', () => {
  it('lease what is the job’s under its name, and what is a cluster’s for all jobs', async () => {
    const store = new OneJob();
    store.options = { bandwidth: '10M', namenodeOps: 100 };
    const limits = new Limits(store.options);
    limits.follow('one', store, 1000);
    const cluster = { name: 'listed', max_bandwidth: '10M', max_namenode_ops: 100 };
    const storage = limits.paced(storageOf(), cluster);
    await secondsOf(Promise.all([read(storage, PIECE), limits.turnsAt(cluster)(never)]));
    expect(new Set(store.budgets)).toEqual(
      new Set(['job/one/bytes', `cluster/${storage.name}/bytes`, 'job/one/ops/listed', 'cluster/listed/ops']),
    );
  });

  it('see a change while something waits, and while nothing limits', async () => {
    const store = new OneJob();
    store.options = { bandwidth: '1' };
    const limits = new Limits(store.options);
    limits.follow('one', store, 1000);
    const storage = limits.paced(storageOf());
    const reading = read(storage, 10 * PIECE);
    await clock.pass(3000);
    store.options = { bandwidth: 'off' };
    expect(await secondsOf(reading)).toBeLessThan(3);
    store.options = { bandwidth: '100K' };
    await clock.pass(2000);
    // The first piece finds out.
    await read(storage, 1);
    await clock.pass(1);
    expect(await secondsOf(read(storage, 512_000))).toBeGreaterThan(4);
  });

  it('look seldom, and lease nothing where nothing limits', async () => {
    const store = new OneJob();
    const limits = new Limits({});
    limits.follow('one', store, 1000);
    await read(limits.paced(storageOf()), 100 * PIECE);
    expect(store.looks).toBe(1);
    expect(store.budgets).toEqual([]);
  });

  it('go on as they are while the store cannot be read', async () => {
    const store = new OneJob();
    const limits = new Limits({ bandwidth: '100K' });
    store.get = () => Promise.reject(new Error('away'));
    limits.follow('one', store, 1000);
    const seconds = await secondsOf(read(limits.paced(storageOf()), 512_000));
    expect(Math.abs(seconds - 5)).toBeLessThan(0.6);
  });
});

describe('what holds a copy up', () => {
  it('is nothing while nobody waits, and every limit that somebody waited for', async () => {
    const limits = new Limits({ bandwidth: '10K', namenodeOps: 5 });
    expect(limits.heldUp(1000)).toBeUndefined();
    const turn = limits.turnsAt({ name: 'a' });
    await secondsOf(Promise.all([read(limits.paced(storageOf()), 20_000), turn(never), turn(never)]));
    const by = '5 namenode requests/s, 10.0 KiB/s';
    expect(limits.heldUp(3000)).toMatchObject({ by, bytesPerSecond: 10_240, requestsPerSecond: 5 });
    // For the bytes most of two seconds, and for one of the two requests.
    const waitedMs = limits.heldUp(3000)?.waitedMs ?? 0;
    expect([waitedMs > 1500, waitedMs < 2500]).toEqual([true, true]);
    await clock.pass(4000);
    expect(limits.heldUp(3000)).toBeUndefined();
  });

  it('is no bandwidth where only requests waited', async () => {
    const limits = new Limits({ namenodeOps: 5 });
    const turn = limits.turnsAt({ name: 'a' });
    await secondsOf(Promise.all([turn(never), turn(never), turn(never)]));
    const by = '5 namenode requests/s';
    expect(limits.heldUp(1000)).toMatchObject({ by, bytesPerSecond: Infinity, requestsPerSecond: 5 });
  });

  it('says the most that the clusters ever allow', () => {
    const limits = new Limits({});
    expect(limits.mostOfClusters).toBeUndefined();
    limits.paced(storageOf(), { name: 'a', max_bandwidth: '08:00,1K 19:00,3K UTC' });
    limits.paced(storageOf(), { name: 'b', max_bandwidth: '08:00,1K 19:00,off UTC' });
    limits.paced(storageOf(), { name: 'c', max_bandwidth: '2K' });
    expect(limits.mostOfClusters).toBe(2048);
  });
});

describe('an urgent request', () => {
  it('waits for no turn, and makes the next ones wait for it', async () => {
    const turn = new Limits({ namenodeOps: 2 }).turnsAt({ name: 'a', max_namenode_ops: 1 });
    const urgent = urgently(never);
    for (let request = 0; request < 10; request++) expect(turn(urgent)).toBeUndefined();
    const seconds = await secondsOf(Promise.resolve(turn(never)));
    expect(seconds).toBeGreaterThan(8);
    expect(seconds).toBeLessThan(13);
  });
});

describe('a timetable without a zone', () => {
  it('is refused where the machine’s time is nobody’s', () => {
    const local = '08:00,50M 19:00,off';
    expect(() => requireZone(local)).toThrow('names no time zone');
    expect(() => new Limits({ bandwidth: local }, true)).toThrow('names no time zone');
    const cluster = { name: 'prod', max_bandwidth: local };
    expect(() => new Limits({}, true).paced(storageOf(), cluster)).toThrow(
      'the timetable "08:00,50M 19:00,off", max_bandwidth of the cluster prod, names no time zone',
    );
    expect(() => new Limits({}).paced(storageOf(), cluster)).not.toThrow();
  });

  it.each([undefined, '50M', 'off', '08:00,50M UTC'])('%s is no such thing', (bandwidth) => {
    expect(() => requireZone(bandwidth)).not.toThrow();
    expect(() => new Limits({ bandwidth }, true)).not.toThrow();
  });
});
