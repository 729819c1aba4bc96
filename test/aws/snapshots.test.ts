import { randomUUID } from 'node:crypto';
import { beforeAll, expect, inject, test } from 'vitest';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { Deadline } from '../../shared/deadline.ts';
import { jobStatus } from '../../shared/job/job-status.ts';
import { never } from '../support/files.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { batchesOf, copyAll, long, planAll } from './step-calls.ts';
import { clientsOf } from './support.ts';
import { newTestDeployment } from './test-deployment.ts';

const bed = inject('bed');
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'aws-snapshots');
});

test(
  'a second job looks at what has changed since the first one, over as many invocations as there are names',
  async () => {
    const { a, b, root } = pair;
    const [source, mirror] = [`${root}/tree`, `${root}/mirror`];
    for (const file of ['a/1', 'a/2', 'b/3', 'c']) await a.put(`${source}/${file}`, file);
    await a.call('PUT', 'ALLOWSNAPSHOT', source);
    const deployment = await newTestDeployment(clientsOf(inject('aws')), { A: { url: bed.a }, B: { url: bed.b } });
    const options = { mapping: 'exact', snapshot: true, preserve: true, delete: true, existing: 'update' };
    const run = async (deadline: () => Deadline) => {
      const { job, invocations } = await planAll(
        deployment,
        { source: `A:${source}`, destination: `B:${mirror}`, options },
        deadline,
      );
      for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 30_000);
      const finish = (until: Deadline) => finishStep(job, deployment.services(), randomUUID(), until, never);
      // A deletion needs time: the last invocation has it.
      let { done } = await finish(deadline());
      for (let calls = 1; calls < 10 && !done; calls++) ({ done } = await finish(deadline()));
      if (!done) await finish(long());
      const { store } = deployment.services();
      const ended = await store.get(job);
      if (!ended) throw new Error(`there is no job ${job}`);
      return { job, invocations, status: jobStatus(ended, await store.counters(job)) };
    };
    const first = await run(long);
    expect(first.status).toMatchObject({ Outcome: 'Successful', 'Entries Looked At': 6, 'Files Copied': 4 });
    await a.put(`${source}/a/1`, 'rewritten', { overwrite: 'true' });
    await a.put(`${source}/a/new/4`, '4');
    await a.remove(`${source}/b`);
    await b.remove(`${mirror}/a`);
    const second = await run(() => new Deadline(0));
    expect(second.invocations).toBeGreaterThan(3);
    expect(second.status).toMatchObject({
      Outcome: 'Successful',
      'Snapshot Base': `hdfs-fanout-${first.job}`,
      // a, a/1, a/2, a/new, a/new/4: all of what somebody has removed.
      'Entries Looked At': 5,
      'Files Copied': 3,
      'Files Deleted': 1,
    });
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
    const left = await a.list(`${source}/.snapshot`);
    expect(left.map(({ pathSuffix }) => pathSuffix)).toEqual([`hdfs-fanout-${second.job}`]);
    const move = (from: string, to: string) =>
      a.call('PUT', 'RENAME', `${source}/${from}`, { destination: `${source}/${to}` });
    await move('a', 'moved');
    await move('moved/new', 'new');
    await a.mkdirs(`${source}/made`);
    await move('c', 'made/c');
    const third = await run(() => new Deadline(0));
    expect(third.status).toMatchObject({ Outcome: 'Successful', 'Entries Renamed': 3, 'Files Copied': 0 });
    expect(third.status['Files Deleted']).toBe(0);
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
  },
  5 * MINUTES,
);
