import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { copyStep } from '../../shared/aws/copy-step.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { planStep } from '../../shared/aws/plan-step.ts';
import type { Left } from '../../shared/copy/copier.ts';
import { Deadline } from '../../shared/deadline.ts';
import { allOf } from '../support/files.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { varied } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';
import { clientsOf } from './support.ts';
import { newTestDeployment } from './test-deployment.ts';

/** A file that takes many invocations of a copier, which ends each before its time is over. */

const bed = inject('bed');
const clients = clientsOf(inject('aws'));
const { signal } = new AbortController();
const MIB = 1024 * 1024;
const PART = 4 * MIB;
const PARTS = 24;
const LENGTH = (PARTS - 1) * PART + 77;
const limits = { transfers: 4, copiers: 2 };

async function planned(name: string, options: object, react: (request: FaultProxyRequest) => Reaction | undefined) {
  const pair = await TwoClusters.make(bed, `aws-parts-${name}`);
  await pair.a.put(`${pair.root}/in/long`, varied(name, LENGTH));
  const source = await FaultProxy.start(bed.a, { datanodes: true, react });
  const deployment = await newTestDeployment(clients, { A: { url: source.url }, B: { url: bed.b } });
  const input = {
    source: `A:${pair.root}/in`,
    destination: `B:${pair.root}/out`,
    options: { chunkSize: PART, ...options },
  };
  const execution = deployment.executionOf(`job-${randomUUID()}`);
  deployment.running.add(execution);
  const request = { execution, startTime: new Date().toISOString(), input };
  const answer = await planStep(request, deployment.services(), limits, new Deadline(60_000), signal);
  if (!answer.done) throw new Error('it was to be planned at once');
  const { job } = answer;
  const [batch] = await allOf(deployment.services().manifests.read(job));
  if (!batch) throw new Error('there is no batch');
  const copy = (lastsMs: number, before: Left | undefined) =>
    copyStep(
      { job, batch, ...(before ? { progress: before } : {}) },
      deployment.services(lastsMs + 1000),
      limits.transfers,
      randomUUID(),
      new Deadline(lastsMs),
    );
  return {
    ...{ pair, source, deployment, job, copy },
    counters: async () => Object.fromEntries(await deployment.services().store.counters(job)),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** Where what was read of the file begins. */
function offsetsIn({ requests }: FaultProxy): number[] {
  const opened = requests.filter(
    ({ operation, to, path }) => operation === 'OPEN' && to === 'datanode' && path.endsWith('/in/long'),
  );
  return opened.map(({ query }) => Number(new URLSearchParams(query).get('offset') ?? 0));
}

test('a file that takes more than five invocations is copied once, and none fails for its time being over', async () => {
  const slow: Reaction = { bytesPerSecond: 4 * MIB };
  await using planning = await planned('slow', {}, ({ operation, to }) =>
    operation === 'OPEN' && to === 'datanode' ? slow : undefined,
  );
  const { pair, source, deployment, job } = planning;
  const answers: Left[] = [];
  while (answers.at(-1)?.left !== 0) {
    answers.push(await planning.copy(6000, answers.at(-1)));
    expect(answers.length).toBeLessThan(40);
  }
  expect(answers.length).toBeGreaterThanOrEqual(5);
  expect(await planning.counters()).toEqual({
    'files.copied': 1,
    'bytes.copied': LENGTH,
    'verified.checksum': 1,
  });
  const offsets = offsetsIn(source);
  expect(new Set(offsets)).toEqual(new Set(Array.from({ length: PARTS }, (_, part) => part * PART)));
  // What an invocation has recorded no other moves again; a part may be cut off at the end of each.
  expect(offsets.length).toBeLessThan(PARTS + answers.length);
  const answer = await finishStep(job, deployment.services(), 'finisher', new Deadline(60_000), signal);
  expect(answer).toMatchObject({ done: true, outcome: 'Successful' });
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});
