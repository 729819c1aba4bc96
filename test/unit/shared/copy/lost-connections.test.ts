import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { expect, it } from 'vitest';
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
  /** One process that has lost so many connections on either side by the end of its first file. */
  const copier = async (batch: number, source: Record<string, number>, destination: Record<string, number>) => {
    const losing = (lost: Record<string, number>) => {
      let left = lost;
      const take = () => {
        const now = left;
        left = {};
        return now;
      };
      return decorated(disk, { lostConnections: { take } });
    };
    await copyBatch(
      {
        job,
        store,
        source: losing(source),
        destination: losing(destination),
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
  await copier(0, { 'to dn1': 2 }, { 'to dn9': 1 });
  await copier(1, { 'to dn1': 3 }, {});
  await copier(2, {}, {});
  const { Warnings: warnings, 'Files Copied': copied } = jobStatus(job, await store.counters('job'));
  expect([warnings, copied]).toEqual([{ 'to dn1': 5, 'to dn9': 1 }, 6]);
  rmSync(top, { recursive: true });
});
