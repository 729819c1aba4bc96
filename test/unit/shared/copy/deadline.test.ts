import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyBatch } from '../../../../shared/copy/copier.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { Deadline } from '../../../../shared/deadline.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { Limits } from '../../../../shared/limits/limits.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

/** Of an invocation, ms. */
const LASTS_MS = 300;
const BYTES = 4000;
const OTHERS_BYTES = 1_000_000;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-deadline-'));
  mkdirSync(join(top, 'source'));
  mkdirSync(join(top, 'destination'));
  writeFileSync(join(top, 'source/file'), Buffer.alloc(BYTES, 7));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/**
 * Copies the file alone, within a bandwidth that so many others spend too.
 * @param slowMs  what reading the file takes beside that
 * @returns what is left, and why it failed
 */
async function copied(bandwidth: string, others: number, slowMs = 0) {
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const limits = new Limits({ bandwidth });
  const disk = new LocalDisk(65_536);
  const paced = limits.paced(disk);
  const source = decorated(paced, {
    async read(path, range, signal) {
      const reading = await paced.read(path, range, signal);
      return { ...reading, body: late(reading.body, slowMs, signal) };
    },
  });
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}` });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  const store = new SqliteJobStore(':memory:');
  await store.create(job);
  const { modifiedAtMs = 0 } = (await disk.stat(join(from, 'file'), never)) ?? {};
  const unit: FileUnit = {
    kind: 'file',
    root: 0,
    path: 'file',
    lengthBytes: BYTES,
    modifiedAtMs,
    blockBytes: 2 ** 27,
    decision: 'copy',
  };
  const path = join(from, 'other');
  writeFileSync(path, Buffer.alloc(OTHERS_BYTES));
  const stop = new AbortController();
  const reading = Array.from({ length: others }, () => read(limits.paced(disk), path, OTHERS_BYTES, stop.signal));
  const copier = {
    job,
    store,
    source,
    destination: disk,
    owner: 'copier',
    progress: new Progress(),
    log: silentLog,
    signal: never,
    onOutcome: () => undefined,
    recordEveryMs: 0,
    limit: pLimit(1),
    heldUp: (withinMs: number) => limits.heldUp(withinMs),
  };
  const left = await copyBatch(copier, { batch: 0, units: [unit] }, new Deadline(LASTS_MS), [0]);
  stop.abort(new Error('enough'));
  await Promise.allSettled(reading);
  return { left, reasons: (await store.failures('job', 10)).map(({ reason }) => reason) };
}

/** A body of which nothing comes for a while after the first piece. */
async function* late(body: AsyncIterable<Uint8Array>, ms: number, signal: AbortSignal) {
  let isFirst = true;
  for await (const piece of body) {
    yield piece;
    if (isFirst && ms > 0) await sleep(ms, undefined, { signal });
    isFirst = false;
  }
}

async function read(storage: ReturnType<Limits['paced']>, path: string, lengthBytes: number, signal: AbortSignal) {
  const { body } = await storage.read(path, allBytes(lengthBytes), signal);
  for await (const piece of body) expect(piece.length).toBeGreaterThan(0);
}

it('leaves a file that had all the time and not its share of a limit to the next copier', async () => {
  const { left, reasons } = await copied('20000', 5);
  expect(left).toEqual({ left: 1, cut: [0] });
  expect(reasons).toEqual([]);
});

it('gives a file up that is too slow by itself, although a limit held it up for a moment', async () => {
  const { left, reasons } = await copied('50000', 0, 10 * LASTS_MS);
  expect(left).toEqual({ left: 0, cut: [] });
  expect(reasons).toEqual([expect.stringContaining('do not fit into one invocation of 0 s (give the copy Lambda')]);
});

it('gives a file up that all of a limit would not be enough for, and names the limit', async () => {
  const { left, reasons } = await copied('1000', 0);
  expect(left).toEqual({ left: 0, cut: [] });
  expect(reasons).toEqual([
    expect.stringMatching(/4000 bytes do not fit into one invocation of 0 s within the limit of 1.0 KiB\/s \(raise/),
  ]);
});
