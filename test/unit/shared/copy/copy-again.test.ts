import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assemble } from '../../../../shared/copy/assemble.ts';
import { copyChunk } from '../../../../shared/copy/chunk-copy.ts';
import { copiedChunks } from '../../../../shared/copy/chunks-present.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { SourceChangedError } from '../../../../shared/errors.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { parseJobSpec, type Verification } from '../../../../shared/job/spec.ts';
import type { SplitFile } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { type ChecksumLayout, ContentDigest } from '../../../../shared/storage/checksum.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { sharing } from '../../../support/sharing.ts';
import { gated, joiningDisk } from '../../../support/joining-disk.ts';
import { newJob } from '../../../support/outcomes.ts';

/** A file of five chunks in three batches, between disks that store checksums in one layout: no chunk is proved by itself at first. */

// No test waits for a server.
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const CHUNKS = 5;
const BATCHES = 3;
const LAST = BATCHES - 1;
const FILE = CHUNKS;
const NEW = 'abcdefghijklmnopqr';
const MODIFIED_AT_MS = 1_500_000_000_000;
const expected = { crc: 'CRC32C', bytesPerCrc: 4, blockBytes: 4 } as const;

let directory: string;
let store: SqliteJobStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-again-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

/** A disk that stores checksums. @param layout  in which it really does */
function storing(disk: Storage, layout: ChecksumLayout | 'none' = expected): Storage {
  return decorated(disk, {
    checksums: {
      stored: (path) => {
        if (layout === 'none') return Promise.resolve(undefined);
        const digest = new ContentDigest([layout]);
        digest.update(readFileSync(path));
        return Promise.resolve(digest.checksum(layout));
      },
      blockLengths: () =>
        Promise.resolve(layout !== 'none' && typeof layout.blockBytes !== 'number' ? layout.blockBytes : undefined),
      expectedLayouts: () => Promise.resolve([expected]),
    },
  });
}

/** Changes a bit of what it writes. @param which  gets the name that is written */
function flipping(disk: Storage, which: (name: string) => boolean): Storage {
  return decorated(disk, {
    write: (path, body, ...rest) => disk.write(path, which(basename(path)) ? flipped(body) : body, ...rest),
  });
}

/** Changes a bit of what it reads. */
function flippingReads(disk: Storage, which: (offset: number) => boolean): Storage {
  return decorated(disk, {
    read: async (path, range, ...rest) => {
      const reading = await disk.read(path, range, ...rest);
      return which(range.offset) ? { ...reading, body: flipped(reading.body) } : reading;
    },
  });
}

async function* flipped(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) yield piece.map((byte, index) => (index === 1 ? byte ^ 4 : byte));
}

interface World {
  readonly job: Job;
  readonly unit: SplitFile;
  readonly out: string;
}

interface Ends {
  readonly source: Storage;
  readonly destination: Storage;
}
const ends = (): Ends => ({ source: storing(new LocalDisk(65_536)), destination: storing(joiningDisk(true)) });

async function world(options: object = {}): Promise<World> {
  const root = join(directory, randomUUID());
  const [from, out] = [join(root, 'in'), join(root, 'out')];
  mkdirSync(from, { recursive: true });
  mkdirSync(out);
  const path = join(from, 'long');
  writeFileSync(path, NEW);
  utimesSync(path, MODIFIED_AT_MS / 1000, MODIFIED_AT_MS / 1000);
  writeFileSync(join(out, 'long'), 'older');
  const spec = parseJobSpec({
    source: 'local:/in',
    destination: 'local:/out',
    options: { existing: 'update', ...options },
  });
  const job = newJob({ spec, roots: [{ source: from, destination: out, kind: 'directory' }] });
  await store.create(job);
  const of = { kind: 'file', root: 0, path: 'long', lengthBytes: NEW.length, blockBytes: 4 } as const;
  const split = { number: 0, chunkBytes: 4, inode: statSync(path).ino };
  return { job, unit: { ...of, modifiedAtMs: MODIFIED_AT_MS, decision: 'overwrite', split }, out };
}

const contextOf = ({ job }: World, on: Ends, owner: string, stop = new AbortController()) => ({
  ...on,
  job,
  store,
  owner,
  progress: new Progress(),
  log: silentLog,
  signal: stop.signal,
  ...sharing(),
});

const batchOf = (chunk: number) => chunk % BATCHES;

/** Copies the chunks that are missing, as copiers do. */
async function copyChunks(of: World, on: Ends, owner: string): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch++) {
    const claim = await store.claim(of.job.id, batch, owner);
    for (let chunk = batch; chunk < CHUNKS; chunk += BATCHES) {
      if (claim.done.has(chunk)) continue;
      const context = contextOf(of, on, owner);
      const outcome = await copyChunk(context, batchOf(chunk), chunk, { kind: 'chunk', chunk, file: of.unit }, claim);
      await store.record(of.job.id, batch, owner, [outcome]);
    }
  }
}

async function finish(of: World, on: Ends, owner: string, stop = new AbortController()) {
  const claim = await store.claim(of.job.id, LAST, owner);
  const outcome = await assemble(contextOf(of, on, owner, stop), LAST, FILE, of.unit, claim);
  await store.record(of.job.id, LAST, owner, [outcome]);
  return outcome;
}

async function levelsOf({ job }: World): Promise<Verification[]> {
  return copiedChunks(await store.chunks(job.id, 0)).map(({ verification }) => verification);
}

const contentOf = ({ out }: World) => {
  const path = join(out, 'long');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};
const temporaries = ({ out }: World) => readdirSync(out).filter((name) => name.startsWith('_'));

async function expectCopied(of: World): Promise<void> {
  expect(contentOf(of)).toBe(NEW);
  expect(temporaries(of)).toEqual([]);
  const counters = await store.counters(of.job.id);
  expect([counters.get('files.copied'), counters.get('files.failed'), counters.get('chunks.bytes') ?? 0]).toEqual([
    1,
    undefined,
    0,
  ]);
  expect(counters.get('bytes.copied')).toBe(NEW.length);
}

const all = (level: Verification) => Array.from({ length: CHUNKS }, () => level);

describe('chunks of a file of which both sides store one checksum', () => {
  it('are proved with the file, and by themselves once a batch is claimed again', async () => {
    const [first, again] = [await world(), await world()];
    await copyChunks(first, ends(), 'copier');
    expect(await levelsOf(first)).toEqual(all('length'));
    expect(await finish(first, ends(), 'finish')).toMatchObject({ outcome: 'copied', verification: 'checksum' });
    await expectCopied(first);
    for (let batch = 0; batch < BATCHES; batch++) await store.claim(again.job.id, batch, 'dead');
    await copyChunks(again, ends(), 'copier');
    expect(await levelsOf(again)).toEqual(all('checksum'));
  });

  it.each(['read-back', 'length', 'none'] as const)('are proved as ever with --verify %s', async (verify) => {
    const of = await world({ verify });
    await copyChunks(of, ends(), 'copier');
    expect(await levelsOf(of)).toEqual(all(verify));
  });

  it.each(['read-back', 'length', 'none'] as const)(
    'make up a file of the level that a resume asks for: %s',
    async (verify) => {
      const of = await world();
      await copyChunks(of, ends(), 'copier');
      const options = { ...of.job.spec.options, verify };
      const changed = { ...of, job: { ...of.job, spec: { ...of.job.spec, options } } };
      expect(await finish(changed, ends(), 'finish')).toMatchObject({ outcome: 'copied', verification: verify });
      await expectCopied(of);
    },
  );

  it('make up a verified file although some were copied with less verification before', async () => {
    const of = await world({ verify: 'none' });
    await copyChunks(of, ends(), 'copier');
    const { spec } = of.job;
    const job = { ...of.job, spec: { ...spec, options: { ...spec.options, verify: 'checksum' as const } } };
    expect(await finish({ ...of, job }, ends(), 'finish')).toMatchObject({ verification: 'checksum' });
  });

  it('are not copied again where the source turns out to have irregular blocks: the file is read', async () => {
    const of = await world();
    const on = { ...ends(), source: storing(new LocalDisk(65_536), { ...expected, blockBytes: [3, 7, 8] }) };
    await copyChunks(of, on, 'copier');
    expect(await levelsOf(of)).toEqual(all('length'));
    expect(await finish(of, on, 'finish')).toMatchObject({ outcome: 'copied', verification: 'checksum' });
    expect((await store.counters(of.job.id)).get('retries')).toBeUndefined();
    await expectCopied(of);
  });

  it('are copied again where the file has another length when it is read, which says nothing of its source', async () => {
    const of = await world({ live: true });
    const on = { ...ends(), source: storing(new LocalDisk(65_536), { ...expected, blockBytes: [3, 7, 8] }) };
    await copyChunks(of, on, 'copier');
    // In the layout of the source, and then in its own.
    let reads = 0;
    const destination = decorated(on.destination, {
      read: (path, range, ...rest) => {
        if (range.fileBytes !== NEW.length || ++reads !== 2) return on.destination.read(path, range, ...rest);
        return Promise.reject(new SourceChangedError('it has another length', { operation: 'OPEN', path }));
      },
    });
    expect(await finish(of, { ...on, destination }, 'finish')).toMatchObject({ outcome: 'copied' });
    expect((await store.counters(of.job.id)).get('retries')).toBe(CHUNKS);
    await expectCopied(of);
  });

  it('are copied again no more at once than the job may, and leave to it the batches that its finish holds', async () => {
    const of = await world();
    await copyChunks(of, ends(), 'copier');
    const source = storing(new LocalDisk(65_536), 'none');
    let [atOnce, most] = [0, 0];
    const { destination: disk } = ends();
    const destination = decorated(disk, {
      write: async (...args) => {
        most = Math.max(most, ++atOnce);
        return disk.write(...args).finally(() => (atOnce -= 1));
      },
    });
    const released: number[] = [];
    const shared = sharing(1, released);
    const context = { ...contextOf(of, { source, destination }, 'finish'), ...shared };
    const claim = (batch: number) => () => store.claim(of.job.id, batch, 'finish');
    await shared.held.claimed(0, claim(0), () =>
      shared.held.claimed(LAST, claim(LAST), async (under) => {
        expect(await assemble(context, LAST, FILE, of.unit, under)).toMatchObject({ outcome: 'copied' });
        expect(released).toEqual([1]);
      }),
    );
    expect(most).toBe(1);
    expect(released).toEqual([1, LAST, 0]);
  });

  it('are copied again where the source turns out to store nothing', async () => {
    const of = await world();
    await copyChunks(of, ends(), 'copier');
    const on = { ...ends(), source: storing(new LocalDisk(65_536), 'none') };
    expect(await finish(of, on, 'finish')).toMatchObject({ outcome: 'copied', verification: 'read-back' });
    expect((await store.counters(of.job.id)).get('retries')).toBe(CHUNKS);
    await expectCopied(of);
  });
});

const isSecond = (name: string) => /\.1\.\d+\.\d+$/.test(name);

describe('a chunk whose bytes change on their way', () => {
  it.each([
    {
      where: 'to the destination',
      on: (times: number) => {
        let left = times;
        const { source, destination } = ends();
        return { source, destination: flipping(destination, (name) => isSecond(name) && left-- > 0) };
      },
    },
    {
      where: 'from the source',
      on: (times: number) => {
        let left = times;
        const { source, destination } = ends();
        return { source: flippingReads(source, (offset) => offset === 4 && left-- > 0), destination };
      },
    },
  ])('$where is found with the file, whose chunks are copied again, once', async ({ on }) => {
    const [once, always] = [await world(), await world()];
    const flipsOnce = on(1);
    await copyChunks(once, flipsOnce, 'copier');
    expect(await finish(once, flipsOnce, 'finish')).toMatchObject({ outcome: 'copied', verification: 'checksum' });
    await expectCopied(once);
    expect((await store.counters(once.job.id)).get('retries')).toBe(CHUNKS);
    const flipsAlways = on(Infinity);
    await copyChunks(always, flipsAlways, 'copier');
    expect(await finish(always, flipsAlways, 'finish')).toMatchObject({ outcome: 'failed' });
    expect(contentOf(always)).toBe('older');
    await store.reopenFailed(always.job.id);
    await copyChunks(always, ends(), 'resumed');
    expect(await finish(always, ends(), 'finish again')).toMatchObject({ outcome: 'copied', verification: 'checksum' });
    await expectCopied(always);
  });

  it.each([{ after: false }, { after: true }])(
    'never gets its file a name, whichever request of the finish is the last (it is done: $after)',
    async ({ after }) => {
      let requests = 0;
      const finished = async (at: number) => {
        const of = await world();
        const broken = ends();
        await copyChunks(of, { ...broken, destination: flipping(broken.destination, isSecond) }, 'copier');
        const stop = new AbortController();
        requests = 0;
        const dying = gated(broken.destination, (_, isDone) => {
          if (!stop.signal.aborted && isDone === after && requests++ === at) stop.abort(new Error('killed'));
          stop.signal.throwIfAborted();
        });
        await finish(of, { ...broken, destination: dying }, 'killed', stop).catch(() => undefined);
        expect({ at, content: ['older', NEW].includes(contentOf(of) ?? '') }).toEqual({ at, content: true });
        return of;
      };
      await expectCopied(await finished(Infinity));
      const count = requests;
      expect(count).toBeGreaterThan(20);
      for (let at = 0; at < count; at++) {
        const of = await finished(at);
        // A resume copies what the finish has not, if there is anything: a chunk whose file is gone is found missing first.
        for (let round = 0; round < 3 && contentOf(of) !== NEW; round++) {
          await store.reopenFailed(of.job.id);
          await copyChunks(of, ends(), `resumed ${round}`);
          await finish(of, ends(), `finish ${round}`);
        }
        expect({ at, content: contentOf(of) }).toEqual({ at, content: NEW });
        const counters = await store.counters(of.job.id);
        expect(counters.get('chunks.bytes') ?? 0).toBe(counters.get('files.copied') === 1 ? 0 : NEW.length);
      }
    },
    60_000,
  );
});
