import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SplitFile, Unit } from '../../../../shared/job/unit.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { unfinishedBatches } from '../../../../shared/machine/unfinished-batches.ts';
import { allOf } from '../../../support/files.ts';
import { copied, copiedChunk, newJob } from '../../../support/outcomes.ts';

/** Which batches of a job with split files a resume hands out. */

const file = (path: string) =>
  ({ kind: 'file', root: 0, path, lengthBytes: 2000, modifiedAtMs: 1, blockBytes: 1000, decision: 'copy' }) as const;
const split = (number: number): SplitFile => ({ ...file(`long${number}`), split: { number, chunkBytes: 1000 } });
const chunk = (number: number, of: number): Unit => ({ kind: 'chunk', chunk: of, file: split(number) });

let directory: string;
let store: SqliteJobStore;
let manifests: ManifestFile;
const job = newJob();
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-work-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
  manifests = new ManifestFile(join(directory, 'manifests'));
  await store.create(job);
  const manifest = await manifests.create(job.id);
  await manifest.append({ batch: 0, units: [chunk(0, 0)] });
  await manifest.append({ batch: 1, units: [chunk(0, 1), split(0)] });
  await manifest.append({ batch: 2, units: [file('short')] });
  await manifest.close();
  for (const batch of [0, 1, 2]) await store.claim(job.id, batch, 'me');
  await store.record(job.id, 2, 'me', [copied(0)]);
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

const handedOut = async () => (await allOf(unfinishedBatches(job.id, { store, manifests }))).map(({ batch }) => batch);

it('those whose chunks are missing, and of a file whose chunks were given up the one that holds the file', async () => {
  expect(await handedOut()).toEqual([0, 1]);
  await store.record(job.id, 0, 'me', [copiedChunk(0, 0, 0)]);
  expect(await handedOut()).toEqual([1]);
  await store.giveUpChunks(job.id, 0);
  expect(await handedOut()).toEqual([1]);
  await store.record(job.id, 1, 'me', [copied(1)]);
  expect(await handedOut()).toEqual([]);
});

it('none where only the file is to be put together, and the finish begins anew', async () => {
  await store.record(job.id, 0, 'me', [copiedChunk(0, 0, 0)]);
  await store.record(job.id, 1, 'me', [copiedChunk(0, 0, 1)]);
  await store.keepFinishCursor(job.id, { phase: 'sweep' });
  expect(await handedOut()).toEqual([]);
  expect(await store.finishCursor(job.id)).toBeUndefined();
  await store.record(job.id, 1, 'me', [copied(1)]);
  await store.keepFinishCursor(job.id, { phase: 'sweep' });
  expect(await handedOut()).toEqual([]);
  expect(await store.finishCursor(job.id)).toEqual({ phase: 'sweep' });
});
