import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import pLimit from 'p-limit';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { copyStep } from '../../shared/aws/copy-step.ts';
import { DestinationLock } from '../../shared/aws/destination-lock.ts';
import type { Services } from '../../shared/aws/services.ts';
import { copyBatch } from '../../shared/copy/copier.ts';
import { Progress } from '../../shared/copy/progress.ts';
import { Deadline } from '../../shared/deadline.ts';
import { type Cluster, clusterSchema } from '../../shared/hdfs/cluster.ts';
import { connect } from '../../shared/hdfs/connect.ts';
import { TokenClient } from '../../shared/hdfs/delegation-tokens.ts';
import { endingOf } from '../../shared/job/ending.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import { SqliteJobStore } from '../../shared/machine/sqlite-job-store.ts';
import { environment, errorNames } from '../../shared/names.ts';
import { expandGlob } from '../../shared/plan/glob.ts';
import { newJob } from '../support/outcomes.ts';
import { clientOf, closedPort, remoteException, ScriptedServer } from '../support/scripted-server.ts';

/** Every error that the state machine matches by its name is thrown here by the code that throws it in a Lambda. */

const { signal } = new AbortController();

function clusterAt(url: string, fields: Partial<Cluster>): Cluster {
  return clusterSchema.parse({ name: 'prod', nameservices: [{ urls: [url], mounts: ['/'] }], ...fields });
}

/** A table in which another execution, which still runs, holds a destination. */
function lockedTable(): DynamoDBDocumentClient {
  const holders = [{ job: 'other', execution: 'arn:other', paths: ['/out'] }];
  const Responses = { table: [{ sk: 'http://nn1:9870', version: 1, holders }] };
  return { send: () => Promise.resolve({ Responses }) } as unknown as DynamoDBDocumentClient;
}

async function copyOneThatIsRefused(): Promise<unknown> {
  const spec = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { maxFailures: 0 } });
  const job = newJob({ spec, roots: [{ source: '/in', destination: '/out', kind: 'directory' }], expectedFiles: 1 });
  const store = new SqliteJobStore(':memory:');
  await store.create(job);
  await using storage = clientOf([(await closedPort()).url]);
  const unit = {
    kind: 'file',
    root: 0,
    path: 'file',
    lengthBytes: 1,
    modifiedAtMs: 1,
    blockBytes: 1024,
    decision: 'fail',
    reason: 'refused when it was planned',
    lasting: true,
  } as const;
  const copier = {
    job,
    store,
    source: storage,
    destination: storage,
    owner: 'copier',
    progress: new Progress(),
    log: silentLog,
    signal,
    onOutcome: () => undefined,
    recordEveryMs: 0,
    limit: pLimit(1),
  };
  return await copyBatch(copier, { batch: 0, units: [unit] });
}

async function askWithoutTicket(): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-no-ticket-'));
  const rest = connect(
    clusterAt((await closedPort()).url, {
      auth_mechanism: 'GSSAPI',
      principal: 'alice@NOWHERE.TEST',
      credential_cache: join(directory, 'none'),
      krb5_conf: '[libdefaults]\n  default_realm = NOWHERE.TEST\n  dns_lookup_kdc = false\n',
    }),
    silentLog,
  );
  return rest.once(rest.nameservice('/'), 'GET', 'GETHOMEDIRECTORY', '/', {}, signal);
}

async function failInAwsSdk(): Promise<unknown> {
  for (const name of Object.values(environment)) vi.stubEnv(name, '1');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  const { step } = await import('../../functions/step.ts');
  const busy = Object.assign(new Error('slow down'), { $metadata: { httpStatusCode: 503 } });
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  return step(z.unknown(), () => Promise.reject(busy))({}, context);
}

const throwers: Record<keyof typeof errorNames, () => unknown> = {
  spec: () => parseJobSpec({ source: 'a:/in' }),
  async refused() {
    await using server = await ScriptedServer.start([remoteException('FileNotFoundException', 'no /in', 404)]);
    await using client = clientOf([server.url]);
    return await expandGlob(client, '/in', signal);
  },
  async unavailable() {
    await using client = clientOf([(await closedPort()).url], { retry_timeout: 0 });
    return await client.stat('/in', signal);
  },
  busy: () => {
    const lock = new DestinationLock(lockedTable(), 'table', () => Promise.resolve(false));
    return lock.acquire('mine', 'arn:mine', [{ namespace: 'http://nn1:9870', path: '/out/deeper' }]);
  },
  superseded: () => new SqliteJobStore(':memory:').requireOwner('job', 0, 'a copier that lost its batch'),
  tooManyFailures: copyOneThatIsRefused,
  incomplete: () => endingOf(newJob({ expectedFiles: 2 }), new Map([['files.copied', 1]]), {}),
  closed: () => {
    const services = { store: { get: () => Promise.resolve(undefined) } } as unknown as Services;
    return copyStep({ job: 'gone', batch: { batch: 0, units: [] } }, services, 1, 'copier', new Deadline(1000));
  },
  kerberos: askWithoutTicket,
  async noToken() {
    await using server = await ScriptedServer.start([{ json: { Token: null } }]);
    const client = new TokenClient(connect(clusterAt(server.url, { user: 'me' }), silentLog));
    return await client.get('/', signal);
  },
  service: failInAwsSdk,
};

it.each(Object.entries(throwers))(
  '%s is thrown under the name that the state machine matches',
  async (key, thrower) => {
    const error: unknown = await Promise.resolve()
      .then(thrower)
      .then(
        (answer) => expect.unreachable(`it answered ${JSON.stringify(answer)}`),
        (reason: unknown) => reason,
      );
    // A property of its own: a minifier renames the class, not this.
    expect(Object.hasOwn(error as Error, 'name')).toBe(true);
    expect((error as Error).name).toBe(errorNames[key as keyof typeof errorNames]);
  },
);
