import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { transfer } from '../../../../shared/copy/transfer.ts';
import { Deadline, DeadlineReached, LeftForNext } from '../../../../shared/deadline.ts';
import type { Job } from '../../../../shared/job/job.ts';
import type { FileOutcome } from '../../../../shared/job/outcome.ts';
import type { JobOptions } from '../../../../shared/job/spec.ts';
import { partsPath } from '../../../../shared/job/temporary.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { ContentDigest, usualLayout } from '../../../../shared/storage/checksum.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { appendingDisk } from '../../../support/appending-disk.ts';
import { never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';

const PART = 65_536;
const LENGTH = 3 * PART;
const MODIFIED_AT_MS = 1_500_000_000_000;
const disk = appendingDisk(PART);

/** Of an invocation that has time for one part. */
class ForOnePart extends Deadline {
  override get isFresh(): boolean {
    return true;
  }
  override get leftMs(): number {
    return 0;
  }
  override isNear(): boolean {
    return true;
  }
}

let directory: string;
let store: SqliteJobStore;
let job: Job;
let unit: FileUnit;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-parts-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
  const roots = [{ source: join(directory, 'in'), destination: join(directory, 'out'), kind: 'directory' as const }];
  for (const { source, destination } of roots) [source, destination].forEach((path) => mkdirSync(path));
  const base = newJob({ roots });
  job = { ...base, spec: { ...base.spec, options: { ...base.spec.options, chunkSize: PART } } };
  await store.create(job);
  unit = {
    kind: 'file',
    root: 0,
    path: 'long',
    lengthBytes: LENGTH,
    blockBytes: PART,
    modifiedAtMs: 0,
    decision: 'copy',
  };
  unit = { ...unit, modifiedAtMs: put(7) };
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

/** Makes the source anew. @returns its modification time */
function put(filling: number, lengthBytes = LENGTH): number {
  const path = join(directory, 'in/long');
  writeFileSync(path, Buffer.alloc(lengthBytes, filling));
  utimesSync(path, MODIFIED_AT_MS / 1000, MODIFIED_AT_MS / 1000 + filling);
  return MODIFIED_AT_MS + filling * 1000;
}

function withOptions(options: Partial<JobOptions>): void {
  job = { ...job, spec: { ...job.spec, options: { ...job.spec.options, ...options } } };
}

interface Ends {
  readonly source?: Storage;
  readonly destination?: Storage;
}

/** One invocation. @returns undefined where the rest is left for the next one */
async function invoked(ends: Ends = {}, deadline?: Deadline, signal = never): Promise<FileOutcome | undefined> {
  const claim = await store.claim(job.id, 0, 'me');
  const of = { job, store, owner: 'me', progress: new Progress(), log: silentLog, signal, deadline };
  try {
    return await transfer({ ...of, source: disk, destination: disk, ...ends }, 0, 0, unit, claim);
  } catch (error) {
    if (error instanceof LeftForNext) return undefined;
    throw error;
  }
}

/** Invocations until the file has an outcome. @param before  gets the number of each, from 0 */
async function ended(ends: Ends, before: (number: number) => void = () => undefined) {
  for (let number = 0; number < 20; number++) {
    before(number);
    const outcome = await invoked(ends, new ForOnePart(1));
    if (outcome) return { outcome, invocations: number + 1 };
  }
  return { outcome: undefined, invocations: 20 };
}

const left = () => readdirSync(join(directory, 'out'));

describe('a file in parts that invocations copy one after the other', () => {
  it('is whole in the end', async () => {
    const { outcome, invocations } = await ended({});
    expect(outcome).toMatchObject({ outcome: 'copied', retries: 0 });
    expect(invocations).toBe(4);
    expect(readFileSync(join(directory, 'out/long'))).toEqual(Buffer.alloc(LENGTH, 7));
    expect(left()).toEqual(['long']);
  });

  it('is left for the next one where the deadline cuts a part off that follows a recorded one, and only there', async () => {
    for (const cutAt of [0, PART]) {
      const stop = new AbortController();
      const source = decorated(disk, {
        read(path, range, signal) {
          if (range.offset === cutAt) stop.abort(new DeadlineReached(1));
          signal.throwIfAborted();
          return disk.read(path, range, signal);
        },
      });
      const ending = invoked({ source }, new Deadline(60_000), stop.signal);
      if (cutAt > 0) expect(await ending).toBeUndefined();
      else await expect(ending).rejects.toBeInstanceOf(DeadlineReached);
    }
    expect((await store.parts(job.id, 0, 0))?.parts).toHaveLength(1);
    expect(await invoked({}, new Deadline(60_000))).toMatchObject({ outcome: 'copied' });
  });

  it('fails when the proof of the whole fails again after it was begun anew, and a retry begins afresh', async () => {
    const digest = new ContentDigest([usualLayout]);
    digest.update(Buffer.alloc(LENGTH, 8));
    let moved = 0;
    const source = decorated(disk, {
      read(path, range, signal) {
        moved += range.lengthBytes;
        return disk.read(path, range, signal);
      },
      checksums: {
        stored: () => Promise.resolve(digest.checksum(usualLayout)),
        blockLengths: () => Promise.resolve(undefined),
        expectedLayouts: () => Promise.resolve([usualLayout]),
      },
    });
    const { outcome } = await ended({ source });
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('checksum of the source') as string } });
    expect(moved).toBe(2 * LENGTH);
    expect(left()).toEqual([]);
    expect((await store.parts(job.id, 0, 0))?.begunAnew).toBeUndefined();
    expect((await ended({})).outcome).toMatchObject({ outcome: 'copied' });
  });

  it('begins anew when its source has changed, and fails when that has changed again', async () => {
    const changing = (number: number) => (number > 0 ? put(10 + number) : undefined);
    const { outcome, invocations } = await ended({}, changing);
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('it changed again') as string } });
    expect(invocations).toBe(3);
    expect(left()).toEqual([]);
    expect((await ended({})).outcome).toMatchObject({ outcome: 'copied' });
  });

  it('begins anew once when its source changes while a part is read', async () => {
    let filling = 20;
    const source = decorated(disk, {
      async read(path, range, signal) {
        const reading = await disk.read(path, range, signal);
        if (range.offset > 0) put((filling += 1));
        return reading;
      },
    });
    const { outcome, invocations } = await ended({ source });
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('it changed') as string } });
    expect(invocations).toBeLessThan(5);
    expect(left()).toEqual([]);
  });

  it('begins anew once when somebody deletes what stands', async () => {
    const deleting = () => left().forEach((name) => rmSync(join(directory, 'out', name)));
    const { outcome, invocations } = await ended({}, deleting);
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('for the second time') as string } });
    expect(invocations).toBe(3);
  });
});

describe('what a file in parts has written', () => {
  const plain = decorated(disk, { replacesAtOnce: () => Promise.resolve(false) });

  it('is found again under a later claim although it was planned shorter, and an old file gets its name back', async () => {
    withOptions({ existing: 'overwrite' });
    unit = { ...unit, lengthBytes: 1, decision: 'overwrite' };
    writeFileSync(join(directory, 'out/long'), 'old');
    // Nothing came of the first claim.
    await store.claim(job.id, 0, 'me');
    expect(await invoked({ destination: plain }, new ForOnePart(1))).toBeUndefined();
    const name = { job: job.id, batch: 0, unit: 0, claim: 2, attempt: 0 };
    const known = await store.parts(job.id, 0, 0);
    const temporary = partsPath(join(directory, 'out/long'), { ...name, ...known?.names[0] });
    // As a promotion leaves it that was killed between its renames.
    writeFileSync(`${temporary}.old`, 'old');
    rmSync(join(directory, 'out/long'));
    const source = decorated(disk, { read: () => Promise.reject(refusal('denied')) });
    expect(await invoked({ source, destination: plain }, new ForOnePart(1))).toMatchObject({ outcome: 'failed' });
    expect(readFileSync(join(directory, 'out/long'), 'utf8')).toBe('old');
  });

  it('is deleted where its source is open by then, and is skipped', async () => {
    withOptions({ openFiles: 'skip' });
    expect(await invoked({}, new ForOnePart(1))).toBeUndefined();
    const open = () => Promise.reject(refusal('open'));
    const source = decorated(disk, { stat: open, read: open });
    expect(await invoked({ source })).toMatchObject({ outcome: 'skipped' });
    expect(left()).toEqual([]);
  });

  it('fails the file where it cannot be deleted and the file would be skipped', async () => {
    withOptions({ openFiles: 'skip' });
    expect(await invoked({}, new ForOnePart(1))).toBeUndefined();
    const open = () => Promise.reject(refusal('open'));
    const source = decorated(disk, { stat: open, read: open });
    const destination = decorated(disk, { delete: () => Promise.reject(refusal('denied')) });
    const outcome = await invoked({ source, destination });
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { reason: expect.stringContaining('its parts are left') as string } });
    expect(await invoked({ source })).toMatchObject({ outcome: 'skipped' });
    expect(left()).toEqual([]);
  });
});

it('a part that cannot be added lets go of its source, which hears nothing of the failure', async () => {
  const seen: boolean[] = [];
  const source = decorated(disk, {
    async read(path, range, signal) {
      const { body, cancel } = await disk.read(path, range, signal);
      const told = () => {
        seen.push(signal.aborted);
        cancel();
      };
      return { body, cancel: told };
    },
  });
  const { appending } = disk;
  const destination = decorated(disk, {
    ...(appending && {
      appending: {
        ...appending,
        async append(_path, body) {
          await body[Symbol.asyncIterator]().next();
          throw refusal('quota');
        },
      },
    }),
  });
  expect(await invoked({ source, destination }, new ForOnePart(1))).toMatchObject({ outcome: 'failed' });
  expect(seen).toEqual([true]);
});

const refusal = (code: 'denied' | 'open' | 'quota') =>
  new StorageError(code, 'SomeException', 'no', { operation: 'X', path: '/x' });
