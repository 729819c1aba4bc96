import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { expect, it, vi } from 'vitest';
import { copyBatch } from '../../../../shared/copy/copier.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { jobStatus } from '../../../../shared/job/job-status.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

it('lost connections are told with the outcomes that are recorded next, each once, by all copiers together', async () => {
  const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-lost-'));
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  for (const directory of [from, to]) mkdirSync(directory);
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}` });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  const store = new SqliteJobStore(':memory:');
  await store.create(job);
  const disk = new LocalDisk(65_536);
  const unit = async (path: string): Promise<FileUnit> => {
    writeFileSync(join(from, path), path);
    const { modifiedAtMs = 0 } = (await disk.stat(join(from, path), never)) ?? {};
    const about = { lengthBytes: path.length, modifiedAtMs, blockBytes: 2 ** 27 };
    return { kind: 'file', root: 0, path, ...about, decision: 'copy' };
  };
  const losing = (lost: Record<string, number>) => {
    let left = lost;
    const take = () => {
      const now = left;
      left = {};
      return now;
    };
    const putBack = (back: Record<string, number>) => void (left = back);
    return decorated(disk, { lostConnections: { take, putBack } });
  };
  /** One process whose ends have lost some connections by the end of its first file. */
  const copier = async (batch: number, source: Storage, destination: Storage) => {
    await copyBatch(
      {
        job,
        store,
        source,
        destination,
        owner: `copier ${batch}`,
        progress: new Progress(),
        log: silentLog,
        signal: never,
        onOutcome: () => undefined,
        recordEveryMs: 0,
        limit: pLimit(1),
      },
      { batch, units: [await unit(`${batch}a`), await unit(`${batch}b`)] },
    );
  };
  await copier(0, losing({ 'to dn1': 2 }), losing({ 'to dn9': 1 }));
  await copier(1, losing({ 'to dn1': 3 }), losing({}));
  await copier(2, losing({}), losing({}));
  // One cluster at both ends.
  await copier(3, losing({ 'to dn5': 2 }), losing({ 'to dn5': 3 }));
  // What could not be recorded is told with what can.
  const unlucky = [losing({ 'to dn7': 4 }), losing({ 'to dn8': 1 })] as const;
  vi.spyOn(store, 'record').mockRejectedValueOnce(new Error('no record'));
  await expect(copier(4, ...unlucky)).rejects.toThrow('no record');
  await copier(5, ...unlucky);
  const { Warnings: warnings, 'Files Copied': copied } = jobStatus(job, await store.counters('job'));
  expect([warnings, copied]).toEqual([{ 'to dn1': 5, 'to dn5': 5, 'to dn7': 4, 'to dn8': 1, 'to dn9': 1 }, 10]);
  rmSync(top, { recursive: true });
});
