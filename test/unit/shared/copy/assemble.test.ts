import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assemble } from '../../../../shared/copy/assemble.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { chunkPaths, chunkRange } from '../../../../shared/job/chunk.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { SplitFile } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { promoting } from '../../../../shared/storage/budget.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { sharing } from '../../../support/sharing.ts';
import { gated, joiningDisk } from '../../../support/joining-disk.ts';
import { copiedChunk, newJob } from '../../../support/outcomes.ts';

/** A file of five chunks and an older one under its name, on a disk that puts files together two at once. */

// No test waits for a server.
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const CHUNKS = 5;
const NEW = 'abcdefghijklmnopqr';
const FILE = CHUNKS;
const MODIFIED_AT_MS = 1_500_000_000_000;
const source = new LocalDisk(65_536);

let directory: string;
let store: SqliteJobStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-assemble-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

interface World {
  readonly job: Job;
  readonly unit: SplitFile;
  readonly out: string;
  readonly in: string;
}

/** @param options  of the job */
async function world(options: object = {}): Promise<World> {
  const root = join(directory, randomUUID());
  const [from, out] = [join(root, 'in'), join(root, 'out')];
  mkdirSync(from, { recursive: true });
  mkdirSync(out);
  writeFileSync(join(from, 'long'), NEW);
  utimesSync(join(from, 'long'), MODIFIED_AT_MS / 1000, MODIFIED_AT_MS / 1000);
  writeFileSync(join(out, 'long'), 'older');
  const spec = parseJobSpec({
    source: 'local:/in',
    destination: 'local:/out',
    options: { existing: 'update', ...options },
  });
  const job = newJob({ spec, roots: [{ source: from, destination: out, kind: 'directory' }] });
  const unit: SplitFile = {
    kind: 'file',
    root: 0,
    path: 'long',
    lengthBytes: NEW.length,
    modifiedAtMs: MODIFIED_AT_MS,
    blockBytes: 0,
    decision: 'overwrite',
    split: { number: 0, chunkBytes: 4, inode: statSync(join(from, 'long')).ino },
  };
  await store.create(job);
  await store.claim(job.id, 0, 'copier');
  for (const [chunk, path] of chunkPaths(job, unit).entries()) {
    const { offset, lengthBytes } = chunkRange(unit, chunk);
    writeFileSync(path, NEW.slice(offset, offset + lengthBytes));
    const written = { bytes: lengthBytes, digests: {}, fileId: statSync(path).ino };
    await store.record(job.id, 0, 'copier', [{ ...copiedChunk(chunk, 0, chunk), ...written }]);
  }
  return { job, unit, out, in: from };
}

/** Puts the file together, and records how it ended. */
async function finish({ job, unit }: World, destination: Storage, owner: string, stop = new AbortController()) {
  const claim = await store.claim(job.id, 0, owner);
  const context = {
    job,
    source,
    destination,
    store,
    owner,
    progress: new Progress(),
    log: silentLog,
    signal: stop.signal,
    ...sharing(),
  };
  const outcome = await assemble(context, 0, FILE, unit, claim);
  await store.record(job.id, 0, owner, [outcome]);
  return outcome;
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
  expect([counters.get('files.copied'), counters.get('files.failed'), counters.get('chunks.bytes')]).toEqual([
    1,
    undefined,
    undefined,
  ]);
  expect(counters.get('bytes.copied')).toBe(NEW.length);
}

const FAR = 10_000;

/** How many requests an undisturbed assembly makes. */
async function requestsOf(replaces: boolean): Promise<number> {
  let requests = 0;
  const of = await world();
  await finish(
    of,
    gated(joiningDisk(replaces), (_, isDone) => void (requests += isDone ? 1 : 0)),
    'count',
  );
  await expectCopied(of);
  return requests;
}

describe.each([
  { where: 'where a rename replaces', replaces: true },
  { where: 'where an old file is moved aside', replaces: false },
])('a file in chunks, $where,', ({ replaces }) => {
  it.each([
    { moment: 'before', after: false },
    { moment: 'after', after: true },
  ])('is whole or as it was, and ends copied, when its finish is killed $moment any request', async ({ after }) => {
    const requests = await requestsOf(replaces);
    for (let at = 0; at < requests; at++) {
      const of = await world();
      const stop = new AbortController();
      let seen = 0;
      const dying = gated(joiningDisk(replaces), (_, isDone) => {
        if (!stop.signal.aborted && isDone === after && seen++ === at) stop.abort(new Error('killed'));
        stop.signal.throwIfAborted();
      });
      await expect(finish(of, dying, 'killed', stop)).rejects.toThrow('killed');
      // Where an old file is moved aside its name is free for a moment.
      expect(replaces ? ['older', NEW] : ['older', NEW, undefined]).toContain(contentOf(of));
      const outcome = await finish(of, joiningDisk(replaces), 'next');
      expect({ at, outcome }).toMatchObject({ at, outcome: { outcome: 'copied' } });
      await expectCopied(of);
    }
  });

  it('never lacks its name when its finish is interrupted at any request, and ends copied', async () => {
    const requests = await requestsOf(replaces);
    for (let at = 0; at < requests; at++) {
      const of = await world();
      const stop = new AbortController();
      let seen = 0;
      const interrupted = gated(joiningDisk(replaces), (_, isDone) => {
        if (isDone && seen++ === at) stop.abort(new Error('interrupted'));
      });
      await finish(of, interrupted, 'interrupted', stop).catch(() => undefined);
      expect({ at, content: ['older', NEW].includes(contentOf(of) ?? '') }).toEqual({ at, content: true });
      await finish(of, joiningDisk(replaces), 'next');
      await expectCopied(of);
    }
  });

  it('ends copied once beside another finish that was given up for dead, whenever that one goes on', async () => {
    const requests = await requestsOf(replaces);
    for (let at = 0; at < requests; at++) {
      const of = await world();
      let seen = 0;
      const asleep = Promise.withResolvers<undefined>();
      const awake = Promise.withResolvers<undefined>();
      const frozen = gated(joiningDisk(replaces), async (_, isDone) => {
        if (isDone || seen++ !== at) return;
        asleep.resolve(undefined);
        await awake.promise;
      });
      const zombie = finish(of, frozen, 'zombie').catch((error: unknown) => error);
      await asleep.promise;
      const outcome = await finish(of, joiningDisk(replaces), 'other');
      awake.resolve(undefined);
      expect(await zombie).toMatchObject({ name: 'SupersededError' });
      expect({ at, outcome }).toMatchObject({ at, outcome: { outcome: 'copied' } });
      await expectCopied(of);
    }
  });

  it('ends copied once when two finishes take turns', async () => {
    for (let turn = 0; turn < 30; turn++) {
      const of = await world();
      const jostled = gated(joiningDisk(replaces), () => new Promise((go) => setTimeout(go, Math.random() * 2)));
      const both = await Promise.allSettled([finish(of, jostled, 'one'), finish(of, jostled, 'other')]);
      const ended = both.filter(({ status }) => status === 'fulfilled');
      expect(ended).toHaveLength(1);
      await store.reopenFailed(of.job.id);
      await finish(of, joiningDisk(replaces), 'last').catch(() => undefined);
      await expectCopied(of);
    }
  });

  it(
    'is put together in spite of what a moment mends',
    async () => {
      const busy = new StorageError(
        'busy',
        'RetriableException',
        'wait',
        { operation: 'x', path: '/x' },
        { retryAfterMs: 1 },
      );
      const of = await world();
      let left = 8;
      const flaky = gated(joiningDisk(replaces), (_, isDone) => {
        if (!isDone && Math.random() < 0.4 && left-- > 0) throw busy;
      });
      expect(await finish(of, flaky, 'one')).toMatchObject({ outcome: 'copied' });
      await expectCopied(of);
    },
    FAR,
  );
});

describe('a file in chunks', () => {
  it('is not put together of those of another file of the same length and time', async () => {
    const of = await world({ verify: 'length' });
    const [path, other] = [join(of.in, 'long'), join(of.in, 'other')];
    writeFileSync(other, NEW.toUpperCase());
    utimesSync(other, MODIFIED_AT_MS / 1000, MODIFIED_AT_MS / 1000);
    renameSync(other, path);
    const outcome = await finish(of, joiningDisk(true), 'one');
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('another file') as string } });
    expect(contentOf(of)).toBe('older');
    expect(temporaries(of)).toEqual([]);
    expect(await store.isGivenUp(of.job.id, 0)).toBe(true);
  });

  it('loses what each of its chunks has lost', async () => {
    const of = await world();
    await store.reopenChunks(of.job.id, 0, new Set([3]));
    const [, , , path = ''] = chunkPaths(of.job, of.unit);
    const lost = { warnings: ['blocksize'], reasons: ['blocksize: too small'] };
    const chunk = { ...copiedChunk(3, 0, 3), bytes: 4, digests: {}, fileId: statSync(path).ino, ...lost };
    await store.record(of.job.id, 0, 'copier', [chunk]);
    expect(await finish(of, joiningDisk(true), 'one')).toMatchObject({ outcome: 'copied', ...lost });
  });

  it('whose first chunk is gone takes back that one alone', async () => {
    const of = await world();
    const [first = '', ...others] = chunkPaths(of.job, of.unit);
    rmSync(first);
    expect(await finish(of, joiningDisk(true), 'one')).toMatchObject({ outcome: 'failed' });
    expect((await store.chunks(of.job.id, 0)).map(({ chunk }) => chunk)).toEqual([1, 2, 3, 4]);
    expect(others.every((path) => existsSync(path))).toBe(true);
  });

  it('whose first chunk, with others in it, was replaced takes all of them back', async () => {
    const of = await world({ verify: 'length' });
    const disk = joiningDisk(true);
    const [first = '', ...others] = chunkPaths(of.job, of.unit);
    await disk.concatenation?.concatenate(first, others, new AbortController().signal);
    writeFileSync(`${first}.other`, 'x'.repeat(12));
    await disk.rename(`${first}.other`, first, true, new AbortController().signal);
    expect(await finish(of, disk, 'one')).toMatchObject({ outcome: 'failed' });
    expect(await store.chunks(of.job.id, 0)).toEqual([]);
    expect(contentOf(of)).toBe('older');
    expect(temporaries(of)).toEqual([]);
  });

  it('is tried again when neither it nor the old file got its name, whatever kept the old one from it', async () => {
    const of = await world();
    const disk = joiningDisk(false);
    let left = promoting.attempts;
    let isLate = true;
    const destination = decorated(disk, {
      rename(from, to, ...how) {
        const where = { operation: 'RENAME', path: from };
        const isRefused = from.endsWith('.0') && left-- > 0;
        return isRefused ? Promise.reject(new StorageError('busy', 'no', 'no', where)) : disk.rename(from, to, ...how);
      },
      stat(path, signal) {
        // As when the time for that was over.
        const isOver = path.endsWith('.old') && left === 0 && isLate;
        if (!isOver) return disk.stat(path, signal);
        isLate = false;
        return Promise.reject(new DOMException('the time is over', 'TimeoutError'));
      },
    });
    expect(await finish(of, destination, 'one')).toMatchObject({ outcome: 'copied', retries: 1 });
    expect(isLate).toBe(false);
    await expectCopied(of);
  });

  const refusing = (exception: string, code: 'io' | 'other' | 'invalid', times = Infinity) => {
    const where = { operation: 'CONCAT', path: '/x' };
    const disk = joiningDisk(true);
    const { concatenation } = disk;
    if (!concatenation) throw new Error('it joins');
    let left = times;
    return decorated(disk, {
      concatenation: {
        obstacle: (...args) => concatenation.obstacle(...args),
        blockBytes: (...args) => concatenation.blockBytes(...args),
        concatenate: (...args) =>
          left-- > 0
            ? Promise.reject(new StorageError(code, exception, 'no', where))
            : concatenation.concatenate(...args),
      },
    });
  };

  it.each([
    { exception: 'IOException', code: 'io' },
    { exception: 'RemoteException', code: 'other' },
  ] as const)('whose server refuses for a moment ($code) keeps its chunks', async ({ exception, code }) => {
    const of = await world();
    const outcome = await finish(of, refusing(exception, code), 'one');
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('its chunks are kept') as string } });
    expect(temporaries(of)).toHaveLength(CHUNKS);
    expect(await store.chunks(of.job.id, 0)).toHaveLength(CHUNKS);
    await store.reopenFailed(of.job.id);
    expect(await finish(of, refusing(exception, code, 3), 'two')).toMatchObject({ outcome: 'copied' });
    await expectCopied(of);
  });

  it('that is refused in unclear words by two finishes goes as one stream, in clear ones at once', async () => {
    const [unclear, clear] = [await world(), await world()];
    await finish(unclear, refusing('IOException', 'io'), 'one');
    expect(await store.isGivenUp(unclear.job.id, 0)).toBe(false);
    await store.reopenFailed(unclear.job.id);
    await finish(unclear, refusing('IOException', 'io'), 'two');
    await finish(clear, refusing('SnapshotException', 'invalid'), 'one');
    for (const of of [unclear, clear]) {
      expect(await store.isGivenUp(of.job.id, 0)).toBe(true);
      expect(temporaries(of)).toEqual([]);
      expect(contentOf(of)).toBe('older');
    }
  });

  it('that is skipped fails where its chunks cannot be deleted, and is skipped once they can', async () => {
    const of = await world({ existing: 'skip' });
    const denied = new StorageError('denied', 'AccessControlException', 'no', { operation: 'DELETE', path: '/x' });
    const kept = decorated(joiningDisk(true), { delete: () => Promise.reject(denied) });
    expect(await finish(of, kept, 'one')).toMatchObject({ outcome: 'failed' });
    await store.reopenFailed(of.job.id);
    expect(await finish(of, joiningDisk(true), 'two')).toMatchObject({ outcome: 'skipped' });
    expect(temporaries(of)).toEqual([]);
    expect(contentOf(of)).toBe('older');
  });

  it('that has its name is copied although its attributes shut its reader out', async () => {
    const of = await world();
    await finish(of, joiningDisk(true), 'one');
    const denied = new StorageError('denied', 'AccessControlException', 'no', { operation: 'OPEN', path: '/x' });
    const disk = joiningDisk(true);
    const shut = decorated(disk, {
      checksums: {
        stored: () => Promise.reject(denied),
        blockLengths: () => Promise.reject(denied),
        expectedLayouts: () => Promise.resolve([{ crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 4 }]),
      },
    });
    const claim = await store.claim(of.job.id, 0, 'two');
    const { signal } = new AbortController();
    const context = {
      job: of.job,
      source,
      destination: shut,
      store,
      owner: 'two',
      progress: new Progress(),
      log: silentLog,
      signal,
      ...sharing(),
    };
    const outcome = await assemble(context, 0, FILE, of.unit, claim);
    expect(outcome).toMatchObject({ outcome: 'copied', verification: 'read-back' });
  });
});
