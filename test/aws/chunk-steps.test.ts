import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { closeStep } from '../../shared/aws/close-step.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { planStep } from '../../shared/aws/plan-step.ts';
import { Deadline } from '../../shared/deadline.ts';
import { allOf, never } from '../support/files.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';
import { clientsOf } from './support.ts';
import { batchesOf, copyAll, limits, long, planAll } from './step-calls.ts';
import { newTestDeployment, type TestDeployment } from './test-deployment.ts';

/** The end of a job with a file in chunks, its steps called as the state machine does, on real clusters. */

const bed = inject('bed');
const clients = clientsOf(inject('aws'));
const MIB = 1024 * 1024;
const LENGTH = 21 * MIB + 77;
const options = { mapping: 'exact', splitAbove: 4 * MIB, chunkSize: 4 * MIB };
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'chunk-steps');
});

/** A job of a long file and a short one whose batches were all copied. */
async function copied(name: string, react: (request: FaultProxyRequest) => Reaction | undefined | Promise<undefined>) {
  await pair.a.put(`${pair.root}/${name}/long`, content(name, LENGTH));
  await pair.a.put(`${pair.root}/${name}/short`, 'short');
  const proxy = await FaultProxy.start(bed.b, { react });
  const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: proxy.url } });
  const ends = { source: `A:${pair.root}/${name}`, destination: `B:${pair.root}/${name}` };
  const { job, execution } = await planAll(deployment, { ...ends, options });
  for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
  return {
    deployment,
    job,
    execution,
    finish: (owner: string, deadline = long()) => finishStep(job, deployment.services(), owner, deadline, never),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

async function expectWhole(name: string): Promise<void> {
  expect(await pair.b.tree(`${pair.root}/${name}`)).toEqual(await pair.a.tree(`${pair.root}/${name}`));
}

const isJoin = ({ operation, path }: FaultProxyRequest) => operation === 'CONCAT' && !path.includes('probe');
const isPromotion = ({ operation, query }: FaultProxyRequest) =>
  operation === 'RENAME' && new URLSearchParams(query).get('destination')?.endsWith('/long') === true;

describe('two finishes at once', () => {
  test.each([
    { moment: 'before it joins', of: isJoin },
    { moment: 'before it promotes', of: isPromotion },
  ])('end the job once, the file whole: one that was given up for dead wakes $moment', async ({ moment, of }) => {
    const name = moment.replaceAll(' ', '-');
    const asleep = Promise.withResolvers<undefined>();
    const awake = Promise.withResolvers<undefined>();
    let seen = 0;
    await using one = await copied(name, async (request) => {
      if (!of(request) || seen++ > 0) return undefined;
      asleep.resolve(undefined);
      await awake.promise;
      return undefined;
    });
    const zombie = one.finish('zombie').catch((error: unknown) => error);
    await asleep.promise;
    const ended = await one.finish('other');
    awake.resolve(undefined);
    expect(ended).toMatchObject({ done: true, outcome: 'Successful' });
    expect(ended.status).toMatchObject({ 'Files Copied': 2, 'Size Copied': LENGTH + 5, 'Files Failed': 0 });
    await zombie;
    await expectWhole(name);
  });

  test('come to the job’s end whichever of them takes the file', async () => {
    await using one = await copied('both', () => undefined);
    const answers = await Promise.all(['one', 'other'].map((owner) => one.finish(owner).catch(() => undefined)));
    let ended = answers.find((answer) => answer?.done);
    while (!ended?.done) ended = await one.finish(randomUUID());
    expect(ended).toMatchObject({ outcome: 'Successful', status: { 'Files Copied': 2, 'Files Failed': 0 } });
    await expectWhole('both');
  });
});

test('a finish whose time is over while it puts a file together goes on in the next invocation', async () => {
  let isSlow = true;
  await using one = await copied('late', (request) => (isSlow && isJoin(request) ? 'hang' : undefined));
  expect(await one.finish('first', new Deadline(2000))).toEqual({ done: false });
  isSlow = false;
  expect(await one.finish('second')).toMatchObject({ done: true, outcome: 'Successful' });
  await expectWhole('late');
});

describe('a job whose file could not be put together', () => {
  const body = JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'no' } });
  const invalid = JSON.stringify({ RemoteException: { exception: 'HadoopIllegalArgumentException', message: 'no' } });

  async function failed(name: string, refusal: string) {
    let isRefused = true;
    const one = await copied(name, (request) =>
      isRefused && isJoin(request) ? { answer: { status: 403, body: refusal } } : undefined,
    );
    expect(await one.finish('first')).toMatchObject({ done: true, outcome: 'Failed', status: { 'Files Failed': 1 } });
    one.deployment.running.delete(one.execution);
    isRefused = false;
    return one;
  }

  /** The lines that a retry hands to copiers. */
  async function retried(deployment: TestDeployment, job: string) {
    const again = await planAll(deployment, { retry: job });
    if (again.batches === 0) return [];
    const lines = await allOf(deployment.services().manifests.read(`${job}.retry`));
    for (const line of lines) await copyAll(deployment, job, line, 60_000);
    return lines;
  }

  test('is retried by its finish alone: no copier is called', async () => {
    await using one = await failed('denied', body);
    expect(await retried(one.deployment, one.job)).toEqual([]);
    expect(await one.finish('second')).toMatchObject({ done: true, outcome: 'Successful' });
    await expectWhole('denied');
  });

  test('for good is retried by one copier, and those of its chunks are not called', async () => {
    await using one = await failed('invalid', invalid);
    expect(await retried(one.deployment, one.job)).toHaveLength(1);
    expect(await one.finish('second')).toMatchObject({ done: true, outcome: 'Successful' });
    await expectWhole('invalid');
  });

  test('is cleaned in as many invocations as it takes, and not retried any more', async () => {
    await using one = await failed('cleaned', body);
    const { deployment, job } = one;
    expect(temporaryNames(await pair.b.tree(`${pair.root}/cleaned`))).toHaveLength(6);
    const execution = deployment.executionOf(`clean-${randomUUID()}`);
    deployment.running.add(execution);
    const request = { execution, startTime: new Date().toISOString(), input: { clean: job } };
    const clean = (deadline: Deadline) => planStep(request, deployment.services(), limits, deadline, never);
    let invocations = 1;
    while (!(await clean(new Deadline(0))).done) invocations += 1;
    expect(invocations).toBeGreaterThan(1);
    deployment.running.delete(execution);
    expect(temporaryNames(await pair.b.tree(`${pair.root}/cleaned`))).toEqual([]);
    expect(await deployment.services().active.list()).toEqual([]);
    await expect(planAll(deployment, { retry: job })).rejects.toMatchObject({
      name: 'SpecError',
      message: expect.stringContaining('was cleaned') as string,
    });
  });

  test('is not cleaned while it is at work', async () => {
    await using one = await copied('working', () => undefined);
    const request = { execution: 'other', startTime: new Date().toISOString(), input: { clean: one.job } };
    await expect(planStep(request, one.deployment.services(), limits, long(), never)).rejects.toMatchObject({
      name: 'SpecError',
      message: expect.stringContaining('still running') as string,
    });
  });

  test('and whose cleaning died is closed, and cleaned by the next', async () => {
    await using one = await failed('died', body);
    const { deployment, job } = one;
    const requestOf = (execution: string) => ({
      execution,
      startTime: new Date().toISOString(),
      input: { clean: job },
    });
    const [dead, next] = [deployment.executionOf(randomUUID()), deployment.executionOf(randomUUID())];
    expect((await planStep(requestOf(dead), deployment.services(), limits, new Deadline(0), never)).done).toBe(false);
    expect(await closeStep({ execution: dead, reason: 'stopped' }, deployment.services(), long(), never)).toMatchObject(
      {
        closed: true,
      },
    );
    expect((await planStep(requestOf(next), deployment.services(), limits, long(), never)).done).toBe(true);
    expect(temporaryNames(await pair.b.tree(`${pair.root}/died`))).toEqual([]);
    const once = deployment.executionOf(randomUUID());
    expect((await planStep(requestOf(once), deployment.services(), limits, long(), never)).done).toBe(true);
  });
});
