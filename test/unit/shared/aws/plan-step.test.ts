import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DynamoJobStore } from '../../../../shared/aws/dynamo-job-store.ts';
import { planStep } from '../../../../shared/aws/plan-step.ts';
import type { Services } from '../../../../shared/aws/services.ts';
import { Deadline } from '../../../../shared/deadline.ts';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { BatchLine, lineHead, type ManifestPosition } from '../../../../shared/job/manifest-lines.ts';
import type { Batch } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { never } from '../../../support/files.ts';
import { GeneratedJob } from '../../../support/generated-job.ts';
import { GeneratedTable } from '../../../support/generated-table.ts';

let namenode: Server;
beforeEach(async () => {
  namenode = createServer((_, response) => {
    response.statusCode = 404;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ RemoteException: { exception: 'FileNotFoundException', message: 'none' } }));
  });
  await new Promise<void>((resolve) => namenode.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  namenode.close();
  namenode.closeAllConnections();
});

/** A job that was being finished when it failed. @param hasDeaths  whether something of it is left to copy */
async function retryable(hasDeaths: boolean, cursor: object, changes: Partial<Job> = {}) {
  const generated = new GeneratedJob(300, 8, hasDeaths);
  const { id } = generated.job;
  const store = new DynamoJobStore(new GeneratedTable(generated).client, 'table', { retentionDays: 7 });
  await store.update(id, { phase: 'finishing' });
  await store.keepFinishCursor(id, cursor);
  await store.update(id, { outcome: 'Failed', directoryWarnings: { times: 1 }, directoryLosses: ['one'], ...changes });
  const url = `http://127.0.0.1:${(namenode.address() as AddressInfo).port}`;
  const definition = clusterSchema.parse({ name: 'c', user: 'root', nameservices: [{ urls: [url], mounts: ['/'] }] });
  const nothing = () => Promise.resolve();
  let active: object | undefined;
  const written = new Map<string, Batch[]>();
  const writerOf = (name: string) => {
    const batches: Batch[] = [];
    written.set(name, batches);
    return { append: (batch: Batch) => Promise.resolve(batches.push(batch)), close: nothing };
  };
  async function* read(name: string, from: ManifestPosition): AsyncIterable<BatchLine> {
    if (name === id) yield* generated.manifests.read(name, from);
    for (const batch of written.get(name) ?? []) {
      const line = Buffer.from(`${lineHead(batch)}${batch.units.map((unit) => JSON.stringify(unit)).join()}]}`);
      yield await Promise.resolve(new BatchLine(line, from.offsetBytes, (cause) => new Error(String(cause))));
    }
  }
  const noNames = { refill: nothing, keep: nothing };
  const services = {
    store,
    manifests: {
      read,
      bucket: 'bucket',
      keyOf: (name: string) => name,
      remove: nothing,
      resume: nothing,
      create: (name: string) => Promise.resolve(writerOf(name)),
    },
    takenNames: noNames,
    typeChanges: noNames,
    active: {
      get: () => Promise.resolve(active),
      put: (one: object) => Promise.resolve((active = one)),
      setReady: (_: string, ready: object) => Promise.resolve((active = { ...active, ready })),
    },
    lock: { acquire: nothing },
    tokens: { kept: () => Promise.resolve([]), forget: nothing },
    secrets: { definition: () => Promise.resolve(definition) },
    log: silentLog,
  } as unknown as Services;
  const request = { execution: 'arn:of:second', startTime: '2026-01-01T00:00:00Z', input: { retry: id } };
  const limits = { transfers: 10, copiers: 10 };
  const retry = () => planStep(request, services, limits, new Deadline(600_000), never);
  return { store, id, retry, written };
}

const losses = { warnings: {}, examples: [] };
const lost = { warnings: { times: 1 }, examples: ['one'] };
const stopped = { phase: 'directories', at: { root: 0, walk: { open: [{ name: '', after: 'd' }] }, losses } } as const;

describe('a retry of a job that had stopped while it was finished', () => {
  it('begins the finish anew when it copies more: that changes directories which are done', async () => {
    const { store, id, retry } = await retryable(true, stopped);
    expect(await retry()).toMatchObject({ done: true, batches: 1 });
    expect(await store.finishCursor(id)).toBeUndefined();
  });

  it('goes on with the finish when nothing is left to copy', async () => {
    const { store, id, retry } = await retryable(false, stopped);
    expect(await retry()).toMatchObject({ done: true, batches: 0 });
    expect(await store.finishCursor(id)).toEqual(stopped);
  });

  it.each([
    ['some of the directories had lost attributes', { ...stopped, at: { ...stopped.at, losses: lost } }],
    ['all directories were looked at', { phase: 'status', losses }],
  ])('begins the finish anew when %s', async (_, cursor) => {
    const { store, id, retry } = await retryable(false, cursor);
    expect(await retry()).toMatchObject({ done: true, batches: 0 });
    expect(await store.finishCursor(id)).toBeUndefined();
  });

  it('looks at deletions anew: those that failed are taken back', async () => {
    const { store, id, retry } = await retryable(false, { phase: 'deletes', at: { batch: 2 } });
    await retry();
    expect(await store.finishCursor(id)).toBeUndefined();
  });

  it('is refused where the snapshot is gone that its second pass is to copy from', async () => {
    const typeChanges = { names: 1, batches: 300 };
    const second = { phase: 'planning', pass: 2, typeChanges, snapshot: { root: '/in' } } as const;
    const { retry } = await retryable(false, stopped, second);
    await expect(retry()).rejects.toThrow(/is gone: the job cannot copy from its snapshot any more/);
  });

  it('says no more why nothing was deleted', async () => {
    const { store, id, retry } = await retryable(false, stopped, { notDeleted: '1 files failed' });
    await retry();
    expect((await store.get(id))?.notDeleted).toBeUndefined();
  });

  it('says nothing of the losses of the finish before', async () => {
    const { store, id, retry } = await retryable(true, stopped);
    await retry();
    const job = await store.get(id);
    expect(job).toMatchObject({ phase: 'copying', directoryWarnings: {} });
    expect(job?.directoryLosses).toBeUndefined();
  });
});

describe('a retry of a job that had stopped before its second pass was planned', () => {
  const second = { phase: 'planning', pass: 2, typeChanges: { names: 1, batches: 300 } } as const;

  it('copies what was taken back of the first pass as well', async () => {
    const { store, id, retry, written } = await retryable(true, stopped, second);
    expect(await retry()).toMatchObject({ done: true, batches: 2, key: `${id}.retry` });
    expect(written.get(`${id}.retry`)?.map(({ batch }) => batch)).toEqual([2, 300]);
    expect(await store.get(id)).toMatchObject({ phase: 'copying', expectedFiles: 2401 });
    expect(await retry()).toMatchObject({ done: true, batches: 2, key: `${id}.retry` });
  });

  it('takes a snapshot that is gone for no source in which all has vanished', async () => {
    const { retry, written } = await retryable(false, stopped, { ...second, snapshot: { root: '/in' } });
    await expect(retry()).rejects.toThrow('is gone: the job cannot copy from its snapshot any more');
    expect(written.size).toBe(0);
  });
});
