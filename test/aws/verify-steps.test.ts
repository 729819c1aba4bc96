import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { closeStep } from '../../shared/aws/close-step.ts';
import { copyStep } from '../../shared/aws/copy-step.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { Deadline } from '../../shared/deadline.ts';
import { deathRecord } from '../../shared/names.ts';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { allOf } from '../support/files.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { batchesOf, copyAll, limits, long, planAll } from './step-calls.ts';
import { newTestDeployment, type TestDeployment } from './test-deployment.ts';
import { clientsOf } from './support.ts';

/** Verifications and dry runs, called as the state machine does: over many invocations, taken over, stopped. */

const bed = inject('bed');
const clients = clientsOf(inject('aws'));
const { signal } = new AbortController();
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'verify-steps');
  await pair.a.put(`${pair.root}/tree/a/only here`, 'a');
  await pair.b.put(`${pair.root}/tree/b/only there`, 'b');
  for (let i = 0; i < 12; i++) {
    const path = `${pair.root}/tree/d${i % 3}/f${i}`;
    await pair.a.put(path, content(`f${i}`, 1000 + i));
    await pair.b.put(path, content(i % 4 === 0 ? `other${i}` : `f${i}`, 1000 + i));
  }
});

const newDeployment = (url = bed.b) => newTestDeployment(clients, { A: { url: bed.a }, B: { url } });
const asked = (more: object = {}) => ({
  source: `A:${pair.root}/tree`,
  destination: `B:${pair.root}/tree`,
  verify: {},
  ...more,
});

const jobOf = async (deployment: TestDeployment, job: string) => {
  const found = await deployment.services().store.get(job);
  if (!found) throw new Error(`no job ${job}`);
  return found;
};

async function reportOf(deployment: TestDeployment, job: string): Promise<Record<string, unknown>[]> {
  const { report } = await jobOf(deployment, job);
  const lines = await allOf(deployment.services().reports.lines(job, report?.parts ?? 0));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function finished(deployment: TestDeployment, job: string, deadline = long) {
  for (let invocations = 1; ; invocations++) {
    const answer = await finishStep(job, deployment.services(), `finisher${invocations}`, deadline(), signal);
    if (answer.done) return { ...answer, invocations };
  }
}

const withoutTimes = (lines: Record<string, unknown>[]): Record<string, unknown>[] =>
  lines.map((line) => ({ ...line, startedAt: '', endedAt: '' })).sort((a, b) => sorted(a).localeCompare(sorted(b)));
const sorted = (line: object) => JSON.stringify(line);

test('a verification in many invocations tells the same as one in few', async () => {
  const deployment = await newDeployment();
  const tell = async (deadline: () => Deadline) => {
    const planned = await planAll(deployment, asked({ options: { preserve: true } }), deadline);
    const { job } = planned;
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
    const ended = await finished(deployment, job, deadline);
    return { planned, ended, report: withoutTimes(await reportOf(deployment, job)) };
  };
  const [few, many] = [await tell(long), await tell(() => new Deadline(0))];
  expect(few.planned.invocations).toBe(1);
  expect(many.planned.invocations).toBeGreaterThan(12);
  expect(many.report).toEqual(few.report);
  expect(few.report.filter(({ type }) => type === 'different')).toHaveLength(3);
  expect(many.ended).toMatchObject({ outcome: 'TreesDiffer', status: { 'Files Compared': 12, 'Files Expected': 12 } });
  expect(many.ended.status?.Verification).toEqual(few.ended.status?.Verification);
  expect(many.ended.status?.Verification).toMatchObject({
    missing: { files: 1, directories: 1 },
    extra: { files: 1, directories: 1 },
    different: { content: 3 },
    proved: { checksum: 9 },
  });
});

test('a dry run in many invocations tells the same as one in few', async () => {
  const deployment = await newDeployment();
  const options = { mapping: 'exact', force: true, delete: true, maxDelete: '100%' };
  const { source, destination } = asked();
  const tell = async (deadline: () => Deadline) => {
    const { job, invocations, batches } = await planAll(
      deployment,
      { source, destination, dryRun: true, options },
      deadline,
    );
    const ended = await finished(deployment, job);
    return { invocations, batches, ended, lines: await reportOf(deployment, job) };
  };
  const [few, many] = [await tell(long), await tell(() => new Deadline(0))];
  expect(few).toMatchObject({ invocations: 1, batches: 0 });
  expect(many.invocations).toBeGreaterThan(20);
  expect(many.lines).toEqual(few.lines);
  expect(many.ended.status?.['Would Do']).toEqual({
    copy: { files: 1, bytes: 1 },
    overwrite: expect.objectContaining({ files: 3 }) as object,
    skip: expect.objectContaining({ files: 9 }) as object,
    delete: { files: 1, bytes: 1 },
  });
});

test('a batch that two take, and one takes again, is counted once', async () => {
  const deployment = await newDeployment();
  const { job } = await planAll(deployment, asked());
  for (const batch of await batchesOf(deployment, job)) {
    const comparing = ['one', 'other', 'third'].map((owner) =>
      copyStep({ job, batch }, deployment.services(), limits.transfers, owner, long()),
    );
    const settled = await Promise.allSettled(comparing);
    const lost = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    for (const { name } of lost) expect(name).toBe('SupersededError');
    const again = copyStep({ job, batch }, deployment.services(), limits.transfers, randomUUID(), long());
    expect(await again).toEqual({ left: 0, cut: [] });
  }
  const { status } = await finished(deployment, job);
  expect(status).toMatchObject({ 'Files Compared': 12, Verification: { different: { content: 3 } } });
  expect((await reportOf(deployment, job)).filter(({ type }) => type === 'different')).toHaveLength(3);
});

describe('a file that does not come', () => {
  test('goes on in the next invocation, alone; one that all the time does not suffice for could not be told', async () => {
    await using proxy = await FaultProxy.start(bed.b, {
      datanodes: true,
      react: ({ operation, path, to }) =>
        operation === 'OPEN' && to === 'datanode' && path.endsWith('/f7') ? 'hang' : undefined,
    });
    const deployment = await newDeployment(proxy.url);
    const { job } = await planAll(deployment, asked({ verify: { level: 'read-back' } }));
    const batches = await batchesOf(deployment, job);
    const answers = (await Promise.all(batches.map((batch) => copyAll(deployment, job, batch, 8000)))).flat();
    expect(answers.length).toBeGreaterThan(batches.length);
    const { status } = await finished(deployment, job);
    expect(status).toMatchObject({
      'Files Compared': 12,
      Verification: { outcome: 'unknown', unknown: 1, different: { content: 3 }, proved: { 'read-back': 8 } },
    });
    const [unknown] = (await reportOf(deployment, job)).filter(({ type }) => type === 'unknown');
    expect(unknown).toMatchObject({
      source: `${pair.root}/tree/d1/f7`,
      reason: expect.stringMatching(
        /1007 bytes were not compared within one invocation of 8 s .*from a machine/,
      ) as string,
    });
  });

  test('because whoever compares it dies each time could not be told', async () => {
    const deployment = await newDeployment();
    const { job } = await planAll(deployment, asked());
    const [batch] = await batchesOf(deployment, job);
    const { store } = deployment.services();
    const table = (store as unknown as { table: { put(item: object): { Put: { TableName: string } } } }).table;
    const { TableName } = table.put({}).Put;
    const Item = {
      pk: `${deathRecord.jobPrefix}${job}`,
      sk: `${deathRecord.sortPrefix}${batch?.batch}`,
      error: 'Died',
    };
    await clients.documents.send(new PutCommand({ TableName, Item }));
    for (const other of (await batchesOf(deployment, job)).slice(1)) await copyAll(deployment, job, other, 60_000);
    const { status } = await finished(deployment, job);
    const units = batch?.units.length ?? 0;
    expect(status).toMatchObject({ 'Files Compared': 12, Verification: { outcome: 'unknown', unknown: units } });
    const unknown = (await reportOf(deployment, job)).filter(({ type }) => type === 'unknown');
    expect(unknown).toHaveLength(units);
    expect(String(unknown[0]?.['reason'])).toMatch(/its copier died each time it was tried: Died/);
  });
});

test('quotas of directories are compared by who can only look', async () => {
  const { a, root } = pair;
  await a.call('PUT', 'SETQUOTA', `${root}/tree/d1`, { namespacequota: '50' });
  const deployment = await newDeployment();
  const { job } = await planAll(deployment, asked({ options: { attributes: ['quota'] } }));
  for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
  await finished(deployment, job);
  const drift = (await reportOf(deployment, job)).filter(({ type }) => type === 'attributes');
  expect(drift).toMatchObject([{ source: `${root}/tree/d1`, attributes: { quota: ['names 50', 'names none'] } }]);
});

test('one that two end is ended once: whoever finds it ended says so when it is called again', async () => {
  const deployment = await newDeployment();
  const { job } = await planAll(deployment, asked());
  for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
  const services = deployment.services();
  const endFinish = services.store.endFinish.bind(services.store);
  services.store.endFinish = async (...ending) => {
    await finished(deployment, job);
    await endFinish(...ending);
  };
  expect(await finishStep(job, services, 'late', long(), signal)).toEqual({ done: false });
  const again = await finished(deployment, job);
  expect(again).toMatchObject({ outcome: 'TreesDiffer', invocations: 1 });
  expect(JSON.parse(again.cause ?? '')).toMatchObject({ next: `hdfs-fanout status ${job} --report FILE` });
});

test('a verification and a job that copies to the same place do not keep each other out', async () => {
  const deployment = await newDeployment();
  const copying = {
    source: `A:${pair.root}/tree`,
    destination: `B:${pair.root}/tree`,
    options: { mapping: 'exact', force: true },
  };
  const first = await planAll(deployment, asked());
  expect(await planAll(deployment, copying)).toMatchObject({ done: true });
  expect(await planAll(deployment, asked())).toMatchObject({ done: true });
  // Nor does the end of one let in a third that copies.
  for (const batch of await batchesOf(deployment, first.job)) await copyAll(deployment, first.job, batch, 60_000);
  await finished(deployment, first.job);
  await expect(planAll(deployment, copying)).rejects.toMatchObject({ name: 'DestinationBusyError' });
});

test('stopped in the middle it is closed, sweeps nothing, is not taken up again, and tells nothing as though it were whole', async () => {
  await using proxy = await FaultProxy.start(bed.b);
  const deployment = await newDeployment(proxy.url);
  const { job, execution } = await planAll(deployment, asked());
  deployment.running.delete(execution);
  const closed = await closeStep({ execution, reason: 'stopped' }, deployment.services(), long(), signal);
  expect(closed).toMatchObject({ closed: true, status: { Outcome: 'Failed', Error: 'stopped' } });
  expect(JSON.parse(closed.cause ?? '')).toMatchObject({ next: 'start it anew' });
  expect(await deployment.services().active.list()).toEqual([]);
  const [batch] = await batchesOf(deployment, job);
  if (!batch) throw new Error('no batch');
  const late = copyStep({ job, batch }, deployment.services(), limits.transfers, 'late', long());
  await expect(late).rejects.toMatchObject({ name: 'JobClosedError' });
  await expect(planAll(deployment, { retry: job })).rejects.toMatchObject({
    name: 'SpecError',
    message: expect.stringContaining('start it anew') as string,
  });
  const cleaned = await planAll(deployment, { clean: job });
  expect(cleaned).toMatchObject({ cleaned: true });
  const changing = proxy.requests.filter(({ operation }) => /DELETE|RENAME|CREATE|MKDIRS|CONCAT|SET/.test(operation));
  expect(changing).toEqual([]);
});
