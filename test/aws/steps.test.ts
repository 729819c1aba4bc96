import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { closeStep } from '../../shared/aws/close-step.ts';
import { copyStep } from '../../shared/aws/copy-step.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { Deadline } from '../../shared/deadline.ts';
import { silentLog } from '../../shared/log.ts';
import { allOf } from '../support/files.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';
import { batchesOf, copyAll, limits, long, planAll } from './step-calls.ts';
import { newTestDeployment, type TestDeployment } from './test-deployment.ts';
import { clientsOf } from './support.ts';

/** The work of the Lambdas, called as the state machine does, on real clusters: what happens at deadlines and to copiers that lost. */

const bed = inject('bed');
const clients = clientsOf(inject('aws'));
const { signal } = new AbortController();
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'steps');
});

/** What was counted of files; what the job has used of AWS is counted whatever becomes of it. */
const countersOf = async (deployment: TestDeployment, job: string) => {
  const counters = await deployment.services().store.counters(job);
  return Object.fromEntries([...counters].filter(([name]) => !name.startsWith('usage.')));
};

async function tree(name: string, files: number, length: number): Promise<Record<string, string>> {
  const source = `${pair.root}/${name}`;
  for (let i = 0; i < files; i++) await pair.a.put(`${source}/d${i % 3}/f${i}`, content(`${name}${i}`, length));
  return pair.a.tree(source);
}

/** Cluster A as it is; cluster B behind a fault proxy, and A too when asked. */
async function placeBehind(reactions: { a?: FaultProxyOptions; b?: FaultProxyOptions }) {
  const faultProxies = {
    a: await FaultProxy.start(bed.a, reactions.a ?? {}),
    b: await FaultProxy.start(bed.b, reactions.b ?? {}),
  };
  const deployment = await newTestDeployment(clients, {
    A: { url: faultProxies.a.url },
    B: { url: faultProxies.b.url },
  });
  return {
    deployment,
    async [Symbol.asyncDispose]() {
      await faultProxies.a[Symbol.asyncDispose]();
      await faultProxies.b[Symbol.asyncDispose]();
    },
  };
}

describe('planning', () => {
  test('in many invocations gives the same manifest as in one, in one object', async () => {
    await tree('plan', 40, 100);
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const { bucket } = deployment.services().manifests;
    const text = async (key: string) => {
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Body?.transformToString();
    };
    const input = (to: string) => ({ source: `A:${pair.root}/plan`, destination: `B:${pair.root}/${to}` });
    const one = await planAll(deployment, input('planned-in-one'));
    const many = await planAll(deployment, input('planned-in-many'), () => new Deadline(0));
    expect(one.invocations).toBe(1);
    expect(many.invocations).toBeGreaterThan(30);
    expect(many).toMatchObject({ batches: one.batches, maxConcurrency: one.maxConcurrency });
    expect(await text(many.key)).toBe(await text(one.key));
    const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents.map(({ Key }) => Key).sort()).toEqual([one.key, many.key].sort());
    expect(await deployment.services().store.get(many.job)).toMatchObject({ phase: 'copying', expectedFiles: 40 });
  });

  test('a second job on an overlapping destination is refused while the first runs, and not afterwards', async () => {
    const deployment = await newTestDeployment(clients, {
      A: { url: bed.a },
      B: { url: bed.b },
      other: { url: bed.b },
    });
    await pair.b.mkdirs(`${pair.root}/locked/below`);
    const input = (destination: string) => ({
      source: `A:${pair.root}/plan`,
      destination,
      options: { mapping: 'exact' },
    });
    const first = await planAll(deployment, input(`B:${pair.root}/locked`));
    await expect(planAll(deployment, input(`other:${pair.root}/locked/below`))).rejects.toMatchObject({
      name: 'DestinationBusyError',
      message: expect.stringContaining(first.job) as string,
    });
    const beside = await planAll(deployment, input(`B:${pair.root}/locked-not`));
    expect(beside.done).toBe(true);
    deployment.running.delete(first.execution);
    expect((await planAll(deployment, input(`other:${pair.root}/locked/below`))).done).toBe(true);
  });

  test.each([
    [{ source: 'A:/x' }, 'SpecError', 'destination'],
    [{ source: 'A:/x', destination: 'B:/y', optoins: {} }, 'SpecError', 'optoins'],
    [{ source: 'A:/x', destination: 'B:/y', options: { threads: 'many' } }, 'SpecError', 'options.threads'],
    [{ source: 'nowhere:/x', destination: 'B:/y' }, 'SpecError', 'nowhere'],
    [
      { source: 'A:/x', destination: 'B:/y', options: { mapping: 'exact', trackMissing: '/x' } },
      'SpecError',
      'options.trackMissing names a file of one machine',
    ],
    [{ source: 'local:/x', destination: 'B:/y' }, 'SpecError', 'hdfs-fanout copy'],
    [{ source: 'A:/no-such-file', destination: 'B:/y' }, 'RefusedError', '/no-such-file'],
    [{ retry: 'no-such-job' }, 'SpecError', 'no-such-job'],
    [{ retry: 7 }, 'SpecError', 'retry'],
    ['text', 'SpecError', 'expected object'],
  ])('refuses %j by name, and leaves nothing', async (input, name, says) => {
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    await expect(planAll(deployment, input)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(says) as string,
    });
    const { store, active } = deployment.services();
    expect(await store.list(10)).toEqual([]);
    expect(await active.list()).toEqual([]);
  });
});

describe('copying', () => {
  test('a batch that takes longer than an invocation goes on in the next, each file copied once', async () => {
    const source = await tree('long', 12, 60_000);
    let opened = 0;
    await using behind = await placeBehind({
      a: {
        datanodes: true,
        // The first four do not come as long as the first invocation lasts.
        react: ({ operation, to }) =>
          operation === 'OPEN' && to === 'datanode' && ++opened <= limits.transfers ? 'hang' : undefined,
      },
    });
    const { deployment } = behind;
    const input = { source: `A:${pair.root}/long`, destination: `B:${pair.root}/long-copy` };
    const { job } = await planAll(deployment, input);
    const [batch, ...others] = await batchesOf(deployment, job);
    if (!batch || others.length > 1) throw new Error('one batch was expected');
    const answers = (await Promise.all([batch, ...others].map((one) => copyAll(deployment, job, one, 8000)))).flat();
    expect(answers.length).toBeGreaterThan(1 + others.length);
    expect(await countersOf(deployment, job)).toMatchObject({ 'files.copied': 12, 'bytes.copied': 12 * 60_000 });
    expect(await pair.b.tree(`${pair.root}/long-copy`)).toEqual(source);
  });

  test('a file that does not fit into a whole invocation fails, and says why; the others are copied', async () => {
    await tree('outgrown', 3, 1000);
    await pair.a.put(`${pair.root}/outgrown/huge`, content('huge', 400_000));
    await using behind = await placeBehind({
      a: {
        datanodes: true,
        react: ({ path, to }) => (path.endsWith('huge') && to === 'datanode' ? { bytesPerSecond: 20_000 } : undefined),
      },
    });
    const { deployment } = behind;
    const input = { source: `A:${pair.root}/outgrown`, destination: `B:${pair.root}/outgrown-copy` };
    const { job } = await planAll(deployment, input);
    const [batch] = await batchesOf(deployment, job);
    if (!batch) throw new Error('no batch');
    const answers = await copyAll(deployment, job, batch, 4000);
    expect(answers).toEqual([
      { left: 1, cut: [expect.any(Number)] },
      { left: 0, cut: [] },
    ]);
    expect(await countersOf(deployment, job)).toMatchObject({ 'files.copied': 3, 'files.failed': 1 });
    const [failure] = await deployment.services().store.failures(job, 10);
    expect(failure).toMatchObject({
      path: `${pair.root}/outgrown/huge`,
      reason: expect.stringMatching(/400000 bytes do not fit into one invocation of 4 s .*time and memory/) as string,
    });
    const copied = await pair.b.tree(`${pair.root}/outgrown-copy`);
    expect(Object.keys(copied).filter((path) => path.includes('huge'))).toEqual([]);
    expect(temporaryNames(copied)).toEqual([]);
  });

  test('the same batch given to two copiers at once, and once more later, is counted once; the loser is superseded', async () => {
    const source = await tree('twice', 20, 5000);
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const { job } = await planAll(deployment, {
      source: `A:${pair.root}/twice`,
      destination: `B:${pair.root}/twice-copy`,
    });
    for (const batch of await batchesOf(deployment, job)) {
      const copying = ['one', 'other'].map((owner) =>
        copyStep({ job, batch }, deployment.services(), limits.transfers, owner, long()),
      );
      const settled = await Promise.allSettled(copying);
      const lost = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
      expect(lost.map(({ name }) => name)).toEqual(['SupersededError']);
      expect(await copyStep({ job, batch }, deployment.services(), limits.transfers, 'later', long())).toEqual({
        left: 0,
        cut: [],
      });
    }
    expect(await countersOf(deployment, job)).toMatchObject({ 'files.copied': 20, 'bytes.copied': 20 * 5000 });
    const answer = await finishStep(job, deployment.services(), 'finisher', long(), signal);
    expect(answer).toMatchObject({ done: true, outcome: 'Successful' });
    expect(await pair.b.tree(`${pair.root}/twice-copy`)).toEqual(source);
  });

  test('a copier that wakes after its job was closed promotes nothing', async () => {
    await tree('zombie', 1, 5000);
    let wake: () => void = () => undefined;
    let asleep: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const fallenAsleep = new Promise<void>((resolve) => (asleep = resolve));
    await using behind = await placeBehind({
      b: {
        react: async ({ operation }) => {
          if (operation !== 'RENAME') return undefined;
          asleep();
          await woken;
          return undefined;
        },
      },
    });
    const { deployment } = behind;
    const planned = await planAll(deployment, {
      source: `A:${pair.root}/zombie`,
      destination: `B:${pair.root}/zombie-copy`,
    });
    const [batch] = await batchesOf(deployment, planned.job);
    if (!batch) throw new Error('no batch');
    // A Lambda that is frozen past its deadline: the stores know until when it may be at work.
    const zombie = copyStep({ job: planned.job, batch }, deployment.services(1500), limits.transfers, 'zombie', long());
    const ended = zombie.then(
      () => 'copied',
      (error: unknown) => (error as Error).name,
    );
    await fallenAsleep;
    deployment.running.delete(planned.execution);
    const closed = await closeStep(
      { execution: planned.execution, reason: 'stopped' },
      deployment.services(),
      new Deadline(20_000),
      signal,
    );
    expect(closed).toMatchObject({ closed: true, status: { Outcome: 'Failed', 'Files Copied': 0, Error: 'stopped' } });
    wake();
    expect(await ended).toBe('SupersededError');
    expect(await pair.b.tree(`${pair.root}/zombie-copy`)).toEqual({ '/d0/': '' });
    const next = copyStep({ job: planned.job, batch }, deployment.services(), limits.transfers, 'late', long());
    await expect(next).rejects.toMatchObject({ name: 'JobClosedError' });
    expect(await deployment.services().active.list()).toEqual([]);
    expect(await countersOf(deployment, planned.job)).toEqual({});
  });
});

describe('finishing', () => {
  test('sets directories’ attributes over many invocations as in one', async () => {
    await tree('finish', 9, 10);
    for (let i = 0; i < 3; i++)
      await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/finish/d${i}`, { permission: `75${i}` });
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const { job } = await planAll(deployment, {
      source: `A:${pair.root}/finish`,
      destination: `B:${pair.root}/finish-copy`,
      options: { preserve: true },
    });
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
    let invocations = 0;
    let answer;
    do {
      invocations += 1;
      answer = await finishStep(job, deployment.services(), 'finisher', new Deadline(0), signal);
    } while (!answer.done);
    expect(invocations).toBeGreaterThan(3);
    expect(answer).toMatchObject({ outcome: 'Successful', status: { 'Files Copied': 9 } });
    for (let i = 0; i < 3; i++) {
      const { FileStatus } = await pair.b.json<{ FileStatus: { permission: string } }>(
        'GETFILESTATUS',
        `${pair.root}/finish-copy/d${i}`,
      );
      expect(FileStatus.permission).toBe(`75${i}`);
    }
  });

  test('a job that stopped in the middle of it, with a failed file, is retried with other options to a status that adds up', async () => {
    await tree('retried', 9, 10);
    let isDenied = true;
    const body = JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'denied' } });
    const react: FaultProxyOptions['react'] = ({ operation, path }) =>
      isDenied && operation === 'OPEN' && path.endsWith('/f4') ? { answer: { status: 403, body } } : undefined;
    await using behind = await placeBehind({ a: { react } });
    const { deployment } = behind;
    const destination = `B:${pair.root}/retried-copy`;
    const first = await planAll(deployment, {
      source: `A:${pair.root}/retried`,
      destination,
      options: { preserve: true },
    });
    const { job } = first;
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
    expect(await finishStep(job, deployment.services(), 'finisher', new Deadline(0), signal)).toEqual({ done: false });
    deployment.running.delete(first.execution);
    const stopped = { execution: first.execution, reason: 'stopped' };
    expect(await closeStep(stopped, deployment.services(), long(), signal)).toMatchObject({ closed: true });

    const refused = planAll(deployment, { retry: job, options: { preserve: false } });
    await expect(refused).rejects.toMatchObject({
      name: 'SpecError',
      message: expect.stringContaining('options.preserve cannot change') as string,
    });
    isDenied = false;
    const options = { maxFailures: 7, threads: 3 };
    const again = await planAll(deployment, { retry: job, options: { force: true, ...options } });
    const changed = await deployment.services().store.get(job);
    expect(changed?.spec.options).toMatchObject({ ...options, existing: 'update', preserve: true });
    const left = await allOf(deployment.services().manifests.read(`${job}.retry`));
    expect(left).toHaveLength(again.batches);
    for (const batch of left) await copyAll(deployment, job, batch, 60_000);
    const answer = await finishStep(job, deployment.services(), 'finisher', long(), signal);
    expect(answer).toMatchObject({ done: true, outcome: 'Successful' });
    expect(answer.status).toMatchObject({ 'Files Expected': 9, 'Files Copied': 9, 'Files Failed': 0 });
    expect(await pair.b.tree(`${pair.root}/retried-copy`)).toEqual(await pair.a.tree(`${pair.root}/retried`));
  });

  test('deletes in many invocations what one would, the list of it and the deletions, and counts each once', async () => {
    await tree('deletes', 9, 1000);
    const [source, mirror] = [`${pair.root}/deletes`, `${pair.root}/deletes-mirror`];
    const extra = Array.from({ length: 150 }, (_, i) => `d${i % 3}/extra${i}`);
    for (const file of [...extra, 'whole/in/1', 'whole/2']) await pair.b.put(`${mirror}/${file}`, 'extra');
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const { job } = await planAll(deployment, {
      source: `A:${source}`,
      destination: `B:${mirror}`,
      options: { mapping: 'exact', delete: true, maxDelete: '100%' },
    });
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
    let invocations = 0;
    let answer;
    do {
      invocations += 1;
      // It may end the step that it has begun, and begins no other.
      const deadline = Object.assign(new Deadline(60_000), { isNear: () => true });
      answer = await finishStep(job, deployment.services(), `finisher${invocations}`, deadline, signal);
    } while (!answer.done);
    // The search stops after each name.
    expect(invocations).toBeGreaterThan(100);
    expect(answer).toMatchObject({
      outcome: 'Successful',
      status: { 'Files Copied': 9, 'Files Deleted': 152, 'Size Deleted': 152 * 5 },
    });
    expect(await pair.b.tree(mirror)).toEqual(await pair.a.tree(source));
  });

  test('a job of which a batch was never copied does not end as one that was', async () => {
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const input = { source: `A:${pair.root}/finish`, destination: `B:${pair.root}/incomplete` };
    const { job } = await planAll(deployment, input);
    const finished = finishStep(job, deployment.services(), 'finisher', long(), signal);
    await expect(finished).rejects.toMatchObject({
      name: 'IncompleteError',
      message: expect.stringContaining('9 files were planned, and 0') as string,
    });
    expect(await deployment.services().store.get(job)).toMatchObject({ phase: 'finishing' });
  });
});

test('a copier makes do with fewer transfers when a cluster says busy, and copies every file', async () => {
  await tree('busy', 40, 10);
  const message = 'Server is too busy.';
  const body = JSON.stringify({ RemoteException: { exception: 'RetriableException', message } });
  let creations = 0;
  const react: FaultProxyOptions['react'] = async ({ operation }) => {
    if (operation !== 'CREATE') return undefined;
    // Long enough that the copier is still at work when it looks.
    await sleep(300);
    return ++creations <= 3 ? { answer: { status: 403, body } } : undefined;
  };
  await using behind = await placeBehind({ b: { react } });
  const { deployment } = behind;
  const { root } = pair;
  const options = { threads: 'auto' };
  const { job } = await planAll(deployment, { source: `A:${root}/busy`, destination: `B:${root}/busy-copy`, options });
  const told: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void told.push(fields) };
  for (const batch of await batchesOf(deployment, job)) {
    const services = { ...deployment.services(), log };
    await copyStep({ job, batch }, services, limits.transfers, randomUUID(), long());
  }
  expect(told).toContainEqual({ cluster: 'B', transfers: 3, before: 4 });
  expect(await pair.b.tree(`${root}/busy-copy`)).toEqual(await pair.a.tree(`${root}/busy`));
});
