import { randomUUID } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { planStep } from '../../shared/aws/plan-step.ts';
import { Deadline } from '../../shared/deadline.ts';
import { never } from '../support/files.ts';
import { inTrash } from '../support/mirror.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';
import { batchesOf, copyAll, limits, long, planAll } from './step-calls.ts';
import { clientsOf } from './support.ts';
import { newTestDeployment } from './test-deployment.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'aws-deletes');
});

test(
  'a mirror deletes at its end what the source has not, and no more than it may',
  async () => {
    const { a, b, root } = pair;
    const [source, mirror] = [`${root}/tree`, `${root}/mirror`];
    for (const file of ['a', 'both/b', 'new']) await a.put(`${source}/${file}`, file);
    for (const file of ['a', 'both/b', 'both/extra', 'whole/1', 'whole/2']) await b.put(`${mirror}/${file}`, file);
    const flags = ['--wait', '--exact', '--delete', '--max-delete', '2'];
    const braked = await cloud.run('start', ...flags, `A:${source}`, `B:${mirror}`);
    expect(braked.code, braked.stderr).toBe(3);
    expect(braked.stderr).toContain("3 of the destination's 6 files would be deleted, more than the limit of 2");
    expect(braked.status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': 2, 'Files Deleted': 0 });
    const again = await cloud.run('retry', braked.status.Job, '--wait', '--max-delete', '50%');
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 3, 'Size Deleted': 24 });
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
    expect(Object.keys(await b.tree(inTrash(mirror)))).toEqual([
      '/both/',
      '/both/extra',
      '/whole/',
      '/whole/1',
      '/whole/2',
    ]);
  },
  5 * MINUTES,
);

describe('files that take the place of directories, and the other way round,', () => {
  const OLD = ['directory', 'file/1', 'file/deep/2'];
  const NEW = ['directory/3', 'directory/deep/4', 'file'];

  async function trees(name: string) {
    const { a, b, root } = pair;
    const [source, mirror] = [`${root}/${name}`, `${root}/${name}-mirror`];
    for (const file of ['kept', ...NEW]) await a.put(`${source}/${file}`, file);
    for (const file of ['kept', ...OLD]) await b.put(`${mirror}/${file}`, file);
    await a.mkdirs(`${source}/directory/hollow`);
    return { source, mirror };
  }

  const told = {
    'Files Expected': 1 + NEW.length,
    'Files Copied': NEW.length,
    'Files Skipped': 1,
    'Files Failed': 0,
    'Files Deleted': OLD.length,
  };

  test(
    'are deleted at the end of the first pass, and copied in a second',
    async () => {
      const { a, b } = pair;
      const { source, mirror } = await trees('types');
      const flags = ['--wait', '--exact', '--delete', '--max-delete'];
      const braked = await cloud.run('start', ...flags, '1', `A:${source}`, `B:${mirror}`);
      expect(braked.code, braked.stderr).toBe(3);
      expect(braked.status).toMatchObject({ 'Files Copied': 0, 'Files Deleted': 0 });
      const again = await cloud.run('retry', braked.status.Job, '--wait', '--max-delete', '100%');
      expect(again.code, again.stderr).toBe(0);
      expect(again.status).toMatchObject({ Outcome: 'Successful', ...told });
      expect(await b.tree(mirror)).toEqual(await a.tree(source));
      const once = await trees('types-once');
      const started = await cloud.run('start', ...flags, '100%', `A:${once.source}`, `B:${once.mirror}`);
      expect(started.code, started.stderr).toBe(0);
      expect(started.status).toMatchObject({ Outcome: 'Successful', ...told });
      expect(await b.tree(once.mirror)).toEqual(await a.tree(once.source));
    },
    5 * MINUTES,
  );

  test('are counted once over invocations that have time for one step, and where one is called again', async () => {
    const { a, b } = pair;
    const { source, mirror } = await trees('types-steps');
    const deployment = await newTestDeployment(clientsOf(inject('aws')), { A: { url: bed.a }, B: { url: bed.b } });
    const options = { mapping: 'exact', delete: true, maxDelete: '100%' };
    const input = { source: `A:${source}`, destination: `B:${mirror}`, options };
    const short = () => new Deadline(0);
    const { job, execution, invocations } = await planAll(deployment, input, short);
    expect(invocations).toBeGreaterThan(3);
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 30_000);
    const finishAll = async () => {
      for (let calls = 0; calls < 200; calls++) {
        // It may end the step that it has begun, and begins no other.
        const deadline = Object.assign(long(), { isNear: () => true });
        const answer = await finishStep(job, deployment.services(), randomUUID(), deadline, never);
        if (answer.done) return answer;
      }
      throw new Error('it does not come to an end');
    };
    expect(await finishAll()).toMatchObject({ done: true, outcome: 'SecondPass' });
    expect(Object.keys(await b.tree(mirror))).toEqual(['/kept']);
    const planAgain = async (deadline: () => Deadline) => {
      const request = { execution, startTime: new Date().toISOString(), input };
      for (let calls = 0; calls < 200; calls++) {
        const answer = await planStep(request, deployment.services(), limits, deadline(), never);
        if (answer.done) return answer;
      }
      throw new Error('it does not come to an end');
    };
    const { store, manifests } = deployment.services();
    const first = await store.get(job);
    const planned = await planAgain(short);
    expect(planned.batches).toBeGreaterThan(0);
    // The planner was killed before it could say that it had come to its end.
    await store.update(job, {
      phase: 'planning',
      expectedFiles: first?.expectedFiles ?? 0,
      typeChanges: first?.typeChanges,
    });
    expect(await planAgain(long)).toEqual(planned);
    for await (const batch of manifests.read(`${job}.second`)) await copyAll(deployment, job, batch, 30_000);
    const ended = await finishAll();
    expect(ended).toMatchObject({ outcome: 'Successful', status: told });
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
  });

  test('are copied by a retry where a copier of the second pass has failed', async () => {
    const { a, b } = pair;
    const { source, mirror } = await trees('types-retry');
    const deployment = await newTestDeployment(clientsOf(inject('aws')), { A: { url: bed.a }, B: { url: bed.b } });
    const options = { mapping: 'exact', delete: true, maxDelete: '100%' };
    const input = { source: `A:${source}`, destination: `B:${mirror}`, options };
    const { job, execution } = await planAll(deployment, input);
    for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 30_000);
    const finish = () => finishStep(job, deployment.services(), randomUUID(), long(), never);
    expect(await finish()).toMatchObject({ done: true, outcome: 'SecondPass' });
    const request = { execution, startTime: new Date().toISOString(), input };
    await planStep(request, deployment.services(), limits, long(), never);
    // No batch of it was copied.
    await expect(finish()).rejects.toThrow('the job does not add up');
    deployment.running.delete(execution);
    const retried = await planAll(deployment, { retry: job });
    expect(retried.batches).toBeGreaterThan(0);
    for await (const batch of deployment.services().manifests.read(`${job}.retry`))
      await copyAll(deployment, job, batch, 30_000);
    expect(await finish()).toMatchObject({ outcome: 'Successful', status: told });
    expect(await b.tree(mirror)).toEqual(await a.tree(source));
  });
});

describe('the lists of a job in the bucket', () => {
  const clients = clientsOf(inject('aws'));

  async function scene() {
    const deployment = await newTestDeployment(clients, { A: { url: bed.a }, B: { url: bed.b } });
    const { bucket: Bucket } = deployment.services().manifests;
    const copied = async (input: object) => {
      const planned = await planAll(deployment, input);
      for (const batch of await batchesOf(deployment, planned.job))
        await copyAll(deployment, planned.job, batch, 30_000);
      return planned;
    };
    const finish = (job: string, deadline: Deadline) =>
      finishStep(job, deployment.services(), randomUUID(), deadline, never);
    const left = async () => {
      const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'manifests/' }));
      const { Uploads = [] } = await clients.s3.send(new ListMultipartUploadsCommand({ Bucket }));
      return [...Contents, ...Uploads].map(({ Key = '' }) => Key.replace(/^manifests\/[^.]*/, ''));
    };
    return { deployment, Bucket, copied, finish, left };
  }

  test('of deletions go when it was successful, and when it is cleaned also those that were begun', async () => {
    const { a, b, root } = pair;
    for (let i = 0; i < 8; i++) await a.put(`${root}/lists/d${i}/file`, 'file');
    for (let i = 0; i < 8; i++) await b.put(`${root}/listed/d${i}/extra`, 'extra');
    const options = { mapping: 'exact', delete: true, maxDelete: '100%' };
    const input = { source: `A:${root}/lists`, destination: `B:${root}/listed`, options };
    const { deployment, copied, finish, left } = await scene();
    const stopped = await copied(input);
    for (let calls = 0; !(await left()).includes('.deletes.checkpoint.json'); calls++) {
      if (calls > 50) throw new Error('no list was left unfinished');
      expect(await finish(stopped.job, new Deadline(0))).toEqual({ done: false });
    }
    expect((await left()).sort()).toEqual(['.deletes.checkpoint.json', '.deletes.jsonl', '.jsonl']);
    deployment.running.delete(stopped.execution);
    const execution = deployment.executionOf(`clean-${randomUUID()}`);
    const request = { execution, startTime: new Date().toISOString(), input: { clean: stopped.job } };
    expect(await planStep(request, deployment.services(), limits, long(), never)).toMatchObject({ done: true });
    expect(await left()).toEqual([]);
    const { job } = await copied(input);
    expect(await finish(job, long())).toMatchObject({ done: true, outcome: 'Successful' });
    expect(await left()).toEqual(['.jsonl']);
    expect(Object.keys(await b.tree(`${root}/listed`)).filter((path) => path.endsWith('extra'))).toEqual([]);
  });

  test('of files go when it was successful, and stay while it may be retried', async () => {
    const { a, root } = pair;
    await a.put(`${root}/named/file`, 'file');
    const { Bucket, copied, finish, left } = await scene();
    const run = async (name: string, Body: string) => {
      await clients.s3.send(new PutObjectCommand({ Bucket, Key: `lists/${name}`, Body }));
      const options = { mapping: 'exact', filesFrom: `s3://${Bucket}/lists/${name}` };
      const { job } = await copied({ source: `A:${root}/named`, destination: `B:${root}/${name}`, options });
      return finish(job, long());
    };
    expect(await run('whole', 'file\n')).toMatchObject({ outcome: 'Successful' });
    expect(await left()).toEqual(['.jsonl']);
    expect(await run('partly', 'file\nnone\n')).toMatchObject({ outcome: 'Failed' });
    expect((await left()).sort()).toEqual(['.jsonl', '.jsonl', '.list']);
  });
});
