import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { SqliteJobStore } from '../../shared/machine/sqlite-job-store.ts';
import { jobStoreContract } from '../support/job-store-contract.ts';
import { copied, newJob } from '../support/outcomes.ts';
import { allOf } from '../support/files.ts';

async function temporaryFile() {
  const directory = await mkdtemp(join(tmpdir(), 'hdfs-fanout-store-'));
  return { file: join(directory, 'jobs.db'), remove: () => rm(directory, { recursive: true, force: true }) };
}

jobStoreContract('SqliteJobStore', async () => {
  const { file, remove } = await temporaryFile();
  const open: SqliteJobStore[] = [];
  return {
    connect() {
      const store = new SqliteJobStore(file);
      open.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of open) store.close();
      await remove();
    },
  };
});

/** Records units one by one, as `owner`, in batches that the other process records in too. */
const recorder = `
  import { SqliteJobStore } from ${JSON.stringify(import.meta.resolve('../../shared/machine/sqlite-job-store.ts'))};
  const [file, job, owner] = process.argv.slice(1);
  const store = new SqliteJobStore(file);
  console.log('ready');
  await new Promise((go) => process.stdin.once('data', go));
  process.stdin.destroy();
  for (let batch = 0; batch < 40; batch++) {
    try {
      await store.claim(job, batch, owner);
      for (let unit = 0; unit < 10; unit++) {
        await store.record(job, batch, owner, [
          { unit, outcome: 'copied', verification: 'none', bytes: 7, retries: 0 },
        ]);
      }
    } catch (error) {
      if (error.name !== 'SupersededError') throw error;
    }
  }
`;

describe('SqliteJobStore', () => {
  it('counts each unit once when several processes work on one file', async () => {
    const { file, remove } = await temporaryFile();
    const store = new SqliteJobStore(file);
    const job = newJob();
    await store.create(job);
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', recorder, file, job.id];
    const children = ['ann', 'bob'].map((owner) =>
      spawn(process.execPath, [...args, owner], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const ended = Promise.all(children.map(async (child) => ((await once(child, 'close')) as [number])[0]));
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    for (const child of children) child.stdin.write('go');
    const codes = await ended;
    expect(codes).toEqual([0, 0]);
    const counters = await store.counters(job.id);
    const done = (await allOf(store.claims(job.id))).reduce((sum, claim) => sum + claim.done.size, 0);
    expect(done).toBeGreaterThan(0);
    expect(Object.fromEntries(counters)).toEqual({
      'files.copied': done,
      'bytes.copied': 7 * done,
      'verified.none': done,
    });
    store.close();
    await remove();
  });

  it('opens the file of an earlier version, with what its batches hold', async () => {
    const { file, remove } = await temporaryFile();
    const earlier = new DatabaseSync(file);
    earlier.exec(`
      CREATE TABLE jobs (id TEXT PRIMARY KEY, started INTEGER NOT NULL, json TEXT NOT NULL);
      CREATE TABLE batches (
        job TEXT, batch INTEGER, owner TEXT NOT NULL, claim INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
        swept INTEGER NOT NULL DEFAULT 0, done BLOB NOT NULL, PRIMARY KEY (job, batch)) WITHOUT ROWID;
      INSERT INTO batches VALUES ('one', 0, 'me', 2, 1, 1, x'05');
    `);
    const job = newJob({ id: 'one', phase: 'finishing' });
    earlier.prepare('INSERT INTO jobs VALUES (?, ?, ?)').run(job.id, job.startedAtMs, JSON.stringify(job));
    earlier.close();
    for (let times = 0; times < 2; times++) {
      const store = new SqliteJobStore(file);
      expect(await store.get('one')).toEqual(job);
      const [claim] = await allOf(store.claims('one'));
      expect(claim).toMatchObject({ batch: 0, claim: 2, attempts: 1, swept: 1 });
      expect([...(claim?.done ?? [])]).toEqual([0, 2]);
      expect([...(claim?.clean ?? [])]).toEqual([]);
      await store.keepFinishCursor('one', { times });
      expect(await store.finishCursor('one')).toEqual({ times });
      store.close();
    }
    const store = new SqliteJobStore(file);
    await store.record('one', 0, 'me', [copied(1)]);
    expect((await store.counters('one')).get('files.copied')).toBe(1);
    store.close();
    await remove();
  });

  it('finds its jobs again after it was closed', async () => {
    const { file, remove } = await temporaryFile();
    const first = new SqliteJobStore(file);
    const job = newJob({ phase: 'copying' });
    await first.create(job);
    first.close();
    const second = new SqliteJobStore(file);
    expect(await second.get(job.id)).toEqual(job);
    second.close();
    await remove();
  });
});
