import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { runCli, startCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TestKerberos } from '../support/kerberos.ts';
import { writeConf } from '../support/two-clusters.ts';

/** Of cluster T: tokens are to be renewed within 6 s and live for 16 s at most. */
const RENEW_MS = 6000;
const MAX_MS = 16_000;
/** What a slow source takes for each file. */
const FILE_MS = 1000;

let short: Cluster;
let plain: Cluster;
let a: TestHdfs;
let kerberos: TestKerberos;

beforeAll(async () => {
  [short, plain] = await Promise.all([sharedCluster('T'), sharedCluster('A')]);
  a = new TestHdfs(plain.namenodeUrl);
  kerberos = new TestKerberos(short);
}, 300_000);

const slow = () =>
  FaultProxy.start(plain.namenodeUrl, {
    react: async ({ operation, to }) => {
      if (operation === 'OPEN' && to === 'namenode') await sleep(FILE_MS);
      return undefined;
    },
  });

const conf = (faultProxy: FaultProxy) =>
  writeConf(
    JSON.stringify({
      clusters: [
        { ...definitionOf(plain), nameservices: [{ urls: [faultProxy.url], mounts: ['/'] }] },
        { ...definitionOf(short), auth_mechanism: 'TKN_GSSAPI' },
      ],
    }),
  );

const logFile = () => join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-log-')), 'log');

test('a job that outlives both the renewal and the lifetime of its tokens is successful', async () => {
  const files = 30;
  for (let i = 0; i < files; i++) await a.put(`/token-life/${i}`, `file ${i}`);
  await using faultProxy = await slow();
  const log = logFile();
  const startedAtMs = performance.now();
  const { code, status, stderr } = await runCli(
    ['copy', '--silent', '--threads', '1', '--log-file', log, 'A:/token-life', 'T:/token-life'],
    { conf: conf(faultProxy) },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(performance.now() - startedAtMs).toBeGreaterThan(MAX_MS + 2 * RENEW_MS);
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': files, Retries: 0 });
  const copied = await kerberos.client();
  expect(await copied.tree('/token-life')).toEqual(await a.tree('/token-life'));
  // In time: no request was refused for its token.
  expect(readFileSync(log, 'utf8')).not.toContain('no longer accepted');
});

test('a token that died while the process slept is replaced, and what was refused is done again', async () => {
  for (let i = 0; i < 12; i++) await a.put(`/token-death/${i}`, `file ${i}`);
  await using faultProxy = await slow();
  const { child, ended } = startCli(['copy', '--silent', '--threads', '2', 'A:/token-death', 'T:/token-death'], {
    conf: conf(faultProxy),
  });
  while (faultProxy.count('OPEN') < 4) await sleep(50);
  child.kill('SIGSTOP');
  await sleep(RENEW_MS + 3000);
  child.kill('SIGCONT');
  const { code, stderr, status } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 12 });
  const copied = await kerberos.client();
  expect(await copied.tree('/token-death')).toEqual(await a.tree('/token-death'));
});
