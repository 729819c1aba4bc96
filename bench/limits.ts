// Whether a bandwidth is kept, and used: copiers of one job, each a process with transfers of its own, that spend the budget of one
// job store as fast as it lets them; and what a limit costs that does not bind.
//
// usage: node bench/limits.ts
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Limits } from '../shared/limits/limits.ts';
import { SqliteJobStore } from '../shared/machine/sqlite-job-store.ts';
import { allBytes, type Storage } from '../shared/storage/storage.ts';

const MIB = 1024 * 1024;
const PIECE = new Uint8Array(256 * 1024);
/** Until all copiers have started and know of each other, and then measured, s. */
const [START_S, START_EACH_S, MEASURED_S] = [5, 2, 20];
const TRANSFERS = 4;

/** A file without an end, as fast as it is read. */
const endless = {
  name: 'endless',
  read: () => Promise.resolve({ body: forEver(), cancel: () => undefined }),
} as unknown as Storage;

async function* forEver(): AsyncGenerator<Uint8Array> {
  // As a socket does, a body gives way to everything else that is due.
  for (;;) {
    yield PIECE;
    await new Promise((go) => setImmediate(go));
  }
}

/** Reads until the process is ended. @param counted  called with what was read */
async function spend(storage: Storage, counted: (bytes: number) => void): Promise<void> {
  const { body } = await storage.read('/', allBytes(0), new AbortController().signal);
  for await (const { length } of body) counted(length);
}

/** @param fromMs  since the epoch: all copiers are measured at the same time */
async function copier(home: string, bandwidth: string, fromMs: number): Promise<void> {
  const limits = new Limits({ bandwidth });
  limits.follow('bench', new SqliteJobStore(join(home, 'jobs.db')), 1000);
  let spent = 0;
  for (let transfer = 0; transfer < TRANSFERS; transfer++)
    void spend(limits.paced(endless), (bytes) => (spent += bytes));
  await sleep(fromMs - Date.now());
  const [beganAtMs, before] = [performance.now(), spent];
  await sleep(MEASURED_S * 1000);
  console.log((spent - before) / ((performance.now() - beganAtMs) / 1000));
  process.exit();
}

async function achieved(copiers: number, bandwidth: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'hdfs-fanout-limits-'));
  new SqliteJobStore(join(home, 'jobs.db')).close();
  const fromMs = Date.now() + (START_S + copiers * START_EACH_S) * 1000;
  const rates = Array.from({ length: copiers }, async () => {
    const child = spawn(process.execPath, [import.meta.filename, home, bandwidth, String(fromMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data));
    await once(child, 'close');
    return Number(text);
  });
  const sum = (await Promise.all(rates)).reduce((total, rate) => total + rate, 0);
  rmSync(home, { recursive: true });
  return sum;
}

/** CPU of this process for one GiB that is read, ms. */
async function cpuPerGib(storage: Storage): Promise<number> {
  const { body } = await storage.read('/', allBytes(0), new AbortController().signal);
  const begun = process.cpuUsage();
  let bytes = 0;
  for await (const { length } of body) if ((bytes += length) >= 16 * 1024 * MIB) break;
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000 / 16;
}

const [home, bandwidth = '', fromMs] = process.argv.slice(2);
if (home !== undefined) await copier(home, bandwidth, Number(fromMs));

console.log('| copiers | limit, MiB/s | achieved, MiB/s | of the limit |\n| --- | --- | --- | --- |');
for (const [copiers, limit] of [
  [1, 50],
  [4, 50],
  [16, 50],
  [16, 1],
] as const) {
  const rate = (await achieved(copiers, `${limit}M`)) / MIB;
  console.log(`| ${copiers} | ${limit} | ${rate.toFixed(2)} | ${((rate / limit) * 100).toFixed(1)} % |`);
}

const free = await cpuPerGib(endless);
const none = await cpuPerGib(new Limits({}).paced(endless));
const high = await cpuPerGib(new Limits({ bandwidth: '1T' }).paced(endless));
console.log(
  `\nCPU for a GiB in pieces of 256 KiB: ${free.toFixed(2)} ms without the decorator, ${none.toFixed(2)} ms with it`,
);
console.log(`and no limit, ${high.toFixed(2)} ms with a limit that does not bind.`);
