import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { transfer } from '../../../../shared/copy/transfer.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { JobStore } from '../../../../shared/job/job-store.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { Limits } from '../../../../shared/limits/limits.ts';
import { silentLog } from '../../../../shared/log.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

/** Others that wait for a turn, one a second: nothing here may wait behind them. */
const QUEUE = 1000;

const disk = new LocalDisk(65_536);
const store = {
  requireOwner: () => Promise.resolve(),
  noteAttempt: () => Promise.resolve(),
} as Partial<JobStore> as JobStore;

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-urgent-'));
  for (const directory of ['source', 'destination']) mkdirSync(join(top, directory));
  writeFileSync(join(top, 'source/file'), 'new');
  writeFileSync(join(top, 'destination/file'), 'old');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** A destination that cannot replace a file at once, and has a long queue from the moment on at which the old file is out of the way. */
class QueuedDestination {
  readonly #stop = new AbortController();
  readonly #turn = new Limits({ namenodeOps: 1 }).turnsAt({ name: 'b' });
  #waiting: Promise<unknown>[] = [];
  readonly storage: Storage;

  constructor(onAside: () => void) {
    const inTurn = async (signal: AbortSignal) => {
      signal.throwIfAborted();
      if (this.#waiting.length > 0) await this.#turn(signal);
    };
    this.storage = decorated(disk, {
      replacesAtOnce: () => Promise.resolve(false),
      stat: async (path, signal) => (await inTurn(signal), disk.stat(path, signal)),
      delete: async (path, signal) => (await inTurn(signal), disk.delete(path)),
      rename: async (path, newPath, overwrite, signal) => {
        await inTurn(signal);
        await disk.rename(path, newPath, overwrite);
        if (!newPath.endsWith('.old') || this.#waiting.length > 0) return;
        this.#waiting = Array.from({ length: QUEUE }, () => Promise.resolve(this.#turn(this.#stop.signal)));
        onAside();
      },
    });
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('over'));
    await Promise.allSettled(this.#waiting);
  }
}

async function replaced(destination: Storage, signal: AbortSignal) {
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const spec = parseJobSpec({
    source: `local:${from}`,
    destination: `local:${to}`,
    options: { existing: 'overwrite' },
  });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  const { modifiedAtMs = 0 } = (await disk.stat(join(from, 'file'), never)) ?? {};
  const about = { root: 0, path: 'file', lengthBytes: 3, modifiedAtMs, blockBytes: 2 ** 27 };
  const unit: FileUnit = { kind: 'file', ...about, decision: 'overwrite' };
  const progress = new Progress();
  const context = { job, source: disk, destination, store, owner: 'owner', progress, log: silentLog, signal };
  return transfer(context, 0, 0, unit, { claim: 1, attempts: 0, swept: 0, done: new Set<number>() });
}

describe('a file that is replaced in several steps while many wait for their turn', () => {
  const expectOnly = (content: string) => {
    expect(readdirSync(join(top, 'destination'))).toEqual(['file']);
    expect(readFileSync(join(top, 'destination/file'), 'utf8')).toBe(content);
  };

  it('is not without a name for longer than the requests take', async () => {
    let isMissing = false;
    const destination = new QueuedDestination(() => (isMissing = !existsSync(join(top, 'destination/file'))));
    expect(await replaced(destination.storage, never)).toMatchObject({ outcome: 'copied' });
    expect(isMissing).toBe(true);
    expectOnly('new');
    await destination.close();
  });

  it('gets its name back when the job is aborted just then', async () => {
    const stop = new AbortController();
    const destination = new QueuedDestination(() => stop.abort(new Error('stopped')));
    await expect(replaced(destination.storage, stop.signal)).rejects.toThrow('stopped');
    expectOnly('old');
    await destination.close();
  });
});
