import { randomBytes } from 'node:crypto';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, inject, test } from 'vitest';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { FaultProxy } from '../support/fault-proxy.ts';
import { watchProcesses } from '../support/leaks.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

/** A token that was pushed is in the credential's secret, encrypted in the job store while its job is at work, and nowhere else. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));

test('a token is in no history, output, log, manifest, table, template or process list', async () => {
  const pair = await TwoClusters.make(bed, 'token');
  // An insecure namenode looks at no token; that it was sent is seen by a fault proxy.
  const token = `HgAEcm9vdARyb290AIoBm${randomBytes(24).toString('hex')}`;
  for (let i = 0; i < 10; i++) await pair.a.put(`/token/tree/f${i}`, content(`${i}`, 1000));
  const queries: string[] = [];
  await using faultProxy = await FaultProxy.start(bed.a, {
    react: ({ operation, query }) => {
      queries.push(query);
      // An error on the way, which is logged and told.
      return operation === 'OPEN' && queries.filter((one) => one.includes('op=OPEN')).length === 2
        ? { answer: { status: 500, body: `<html>gateway error for delegation=${token}</html>` } }
        : undefined;
    },
  });
  await cloud.push({ token: { url: faultProxy.url, auth_mechanism: 'TOKEN', token } });
  const following = cloud.begin('start', '--wait', 'token:/token/tree', 'B:/token/copy');
  const stopWatching = watchProcesses();
  let atWork = '';
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted && !atWork.includes('TOKEN#token')) atWork = await table();
  })();
  const { code, stdout, stderr, status } = await following.ended;
  const processes = stopWatching();
  over.abort();
  await looking;
  expect(code, stderr).toBe(0);
  expect(status['Files Copied']).toBe(10);
  expect(queries.filter((query) => query.includes(token)).length).toBeGreaterThan(10);
  const places: Record<string, string> = {
    'the command’s output': stdout + stderr,
    'the process list': processes,
    'the table while the job is at work': atWork,
    'the table and the history': await cloud.everything(status.Job),
    'the manifests': await objects(),
    'the logs': await logs(),
    'the template': await template(),
  };
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(100);
    expect(text.includes(token), place).toBe(false);
    expect(text.includes(Buffer.from(token).toString('base64').slice(0, 40)), place).toBe(false);
  }
  expect(atWork).toContain('TOKEN#token');
  expect(places['the table and the history']).not.toContain('TOKEN#token');
  expect(places['the logs']).toContain('trying again');
});

async function table(): Promise<string> {
  const command = new ScanCommand({ TableName: cloud.output('TableName') });
  const { Items = [] } = await cloud.clients.documents.send(command);
  return JSON.stringify(Items);
}

async function template(): Promise<string> {
  const command = new GetTemplateCommand({ StackName: cloud.aws.stack });
  return (await cloud.clients.cloudFormation.send(command)).TemplateBody ?? '';
}

async function objects(): Promise<string> {
  const Bucket = cloud.output('BucketName');
  const { Contents = [] } = await cloud.clients.s3.send(new ListObjectsV2Command({ Bucket }));
  const texts = Contents.map(async ({ Key }) => {
    const { Body } = await cloud.clients.s3.send(new GetObjectCommand({ Bucket, Key }));
    return Body?.transformToString();
  });
  return (await Promise.all(texts)).join('\n');
}

async function logs(): Promise<string> {
  const { logGroups = [] } = await cloud.clients.logs.send(new DescribeLogGroupsCommand({}));
  const texts = logGroups.map(async ({ logGroupName }) => {
    const { events = [] } = await cloud.clients.logs.send(new FilterLogEventsCommand({ logGroupName }));
    return events.map(({ message }) => message).join('\n');
  });
  return (await Promise.all(texts)).join('\n');
}
