import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import { messageOf } from '../errors.ts';
import { Progress } from '../copy/progress.ts';
import { openEndpoints } from '../endpoints/endpoints.ts';
import { Bitmap } from '../job/bitmap.ts';
import type { BatchStore } from '../job/job-store.ts';
import { Limits } from '../limits/limits.ts';
import type { Log } from '../log.ts';
import { askedBatches } from './asked-batches.ts';
import { arrived } from './carried-error.ts';
import { Channel } from './channel.ts';
import type { Answered, Assignment, CopierMethods, RunnerMethods } from './copier-methods.ts';
import { copyBatches } from './copying.ts';
import { sharesOf, threadsHere } from './shared-transfers.ts';
import { LockShare } from './destination-lock.ts';

const TELL_EVERY_MS = 200;
/** How soon a change of the job's limits is seen, ms. */
const LOOK_EVERY_MS = 1000;
/** For taking back what was begun and cancelling tokens once the process that runs the job is gone, ms. */
const ENDING_MS = 30_000;

/**
 * What a copier process does, from its start on: copies the batches of a job that another process runs, and ends when that one closes
 * the channel or is gone. It then begins no file and gives none its name any more, takes back what it has begun, and keeps its
 * share of the lock for as long.
 */
export function serveAsCopier(): void {
  // Ctrl-C reaches the whole process group. The process that runs the job decides what follows from it.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
  const ending = new AbortController();
  let copying = Promise.resolve();
  const methods: CopierMethods = {
    hold(locks, job, version) {
      if (version !== packageJson.version) {
        throw new Error(
          `it is version ${packageJson.version}, and the job is run by ${version}: it was replaced meanwhile`,
        );
      }
      const share = LockShare.acquire(locks, job);
      process.once('exit', () => share.release());
    },
    copy(assignment) {
      copying = copyAssigned(assignment, runner, ending.signal);
      return copying;
    },
    abort(reason) {
      ending.abort(arrived(reason));
    },
  };
  const runner = new Channel<RunnerMethods>(process, methods);
  // An error in work that nobody awaits is a bug, as it is in the process that runs the job.
  process.on('uncaughtException', (error) => {
    const exit = () => process.exit(1);
    runner.call('log', 'error', { error: messageOf(error) }, 'unexpected error in a copier process').then(exit, exit);
  });
  process.once('disconnect', () => {
    ending.abort(new Error('the process that ran the job is gone'));
    setTimeout(() => process.exit(1), ENDING_MS);
    void copying.catch(() => undefined).then(() => process.exit(0));
  });
}

async function copyAssigned(
  { job, clusters, contact, threads, share, isMeasured }: Assignment,
  runner: Channel<RunnerMethods>,
  signal: AbortSignal,
): Promise<void> {
  const log = sentLog(runner);
  const limits = new Limits(job.spec.options);
  const get = (id: string) => runner.call('get', id);
  limits.follow(job.id, { get, lease: (...asked) => runner.call('lease', ...asked) }, LOOK_EVERY_MS);
  const progress = new Progress();
  const tellMoved = () => {
    const { bytes, moved, transferring, atOnce } = progress;
    runner.tell('moved', { bytes, moved, transferring, atOnce, limit: limits.binding });
  };
  const accessTo = (alias: string) => {
    const cluster = clusters.find(({ name }) => name === alias);
    if (cluster) return { cluster };
    throw new Error(`this process was not told of the cluster ${alias}`);
  };
  const disk = { readBytes: job.spec.options.partSize };
  const endpoints = await openEndpoints(job.spec, { accessTo, disk, contact, log, limits });
  const { source, destination } = endpoints;
  let answers: Answered[] = [];
  for (const { load } of isMeasured ? [source, destination] : [])
    if (load) load.onAnswer = (operation, tookMs) => answers.push({ cluster: load.name, operation, tookMs });
  const tell = () => {
    tellMoved();
    if (answers.length === 0) return;
    runner.tell('answered', answers);
    answers = [];
  };
  const telling = setInterval(tell, TELL_EVERY_MS);
  try {
    await copyBatches(
      (stop) => askedBatches(() => runner.call('next'), stop),
      {
        job,
        source,
        destination,
        store: sentStore(runner, tellMoved),
        owner: `${hostname()}:${process.pid}:${randomUUID()}`,
        progress,
        log,
        signal,
        // The process that runs the job tells of the outcomes that it records.
        onOutcome: () => undefined,
        threads,
        threadsNow: async () => {
          const all = threadsHere((await get(job.id)) ?? job, source, destination);
          return sharesOf(all, share.count)[share.index] ?? threads;
        },
        onEnd: (told) => Promise.resolve(runner.tell('transfers', told)),
      },
      ({ batch }) => runner.tell('copied', batch),
    );
  } finally {
    clearInterval(telling);
    tell();
    try {
      await endpoints[Symbol.asyncDispose]();
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the clusters could not be closed');
    }
  }
}

/** The job store as a copier process sees it: the process that runs the job is asked, and a copier never waits for a database. */
function sentStore(runner: Channel<RunnerMethods>, tellMoved: () => void): BatchStore {
  return {
    async claim(...batch) {
      const { done, ...claim } = await runner.call('claim', ...batch);
      return { ...claim, done: new Bitmap(done) };
    },
    requireOwner: (...batch) => runner.call('requireOwner', ...batch),
    noteAttempt: (...attempt) => runner.call('noteAttempt', ...attempt),
    noteSwept: (...claim) => runner.call('noteSwept', ...claim),
    isGivenUp: (...split) => runner.call('isGivenUp', ...split),
    parts: (...unit) => runner.call('parts', ...unit),
    keepParts: (...file) => runner.call('keepParts', ...file),
    record(...outcomes) {
      // What is recorded of this process never exceeds what it has told.
      tellMoved();
      return runner.call('record', ...outcomes);
    },
  };
}

function sentLog(runner: Channel<RunnerMethods>): Log {
  const send = (level: keyof Log) => (fields: object, message: string) => {
    const plain = Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Error ? messageOf(value) : value,
    ]);
    runner.tell('log', level, Object.fromEntries(plain) as object, message);
  };
  return { debug: send('debug'), info: send('info'), warn: send('warn'), error: send('error') };
}
