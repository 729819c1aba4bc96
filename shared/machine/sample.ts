import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Progress } from '../copy/progress.ts';
import { messageOf } from '../errors.ts';
import { forEach } from '../for-each.ts';
import type { Rate, Rates, SizeClass } from '../cost/work.ts';
import { newJob } from '../job/job.ts';
import type { Root } from '../job/root.ts';
import type { JobSpec } from '../job/spec.ts';
import { samplePath } from '../job/temporary.ts';
import type { FileUnit } from '../job/unit.ts';
import type { Log } from '../log.ts';
import { join as joinPath, parentOf } from '../storage/path.ts';
import type { Storage } from '../storage/storage.ts';
import { copyBatches } from './copying.ts';
import { DestinationLock, isHeld } from './destination-lock.ts';
import { SqliteJobStore } from './sqlite-job-store.ts';
import type { State } from './state.ts';

/** A sample of a tree that is, or was, copied to see how fast that is. Kept while its directory may be there. */
export interface Sample {
  readonly id: string;
  readonly spec: JobSpec;
  /** At the destination: the sample's own directory, with nothing in it but files of it. */
  readonly directory: string;
}

export interface Sampling {
  readonly id: string;
  readonly spec: JobSpec;
  readonly roots: readonly Root[];
  readonly units: ReadonlyMap<SizeClass, readonly FileUnit[]>;
  readonly source: Storage;
  readonly destination: Storage;
  /** At once. */
  readonly transfers: number;
  /** For all of it, ms: a third for each class of lengths. */
  readonly lastsMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Measured {
  /** Of one process with so many transfers; a class is missing of which nothing was copied in time. */
  readonly rates: Partial<Rates>;
  readonly transfers: number;
  /** What was copied for it. */
  readonly files: number;
  readonly bytes: number;
  readonly failed: number;
}

const DELETED_AT_ONCE = 10;
const SWEEPS = 3;

/**
 * Copies some files beside the destination as a job would, tells how fast that was, and removes them. What is left when the process is killed
 * is found by its record (`samplesOf`).
 */
export async function measure(sampling: Sampling, state: State): Promise<Measured> {
  const { id, spec, roots, destination, signal } = sampling;
  const directory = samplePath(await existing(parentOf(roots[0]?.destination ?? '/'), destination, signal), id);
  const lock = DestinationLock.acquire(state.locks, id, []);
  try {
    keep({ id, spec, directory }, state);
    await destination.makeDirectory(directory, '700', signal);
    const measured = await copySample(sampling, directory);
    await removeSample({ id, spec, directory }, destination, state);
    return measured;
  } catch (error) {
    try {
      await removeSample({ id, spec, directory }, destination, state);
    } catch (left) {
      sampling.log.error({ error: messageOf(left), directory }, 'the sample could not be removed');
    }
    throw error;
  } finally {
    lock.release();
  }
}

async function copySample(sampling: Sampling, directory: string): Promise<Measured> {
  const { id, spec, units, source, destination, transfers, lastsMs, log, signal } = sampling;
  const roots = sampling.roots.map((root) => ({ ...root, destination: directory }));
  const job = newJob(id, spec, roots, Date.now());
  const store = new SqliteJobStore(':memory:');
  const threads = { first: transfers, most: transfers, isAuto: false };
  const rates: Partial<Record<SizeClass, Rate>> = {};
  let [files, bytes, failed, batch] = [0, 0, 0, 0];
  try {
    await store.create(job);
    for (const [size, some] of units) {
      if (some.length === 0) continue;
      const progress = new Progress();
      const given = { batch: batch++, units: some };
      const time = AbortSignal.timeout(Math.ceil(lastsMs / units.size));
      const began = performance.now();
      const copying = {
        ...{ job, source, destination, store, progress, log, threads },
        owner: `sample:${randomUUID()}`,
        signal: AbortSignal.any([signal, time]),
        recordEveryMs: 1000,
        onOutcome: () => undefined,
        threadsNow: () => Promise.resolve(threads),
        onEnd: () => Promise.resolve(),
      };
      try {
        await copyBatches(() => only(given), copying);
      } catch (error) {
        if (!time.aborted || signal.aborted) throw error;
      }
      const seconds = (performance.now() - began) / 1000;
      const rate = rateOf(size, progress, seconds);
      if (rate) rates[size] = rate;
      files += progress.complete;
      bytes += progress.moved;
      failed += progress.failed;
    }
  } finally {
    store.close();
  }
  return { rates, transfers, files, bytes, failed };
}

/** Of small files by their number, of others by their bytes: also by those of files that were cut off by the time. */
function rateOf(size: SizeClass, { complete, moved }: Progress, seconds: number): Rate | undefined {
  if (size === 'small')
    return complete === 0 ? undefined : { filesPerSecond: complete / seconds, bytesPerSecond: Infinity };
  return moved === 0 ? undefined : { filesPerSecond: Infinity, bytesPerSecond: moved / seconds };
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* only<T>(one: T): AsyncGenerator<T> {
  yield one;
}

async function existing(directory: string, destination: Storage, signal: AbortSignal): Promise<string> {
  for (let at = directory; ; at = parentOf(at)) {
    if (at === '/' || (await destination.stat(at, signal))) return at;
  }
}

/** Removes a sample's directory with all that is in it, and its record. Nobody may be at work on it. */
export async function removeSample({ id, directory }: Sample, destination: Storage, state: State): Promise<void> {
  const never = new AbortController().signal;
  // What a datanode is asked for last may be carried out later than what the namenode is asked for next.
  for (let sweeps = 0; sweeps < SWEEPS && (await destination.stat(directory, never)); sweeps++) {
    try {
      for await (const page of destination.list(directory, never)) {
        await forEach(page, DELETED_AT_ONCE, never, async ({ name }) => {
          await destination.delete(joinPath(directory, name), never);
        });
      }
      await destination.delete(directory, never);
    } catch (error) {
      if (sweeps === SWEEPS - 1) throw error;
    }
  }
  rmSync(recordOf(id, state), { force: true });
}

function keep(sample: Sample, state: State): void {
  mkdirSync(directoryOf(state), { recursive: true, mode: 0o700 });
  writeFileSync(recordOf(sample.id, state), JSON.stringify(sample), { mode: 0o600 });
}

/** A sample whose directory may be there. */
export function sampleOf(id: string, state: State): Sample | undefined {
  const file = recordOf(id, state);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Sample) : undefined;
}

/** Samples that were left by processes which were killed. */
export function abandonedSamples(state: State): Sample[] {
  const directory = directoryOf(state);
  const ids = existsSync(directory) ? readdirSync(directory).map((name) => name.replace(/\.json$/, '')) : [];
  return ids.filter((id) => !isHeld(state.locks, id)).flatMap((id) => sampleOf(id, state) ?? []);
}

function directoryOf({ directory }: State): string {
  return join(directory, 'samples');
}

function recordOf(id: string, state: State): string {
  return join(directoryOf(state), `${id}.json`);
}
