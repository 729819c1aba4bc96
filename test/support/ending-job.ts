import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { closeStep } from '../../shared/aws/close-step.ts';
import { DynamoJobStore } from '../../shared/aws/dynamo-job-store.ts';
import type { Services } from '../../shared/aws/services.ts';
import type { Deadline } from '../../shared/deadline.ts';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { clusterSchema } from '../../shared/hdfs/cluster.ts';
import { finish } from '../../shared/finish/finish.ts';
import type { Bitmap } from '../../shared/job/bitmap.ts';
import type { Job } from '../../shared/job/job.ts';
import { SqliteJobStore } from '../../shared/machine/sqlite-job-store.ts';
import { silentLog } from '../../shared/log.ts';
import { decorated } from '../../shared/storage/decorated.ts';
import { never } from './files.ts';
import { GeneratedJob } from './generated-job.ts';
import { GeneratedTable } from './generated-table.ts';
import { noSplits } from './no-splits.ts';

/**
 * Ends a generated job in a process of its own, so that its memory is nobody else's: `node ending-job.ts HOW BATCHES STEPS`. Each invocation
 * stops after so many steps. Prints what was read, swept and held.
 */
const [, , how = '', batchesText = '', stepsText = ''] = process.argv;
const UNITS = 1000;
const generated = new GeneratedJob(Number(batchesText), UNITS, how === 'dynamo');
const beganAtMs = performance.now();
let swept = 0;
let asked = 0;
/** Memory outside of V8's heap: a limit of the heap does not hold it down. */
let peakExternalBytes = 0;
const isOver = () => {
  asked += 1;
  if (asked % 100 === 0) peakExternalBytes = Math.max(peakExternalBytes, process.memoryUsage().external);
  return asked >= Number(stepsText);
};

/** Calls until it is done. @returns how often, and what the last call gave */
async function invocations<T>(call: () => Promise<T | undefined>): Promise<{ calls: number; last: T }> {
  for (let calls = 1; ; calls++) {
    asked = 0;
    const last = await call();
    if (last) return { calls, last };
  }
}

const destination = decorated(new LocalDisk(65_536), {
  delete: () => {
    swept += 1;
    return Promise.resolve(false);
  },
});

async function finished(store: SqliteJobStore | DynamoJobStore) {
  const deaths = store instanceof DynamoJobStore ? store : undefined;
  const ends = { source: destination, destination };
  const base = {
    store,
    deaths,
    manifests: generated.manifests,
    owner: 'finisher',
    ...noSplits,
    signal: never,
    log: silentLog,
  };
  const { calls, last } = await invocations<Job>(async () => {
    const job = await store.get(generated.job.id);
    if (!job) throw new Error('the job is gone');
    return finish({ job, ...ends, ...base, isOver });
  });
  const counters = Object.fromEntries(await store.counters(generated.job.id));
  return { invocations: calls, outcome: last.outcome, failed: counters['files.failed'] ?? 0 };
}

/** A job of the same batches in a file of SQLite. */
function sqliteStore(file: string): SqliteJobStore {
  const store = new SqliteJobStore(file);
  void store.create(generated.job);
  const db = new DatabaseSync(file);
  const { id } = generated.job;
  db.exec('BEGIN');
  const insert = db.prepare('INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  for (let batch = 0; batch < generated.batches; batch++) {
    const { claim, attempts, done, clean } = generated.claimOf(batch);
    insert.run(id, batch, 'copier', claim, attempts, 0, (done as Bitmap).bytes, (clean as Bitmap).bytes);
  }
  const counter = db.prepare('INSERT INTO counters VALUES (?, ?, ?)');
  counter.run(id, 'files.copied', generated.batches * UNITS);
  db.exec('COMMIT');
  db.close();
  return store;
}

async function inSqlite() {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-ending-'));
  const store = sqliteStore(join(directory, 'jobs.db'));
  const result = await finished(store);
  store.close();
  rmSync(directory, { recursive: true });
  return result;
}

async function inDynamo() {
  const table = new GeneratedTable(generated);
  const store = new DynamoJobStore(table.client, 'table', { retentionDays: 7 });
  return { ...(await finished(store)), read: table.read };
}

/** Closes the job as its Lambda does; a namenode that has nothing answers the sweep. */
async function closed() {
  const namenode = createServer(({ method }, response) => {
    if (method === 'DELETE') swept += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ boolean: false }));
  });
  await new Promise<void>((resolve) => namenode.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(namenode.address() as AddressInfo).port}`;
  const definition = clusterSchema.parse({ name: 'c', user: 'root', nameservices: [{ urls: [url], mounts: ['/'] }] });
  const table = new GeneratedTable(generated);
  const store = new DynamoJobStore(table.client, 'table', { retentionDays: 7 });
  const nothing = () => Promise.resolve();
  const services = {
    store,
    manifests: generated.manifests,
    active: { drivenBy: () => Promise.resolve({ job: generated.job.id }), remove: nothing },
    lock: { release: nothing },
    tokens: { kept: () => Promise.resolve([]), given: nothing, forget: nothing },
    secrets: { definition: () => Promise.resolve(definition) },
    log: silentLog,
  } as unknown as Services;
  const deadline = { isNear: isOver } as unknown as Deadline;
  const request = { execution: 'one', reason: 'stopped' };
  const { calls, last } = await invocations(async () => {
    const answer = await closeStep(request, services, deadline, never);
    return answer.closed ? answer : undefined;
  });
  namenode.close();
  namenode.closeAllConnections();
  return { invocations: calls, outcome: last.status?.Outcome, read: table.read, closed: table.closed };
}

const run = { sqlite: inSqlite, dynamo: inDynamo, close: closed }[how];
if (!run) throw new Error(`no way to end a job: ${how}`);
const result = await run();
const seconds = (performance.now() - beganAtMs) / 1000;
const peakRssMiB = process.resourceUsage().maxRSS / 1024;
const expectedSwept = how === 'close' ? undefined : generated.leftNames;
console.log(
  JSON.stringify({ ...result, lines: generated.lines, swept, expectedSwept, peakExternalBytes, seconds, peakRssMiB }),
);
