import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import type { ClaimedBatch } from '../../../../shared/job/job-store.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { DirectoryTree } from '../../../support/directory-tree.ts';
import { never } from '../../../support/files.ts';
import { copied, newJob } from '../../../support/outcomes.ts';
import { noSplits } from '../../../support/no-splits.ts';

const BATCHES = 40;
const DIRECTORIES = 30;

/** A store whose claims cost time, and that counts what is read and kept. */
class SlowStore extends SqliteJobStore {
  /** What reading each claim takes on the clock of the test. */
  claimMs = 0;
  scanned = 0;
  readonly kept: object[] = [];

  override async *claims(id: string, from = 0): AsyncIterable<ClaimedBatch> {
    for await (const claim of super.claims(id, from)) {
      this.scanned += 1;
      vi.advanceTimersByTime(this.claimMs);
      yield claim;
    }
  }

  override keepFinishCursor(id: string, cursor: object | undefined): Promise<void> {
    if (cursor) this.kept.push(cursor);
    return super.keepFinishCursor(id, cursor);
  }
}

let directory: string;
let store: SlowStore;
let manifests: ManifestFile;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-checkpoints-'));
  store = new SlowStore(join(directory, 'jobs.db'));
  manifests = new ManifestFile(join(directory, 'manifests'));
});
afterEach(() => {
  vi.useRealTimers();
  store.close();
  rmSync(directory, { recursive: true });
});

const rest = { deaths: undefined, owner: 'finisher', ...noSplits, log: silentLog, signal: never, isOver: () => false };

describe('a finish that is slower than its cursor is kept', () => {
  it('reads each claim once, where only the last of many batches was tried again', async () => {
    const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
    const job = newJob({ roots, phase: 'copying', expectedFiles: BATCHES });
    await store.create(job);
    const manifest = await manifests.create(job.id);
    const unit: FileUnit = {
      kind: 'file',
      root: 0,
      path: 'f',
      lengthBytes: 1,
      modifiedAtMs: 1,
      blockBytes: 1,
      decision: 'copy',
    };
    for (let batch = 0; batch < BATCHES; batch++) {
      const isLast = batch === BATCHES - 1;
      await manifest.append({ batch, units: [unit] });
      await store.claim(job.id, batch, 'copier');
      if (isLast) await store.noteAttempt(job.id, batch, 'copier', 1);
      await store.record(job.id, batch, 'copier', [copied(0, { retries: isLast ? 1 : 0 })]);
    }
    await manifest.close();
    store.claimMs = 1000;
    let swept = 0;
    const disk = decorated(new LocalDisk(65_536), { delete: () => Promise.resolve(++swept < 0) });
    const ended = await finish({ job, store, manifests, source: disk, destination: disk, ...rest });
    expect(ended).toMatchObject({ outcome: 'Successful' });
    expect(swept).toBe(2);
    expect(store.scanned).toBe(BATCHES);
  });

  it('lists a directory once, however long its listing takes', async () => {
    const spec = parseJobSpec({ source: 'a:/tree', destination: 'b:/tree', options: { attributes: ['times'] } });
    const roots = [{ source: '/tree', destination: '/tree', kind: 'directory' as const }];
    const job = newJob({ spec, roots, phase: 'copying' });
    await store.create(job);
    const tree = new DirectoryTree([DIRECTORIES], 1000);
    const destination = new DirectoryTree([DIRECTORIES], 2000);
    const listed = new Map<string, number>();
    const source = decorated(tree, {
      async *list(path: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly FileStatus[]> {
        listed.set(path, (listed.get(path) ?? 0) + 1);
        vi.advanceTimersByTime(6000);
        yield* tree.list(path, signal, after);
      },
    });
    const ended = await finish({ job, store, manifests, source, destination, ...rest });
    expect(ended).toMatchObject({ outcome: 'Successful' });
    expect(destination.setPaths).toHaveLength(DIRECTORIES + 1);
    expect([...listed.values()].filter((times) => times > 1)).toEqual([]);
    // It may be killed at any name: the cursor is kept while the walk goes on.
    expect(store.kept.filter((cursor) => 'at' in cursor && 'walk' in (cursor.at as object)).length).toBeGreaterThan(1);
  });
});
