import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ActiveJobs } from '../../shared/aws/active-jobs.ts';
import { JobTokens } from '../../shared/aws/job-tokens.ts';
import { outputs } from '../../shared/names.ts';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TestKerberos } from '../support/kerberos.ts';
import { makeOddTree } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';
import { Cloud, lambdaProcesses } from './cloud.ts';

/**
 * Jobs between clusters with Kerberos (TLS, an authority of their own) and one without. The Lambdas are processes of this machine here: they get
 * the addon from the layer that was deployed, by NODE_PATH as on AWS, and libkrb5 from this system.
 */

const cloud = new Cloud(inject('aws'));
const b = new TestHdfs(inject('bed').b);
let K: Cluster;
let kerberos: TestKerberos;
let k: TestHdfs;
let tree: Record<string, string>;

beforeAll(async () => {
  K = await sharedCluster('K');
  kerberos = new TestKerberos(K);
  k = await kerberos.client();
  await push({ auth_mechanism: 'TKN_GSSAPI' });
  await b.mkdirs('/aws');
  await makeOddTree(k, '/aws/odd');
  tree = await k.tree('/aws/odd');
}, 300_000);

async function push(fields: object = {}, cluster = K) {
  const file = writeConf(JSON.stringify({ clusters: [{ ...definitionOf(cluster), ...fields }] }));
  const pushed = await cloud.run('clusters', 'push', file);
  expect(pushed.code, pushed.stderr).toBe(0);
}

/** What of a job's credentials is in the table. */
async function stored(job: string) {
  const { Items = [] } = await cloud.clients.documents.send(
    new QueryCommand({
      TableName: cloud.output(outputs.table),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `JOB#${job}` },
      ConsistentRead: true,
    }),
  );
  return Items.filter(({ sk }) => /^(?:HELD|TOKEN)#/.test(String(sk)));
}

/** The token of a job at work, which only the account's root user reads so. */
async function tokenOf(job: string, cluster: string): Promise<string> {
  const { kms, documents: client } = cloud.clients;
  const tokens = new JobTokens({ kms, key: '', client, table: cloud.output(outputs.table), retentionDays: 1 });
  for (;;) {
    const [held] = await tokens.held(job, cluster);
    if (held) return held.token;
    const { status, cause } = await cloud.described(cloud.executionOf(job));
    if (status !== 'RUNNING') throw new Error(`the job ended, and no token was seen: ${cause ?? ''}`);
    await sleep(50);
  }
}

const withToken = (token: string) =>
  new TestHdfs(K.namenodeUrl, '', { token, ca: readFileSync(K.ca ?? '', 'utf8') }).list('/');

test('a tree with odd names comes from a cluster with Kerberos, copied with tokens only, which are cancelled at the end', async () => {
  const before = kerberos.tokens();
  const job = await cloud.start('--exact', 'K:/aws/odd', 'B:/aws/odd');
  const token = await tokenOf(job, 'K');
  expect(await withToken(token)).not.toEqual([]);
  const ended = await cloud.ended(cloud.executionOf(job));
  expect(ended.status, ended.cause).toBe('SUCCEEDED');
  expect(await b.tree('/aws/odd')).toEqual(tree);
  await expect(withToken(token)).rejects.toThrow(/40[13].*token/is);
  expect(kerberos.tokens()).toEqual({ got: before.got + 1, left: before.left });
  expect(await stored(job)).toEqual([]);
  expect(await cloud.everything(job)).not.toContain(token);
  const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8');
  const layer = /NODE_PATH=[^\0]*layer/i;
  expect(lambdaProcesses('Plan').map((pid) => layer.test(environment(pid)))).toContain(true);
  const copiers = lambdaProcesses('Copy').map((pid) => layer.test(environment(pid)));
  expect(new Set(copiers)).toEqual(new Set([false]));
});

test('and goes to one, also with auth_mechanism GSSAPI', async () => {
  await push({ auth_mechanism: 'GSSAPI' });
  const job = await cloud.start('--exact', 'B:/aws/odd', 'K:/aws/back');
  const ended = await cloud.ended(cloud.executionOf(job));
  expect(ended.status, ended.cause).toBe('SUCCEEDED');
  expect(await k.tree('/aws/back')).toEqual(tree);
  expect(await stored(job)).toEqual([]);
});

describe('the token is cancelled and forgotten', () => {
  test('when the job is stopped, and a retry gets another', async () => {
    for (let i = 0; i < 30; i++) await k.put(`/aws/many/f${i}`, 'x'.repeat(1000));
    // Half a minute's work, so that it is still at work when it is stopped.
    const job = await cloud.start('--exact', '--bandwidth', '1K', 'K:/aws/many', 'B:/aws/many');
    const token = await tokenOf(job, 'K');
    const { code, stderr } = await cloud.run('stop', job);
    expect(code, stderr).toBe(0);
    await cloud.atRest(job);
    await expect(withToken(token)).rejects.toThrow(/token/i);
    expect(await stored(job)).toEqual([]);
    const again = await cloud.run('retry', '--wait', '--bandwidth', 'off', job);
    expect(again.code, again.stderr).toBe(0);
    expect(await b.tree('/aws/many')).toEqual(await k.tree('/aws/many'));
    expect(await stored(job)).toEqual([]);
  });
});

test('a job lives on where a token lives for six seconds, as long as the renewer does', async () => {
  const T = await sharedCluster('T');
  const { documents, lambdas } = cloud.clients;
  const hdfs = new TestKerberos(T);
  const files = 120;
  for (let i = 0; i < files; i += 10) {
    // Its token lives for six seconds as well.
    const client = await hdfs.client();
    await Promise.all(Array.from({ length: 10 }, (_, j) => client.put(`/aws/short/f${i + j}`, `content ${i + j}`)));
  }
  await push({ auth_mechanism: 'TKN_GSSAPI' }, T);
  const { Functions = [] } = await lambdas.send(new ListFunctionsCommand({}));
  const renewer = Functions.find(({ FunctionName = '' }) => FunctionName.includes('Renew'))?.FunctionName;
  const job = await cloud.start('--exact', '--threads', '1', 'T:/aws/short', 'B:/aws/short');
  const rounds: Record<string, number>[] = [];
  while ((await cloud.described(cloud.executionOf(job))).status === 'RUNNING') {
    const { Payload, FunctionError } = await lambdas.send(new InvokeCommand({ FunctionName: renewer, Payload: '{}' }));
    const answer = Buffer.from(Payload ?? []).toString();
    expect(FunctionError, answer).toBeUndefined();
    rounds.push(JSON.parse(answer) as Record<string, number>);
    await sleep(200);
  }
  const { status, cause } = await cloud.described(cloud.executionOf(job));
  expect(status, cause).toBe('SUCCEEDED');
  expect(Object.keys(await b.tree('/aws/short'))).toHaveLength(files);
  // Fifteen minutes lie between two rounds: a token of seconds is replaced in each.
  expect(rounds.reduce((sum, { replaced = 0 }) => sum + replaced, 0)).toBeGreaterThan(1);
  expect(rounds.reduce((sum, { failed = 0 }) => sum + failed, 0)).toBe(0);
  expect(await stored(job)).toEqual([]);
  expect(await new ActiveJobs(documents, cloud.output(outputs.table)).get(job)).toBeUndefined();
});

test('the doctor logs in with the keytab, from inside', async () => {
  await push();
  const { code, stdout } = await cloud.run('doctor', 'K', '/aws', '--read-only');
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/^ok +authentication +\S+ +.*the server sees hdfs/m);
});

test('a user’s own token is used and left alone', async () => {
  const token = await kerberos.token();
  const { name, nameservices, truststore } = definitionOf(K);
  const file = writeConf(
    JSON.stringify({ clusters: [{ name, nameservices, truststore, auth_mechanism: 'TOKEN', token }] }),
  );
  expect((await cloud.run('clusters', 'push', file)).code).toBe(0);
  const { code, stderr } = await cloud.run('start', '--wait', '--exact', 'K:/aws/odd', 'B:/aws/by-token');
  expect(code, stderr).toBe(0);
  expect(await withToken(token)).not.toEqual([]);
  await kerberos.cancel(token);
});

describe('what cannot work is said in one line', () => {
  test('a keytab without a key of the principal', async () => {
    // Not one that this cluster was reached as before: a Lambda that is warm still has its ticket.
    await push({ principal: 'bob@ONE.TEST' });
    const { code, stderr } = await cloud.run('start', '--wait', '--exact', 'K:/aws/odd', 'B:/aws/never');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/cluster K: no Kerberos ticket for HTTP\/localhost as bob@ONE\.TEST.*\(.*keytab/);
    expect(stderr).not.toMatch(/\bat \S+ \(|node:internal/);
  });

  test('a cluster for which the deployment was not made', async () => {
    const file = writeConf(JSON.stringify({ clusters: [{ ...definitionOf(K), name: 'nobody' }] }));
    const { code, stderr } = await cloud.run('clusters', 'push', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cluster nobody uses Kerberos.*clusters\.nobody\.kerberos: true/);
  });

  test('a keytab that is not named', async () => {
    const { keytab: _, ...without } = definitionOf(K);
    const { code, stderr } = await cloud.run(
      'clusters',
      'push',
      writeConf(JSON.stringify({ clusters: [{ ...without, auth_mechanism: 'TKN_GSSAPI' }] })),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/cluster K: keytab: missing/);
  });
});
