import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { Progress } from '../../shared/copy/progress.ts';
import { openEndpoints } from '../../shared/endpoints/endpoints.ts';
import { Limits } from '../../shared/limits/limits.ts';
import { loadClusters } from '../../shared/hdfs/cluster.ts';
import type { Job } from '../../shared/job/job.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import { execute } from '../../shared/machine/executor.ts';
import { openState } from '../../shared/machine/state.ts';
import { type Counts, counted } from '../support/counted-storage.ts';
import { never } from '../support/files.ts';
import { TwoClusters } from '../support/two-clusters.ts';

it('copies through storages that count what they are asked for', async () => {
  const pair = await TwoClusters.make(inject('bed'), 'decorated');
  for (let i = 0; i < 5; i++) await pair.a.put(`/decorated/in/d${i}/file`, `content ${i}`);
  const clusters = loadClusters(inject('bed').configFile);
  const accessTo = (alias: string) => {
    const cluster = clusters.get(alias);
    if (!cluster) throw new Error(`no cluster ${alias}`);
    return { cluster };
  };
  const counts: Counts[] = [];
  const counting = (storage: Parameters<typeof counted>[0]) => {
    const own: Counts = new Map();
    counts.push(own);
    return counted(storage, own);
  };
  const spec = parseJobSpec({
    source: 'A:/decorated/in',
    destination: 'B:/decorated/out',
    options: { preserve: true },
  });
  const means = { accessTo, disk: undefined, contact: 'first', log: silentLog, limits: new Limits({}) } as const;
  await using endpoints = await openEndpoints(spec, means, [counting]);
  const state = openState({ HDFS_FANOUT_HOME: mkdtempSync(join(tmpdir(), 'hdfs-fanout-decorated-')) });
  const job: Job = {
    id: randomUUID(),
    spec,
    roots: [{ source: '/decorated/in', destination: '/decorated/out', kind: 'directory' }],
    phase: 'planning',
    startedAtMs: Date.now(),
    endedAtMs: undefined,
    outcome: undefined,
    error: undefined,
    expectedFiles: 0,
    expectedBytes: 0,
    directoryWarnings: {},
  };
  await state.store.create(job);
  const progress = new Progress();
  const onOutcome = () => undefined;
  const ended = await execute(job, { state, ...endpoints, progress, log: silentLog, signal: never, onOutcome });
  expect(ended.outcome).toBe('Successful');
  expect(await pair.b.tree('/decorated/out')).toEqual(await pair.a.tree('/decorated/in'));
  const [source, destination] = counts;
  expect(source?.get('read')).toBe(5);
  expect(source?.get('write')).toBeUndefined();
  expect(destination?.get('read')).toBeUndefined();
  expect([destination?.get('write'), destination?.get('rename'), destination?.get('makeDirectory')]).toEqual([5, 5, 6]);
});
