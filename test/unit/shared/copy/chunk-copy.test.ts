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
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyChunk } from '../../../../shared/copy/chunk-copy.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { chunkPaths } from '../../../../shared/job/chunk.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { temporaryPath } from '../../../../shared/job/temporary.ts';
import type { ChunkUnit, SplitFile } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { bytesOf, never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';

const MODIFIED_AT_MS = 1_500_000_000_000;
const disk: Storage = new LocalDisk(65_536);
/** As HttpFS: a rename replaces nothing. */
const plain = decorated(disk, { replacesAtOnce: () => Promise.resolve(false) });

let directory: string;
let store: SqliteJobStore;
let job: Job;
let unit: ChunkUnit;
let first: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-chunk-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
  const roots = [{ source: join(directory, 'in'), destination: join(directory, 'out'), kind: 'directory' as const }];
  for (const { source, destination } of roots) [source, destination].forEach((path) => mkdirSync(path));
  const path = join(directory, 'in/long');
  writeFileSync(path, 'abcdefgh');
  utimesSync(path, MODIFIED_AT_MS / 1000, MODIFIED_AT_MS / 1000);
  job = newJob({ roots });
  await store.create(job);
  const split = { number: 0, chunkBytes: 4, inode: statSync(path).ino };
  const of = { kind: 'file', root: 0, path: 'long', lengthBytes: 8, blockBytes: 0, decision: 'copy' } as const;
  const file: SplitFile = { ...of, modifiedAtMs: MODIFIED_AT_MS, split };
  unit = { kind: 'chunk', chunk: 0, file };
  [first = ''] = chunkPaths(job, file);
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

async function copy(ends: { source?: Storage; destination?: Storage } = {}, owner = 'me') {
  const claim = await store.claim(job.id, 0, owner);
  const context = {
    job,
    source: disk,
    destination: disk,
    store,
    owner,
    progress: new Progress(),
    log: silentLog,
    signal: never,
  };
  return copyChunk({ ...context, ...ends }, 0, 0, unit, claim);
}

const refusal = (code: 'denied' | 'busy', retryAfterMs?: number) =>
  new StorageError(code, 'SomeException', 'no', { operation: 'CREATE', path: '/x' }, { retryAfterMs });

describe('a chunk', () => {
  it('of a file whose destination fails lets go of the source', async () => {
    const cancelled: boolean[] = [];
    const source = decorated(disk, {
      async read(path, range, signal) {
        return { ...(await disk.read(path, range, signal)), cancel: () => void cancelled.push(signal.aborted) };
      },
    });
    const destination = decorated(disk, { write: () => Promise.reject(refusal('denied')) });
    expect(await copy({ source, destination })).toMatchObject({ outcome: 'failed' });
    // It has heard before that its bytes are not wanted any more.
    expect(cancelled).toEqual([true]);
  });

  it('is tried again while a cluster is busy, and counts its tries', async () => {
    let left = 5;
    const destination = decorated(disk, {
      write: (...args) => (left-- > 0 ? Promise.reject(refusal('busy', 1)) : disk.write(...args)),
    });
    expect(await copy({ destination })).toMatchObject({ outcome: 'copied', retries: 5 });
    expect(readFileSync(first, 'utf8')).toBe('abcd');
  });

  it('of another file of the same length and time is not copied', async () => {
    unit = { ...unit, file: { ...unit.file, split: { ...unit.file.split, inode: 1 } } };
    const outcome = await copy();
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('another file') as string } });
    expect(readdirSync(join(directory, 'out'))).toEqual([]);
  });

  it('tells what of its layout was not taken', async () => {
    const refused = [{ attribute: 'blocksize' as const, error: refusal('denied') }];
    const destination = decorated(disk, { write: async (...args) => ({ ...(await disk.write(...args)), refused }) });
    expect(await copy({ destination })).toMatchObject({ outcome: 'copied', warnings: ['blocksize'] });
  });

  it('that was written short has no name', async () => {
    job = { ...job, spec: { ...job.spec, options: { ...job.spec.options, verify: 'none' } } };
    const destination = decorated(disk, {
      async write(path, body, ...rest) {
        await bytesOf(body);
        return disk.write(path, short(), ...rest);
      },
    });
    async function* short() {
      yield await Promise.resolve(Buffer.from('abc'));
    }
    expect(await copy({ destination })).toMatchObject({ outcome: 'failed' });
    expect(readdirSync(join(directory, 'out'))).toEqual([]);
  });
});

describe('where a rename replaces nothing a chunk', () => {
  it('takes the place of one that an earlier claim left', async () => {
    writeFileSync(first, 'left');
    expect(await copy({ destination: plain })).toMatchObject({ outcome: 'copied', fileId: statSync(first).ino });
    expect(readFileSync(first, 'utf8')).toBe('abcd');
  });

  it('is left alone by a copier that was given up for dead: its own file is gone', async () => {
    const frozen = Promise.withResolvers<undefined>();
    const asleep = Promise.withResolvers<undefined>();
    const slow = decorated(plain, {
      async rename(...args) {
        asleep.resolve(undefined);
        await frozen.promise;
        return disk.rename(...args);
      },
    });
    const zombie = copy({ destination: slow }, 'zombie');
    await asleep.promise;
    rmSync(temporaryPath(join(directory, 'out/long'), { job: job.id, batch: 0, unit: 0, claim: 1, attempt: 0 }));
    const outcome = await copy({ destination: plain }, 'next');
    expect(outcome).toMatchObject({ outcome: 'copied' });
    frozen.resolve(undefined);
    await zombie.catch(() => undefined);
    expect(existsSync(first)).toBe(true);
    expect(statSync(first).ino).toBe('fileId' in outcome && outcome.fileId);
  });
});
