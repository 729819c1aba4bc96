import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { planStep } from '../../shared/aws/plan-step.ts';
import type { Services } from '../../shared/aws/services.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { batchesOf, copyAll, limits, long, planAll } from './step-calls.ts';
import { newTestDeployment, type TestDeployment } from './test-deployment.ts';
import { clientsOf } from './support.ts';

/** Plans that wait, and what takes them up, called as the state machine does: killed, twice at once, with half of what is meant. */

const bed = inject('bed');
const clients = clientsOf(inject('aws'));
const { signal } = new AbortController();
let pair: TwoClusters;
let deployment: TestDeployment;

beforeEach(async () => {
  pair = await TwoClusters.make(bed, `kept-plan-${randomUUID()}`);
  for (const name of ['f', 'g']) await pair.a.put(`${pair.root}/tree/${name}`, content(name, 100));
  deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
});

async function waiting() {
  const [source, destination] = [`A:${pair.root}/tree`, `B:${pair.root}/tree`];
  const input = { source, destination, options: { mapping: 'exact', planOnly: true } };
  const planned = await planAll(deployment, input);
  expect(planned).toMatchObject({ planned: true, batches: 0 });
  deployment.running.delete(planned.execution);
  return { ...planned, input };
}

const jobOf = (job: string) => deployment.services().store.get(job);

/** A planner of an execution of its own that takes a job up. */
function takingUp(input: object, services: Services = deployment.services()) {
  const execution = deployment.executionOf(randomUUID());
  deployment.running.add(execution);
  return planStep({ execution, startTime: new Date().toISOString(), input }, services, limits, long(), signal);
}

test('a planner whose answer was lost says again that the plan waits, and asks no cluster for it', async () => {
  const { execution, input, invocations, ...told } = await waiting();
  const services = deployment.services();
  const secrets = { definition: () => Promise.reject(new Error('a cluster was asked')) } as never;
  const request = { execution, startTime: new Date().toISOString(), input };
  expect(await planStep(request, { ...services, secrets }, limits, long(), signal)).toEqual(told);
  expect(invocations).toBe(1);
  expect(await jobOf(told.job)).toMatchObject({ phase: 'planned' });
});

describe('taking up a plan that waits', () => {
  test('for one cause is refused, since nothing has failed, and it waits on', async () => {
    const { job } = await waiting();
    await expect(takingUp({ retry: job, only: 'OPEN: no such cause' })).rejects.toMatchObject({
      name: 'SpecError',
      message: expect.stringContaining('--only') as string,
    });
    expect(await jobOf(job)).toMatchObject({ phase: 'planned' });
    expect(await takingUp({ retry: job })).toMatchObject({ done: true, batches: 1 });
  });

  test('twice at the same moment lets one of them in', async () => {
    const { job } = await waiting();
    const services = deployment.services();
    // As the second one has seen it before the first began.
    services.active.get = () => Promise.resolve(undefined);
    expect(await takingUp({ retry: job })).toMatchObject({ done: true, batches: 1 });
    await expect(takingUp({ retry: job }, services)).rejects.toMatchObject({
      name: 'DestinationBusyError',
      message: expect.stringContaining(`job ${job} is still running`) as string,
    });
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 60_000);
    expect(Object.keys(await pair.b.tree(`${pair.root}/tree`))).toEqual(['/f', '/g']);
  });
});
