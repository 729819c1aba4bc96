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
