import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { execute } from '../../../../shared/machine/executor.ts';
import { openState } from '../../../../shared/machine/state.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-live-'));
  for (const path of ['source/d', 'destination/d']) mkdirSync(join(top, path), { recursive: true });
  for (const name of ['d/1', 'd/2', 'e']) writeFileSync(join(top, 'source', name), name);
});
afterEach(() => rmSync(top, { recursive: true }));

/** A copy with `--live`, whose counters are asked for. */
async function copied(source: Storage, destination: Storage) {
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const { store, ...state } = openState({ HDFS_FANOUT_HOME: join(top, 'home') });
  const options = { mapping: 'exact', existing: 'update', live: true };
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}`, options });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  await store.create(job);
  const told = { progress: new Progress(), log: silentLog, onOutcome: () => undefined };
  const { outcome } = await execute(job, { state: { store, ...state }, source, destination, signal: never, ...told });
  const counters = await store.counters('job');
  return { outcome, failed: counters.get('files.failed'), vanished: counters.get('files.vanished') };
}

/** A disk that loses the directory `d` when it is listed. */
const losing = () =>
  decorated(disk, {
    async *list(path, signal, after) {
      if (path.endsWith('/d')) rmSync(path, { recursive: true, force: true });
      yield* disk.list(path, signal, after);
    },
  });

describe('a directory that is gone, to a job that is live', () => {
  it('has vanished where the source lost it', async () => {
    expect(await copied(losing(), disk)).toEqual({ outcome: 'Successful', failed: undefined, vanished: 1 });
  });

  it('has not where the destination lost it: its files are not copied', async () => {
    expect(await copied(disk, losing())).toEqual({ outcome: 'Failed', failed: 1, vanished: undefined });
    expect(readdirSync(join(top, 'source/d'))).toEqual(['1', '2']);
  });

  it('has not where the destination cannot make it for want of the one above', async () => {
    rmSync(join(top, 'destination/d'), { recursive: true });
    const where = (path: string) => ({ operation: 'MKDIRS', path });
    const destination = decorated(disk, {
      makeDirectory: (path, permission) =>
        path.endsWith('/d')
          ? Promise.reject(new StorageError('not-found', 'FileNotFoundException', 'no parent', where(path)))
          : disk.makeDirectory(path, permission),
    });
    // Of what is below nothing can be written either.
    expect(await copied(disk, destination)).toMatchObject({ outcome: 'Failed', vanished: undefined });
  });
});
