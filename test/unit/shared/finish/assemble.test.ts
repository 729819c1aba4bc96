import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import type { Finishing } from '../../../../shared/finish/finishing.ts';
import type { FileUnit, SplitFile, Unit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { never } from '../../../support/files.ts';
import { copied, copiedChunk, failed, newJob } from '../../../support/outcomes.ts';

const SPLIT_FILES = 20;

const file = (path: string): FileUnit => ({
  kind: 'file',
  root: 0,
  path,
  lengthBytes: 2000,
  modifiedAtMs: 1,
  blockBytes: 1000,
  decision: 'copy',
});
const split = (number: number): SplitFile => ({
  ...file(`d${number}/long`),
  split: { number, chunkBytes: 1000 },
});

/** A job of batches of two chunks, their file, and another one, of which all but the files in chunks are recorded. */
async function finishable() {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-assemble-'));
  const store = new SqliteJobStore(join(directory, 'jobs.db'));
  const manifests = new ManifestFile(join(directory, 'manifests'));
  const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
  const counts = { split: { 'chunks of 1000 B': SPLIT_FILES }, notSplit: {} };
  const job = newJob({ roots, phase: 'copying', expectedFiles: 2 * SPLIT_FILES, ...counts });
  await store.create(job);
  const manifest = await manifests.create(job.id);
  for (let batch = 0; batch < SPLIT_FILES; batch++) {
    const long = split(batch);
    const chunks: Unit[] = [0, 1].map((chunk) => ({ kind: 'chunk', chunk, file: long }));
    await manifest.append({ batch, units: [...chunks, long, file(`d${batch}/"split":{`)] });
    await store.claim(job.id, batch, 'copier');
    await store.record(job.id, batch, 'copier', [copiedChunk(0, batch, 0), copiedChunk(1, batch, 1), copied(3)]);
  }
  await manifest.close();
  const swept: string[] = [];
  const destination = decorated(new LocalDisk(65_536), {
    delete: (path) => (swept.push(path), Promise.resolve(false)),
  });
  const assembled: string[] = [];
  const told: number[] = [];
  const finishing = async (changes: Partial<Finishing> = {}): Promise<Finishing> => ({
    job: (await store.get(job.id)) ?? job,
    ...{ store, manifests, source: destination, destination, deaths: undefined, owner: 'finisher', log: silentLog },
    signal: never,
    isOver: () => false,
    assemble: (batch, index, unit) => {
      assembled.push(`${batch} ${index} ${unit.path}`);
      return Promise.resolve(copied(index, { bytes: 2000, chunkBytes: 2000 }));
    },
    onOutcome: ({ batch }) => void told.push(batch),
    ...changes,
  });
  const remove = () => {
    store.close();
    rmSync(directory, { recursive: true });
  };
  return { job, store, swept, assembled, told, finishing, remove };
}

let one: Awaited<ReturnType<typeof finishable>>;
beforeEach(async () => {
  one = await finishable();
});
afterEach(() => one.remove());

const all = Array.from({ length: SPLIT_FILES }, (_, batch) => `${batch} 2 d${batch}/long`);

describe('files that chunks have copied', () => {
  it('are put together once each, and counted in place of their chunks', async () => {
    expect(await finish(await one.finishing())).toMatchObject({ outcome: 'Successful' });
    expect(one.assembled.toSorted()).toEqual(all.toSorted());
    expect(one.told).toHaveLength(SPLIT_FILES);
    const counters = await one.store.counters(one.job.id);
    expect(counters.get('files.copied')).toBe(2 * SPLIT_FILES);
    expect(counters.get('chunks.bytes')).toBeUndefined();
  });

  it.each([1, 3])('are put together once each however often it stops, after %d steps', async (steps) => {
    let invocations = 0;
    for (let ended; !ended; invocations++) {
      let left = steps;
      ended = await finish(await one.finishing({ isOver: () => --left <= 0 }));
    }
    expect(invocations).toBeGreaterThan(1);
    expect(one.assembled.toSorted()).toEqual(all.toSorted());
  });

  it('that are recorded are not put together again after a crash', async () => {
    const crashing = await one.finishing();
    const { assemble } = crashing;
    const killed: Finishing['assemble'] = (batch, ...rest) =>
      batch === 11 ? Promise.reject(new Error('killed')) : assemble(batch, ...rest);
    await expect(finish({ ...crashing, assemble: killed })).rejects.toThrow('killed');
    await finish(await one.finishing());
    expect(one.assembled.toSorted()).toEqual(all.toSorted());
  });

  it('end the job where more of them fail than may', async () => {
    const { spec } = one.job;
    await one.store.update(one.job.id, { spec: { ...spec, options: { ...spec.options, maxFailures: 2 } } });
    const assemble: Finishing['assemble'] = (_, index) => Promise.resolve(failed(index));
    await expect(finish(await one.finishing({ assemble }))).rejects.toThrow('more than the limit of 2');
  });

  it('leave a batch to whoever copies its chunks again, until the last one is done', async () => {
    const again = Promise.withResolvers<undefined>();
    const released: number[] = [];
    const deaths: Finishing['deaths'] = {
      hasDeaths: () => Promise.resolve(false),
      deathOf: () => Promise.resolve(undefined),
      forgetDeaths: () => Promise.resolve(true),
      release: (_, batch) => {
        released.push(batch);
        if (batch === 2) again.resolve(undefined);
        return Promise.resolve();
      },
    };
    const finishing = await one.finishing({ deaths });
    let isCopying = false;
    const assemble: Finishing['assemble'] = async (batch, index, unit, claim, held, signal) => {
      // The chunks of the first file lie in the second's batch, and are copied until a third has ended.
      if (batch === 0) {
        const claimed = () => one.store.claim(one.job.id, 1, 'finisher');
        await held.claimed(1, claimed, async () => {
          isCopying = true;
          await again.promise;
          expect(released).not.toContain(1);
          isCopying = false;
        });
      }
      return finishing.assemble(batch, index, unit, claim, held, signal);
    };
    await finish({ ...finishing, assemble });
    expect(isCopying).toBe(false);
    expect(released.toSorted((a, b) => a - b)).toEqual(Array.from({ length: SPLIT_FILES }, (_, batch) => batch));
  });

  it('keep their chunks in the sweep', async () => {
    await finish(await one.finishing());
    expect(one.swept.filter((path) => /\.s\d+\.\d+$/.test(path))).toEqual([]);
  });
});

it('of a dead copier the chunks fail, and their file is left to be put together', async () => {
  const { store, job } = one;
  await store.reopenChunks(job.id, 5);
  const dead = new Map([[5, 'Lambda.Unknown']]);
  const deaths: Finishing['deaths'] = {
    hasDeaths: () => Promise.resolve(dead.size > 0),
    deathOf: (_, batch) => Promise.resolve(dead.get(batch)),
    forgetDeaths: () => (dead.clear(), Promise.resolve(true)),
    release: () => Promise.resolve(),
  };
  const finishing = await one.finishing({ deaths });
  let reasons: unknown[] = [];
  const assemble: Finishing['assemble'] = async (batch, ...rest) => {
    if (batch === 5)
      reasons = (await store.chunks(job.id, 5)).map((chunk) => 'failure' in chunk && chunk.failure.reason);
    return finishing.assemble(batch, ...rest);
  };
  await finish({ ...finishing, assemble });
  expect(one.assembled.toSorted()).toEqual(all.toSorted());
  const died = 'its copier died each time it was tried: Lambda.Unknown';
  expect(reasons).toEqual([
    expect.stringContaining(`chunk 1 of 2: ${died}`),
    expect.stringContaining(`chunk 2 of 2: ${died}`),
  ]);
});
