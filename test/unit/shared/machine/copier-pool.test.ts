import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { StateError } from '../../../../shared/errors.ts';
import { type Log, silentLog } from '../../../../shared/log.ts';
import type { CopierMeans } from '../../../../shared/machine/copier-pool.ts';
import { copiersEnded, DestinationLock, isHeld } from '../../../../shared/machine/destination-lock.ts';
import { copiers, LENGTH, LocalJob, stalling } from '../../../support/local-job.ts';
import { alive, copiersOf } from '../../../support/processes.ts';

const { signal } = new AbortController();
let local: LocalJob;
beforeEach(() => {
  local = new LocalJob();
});
afterEach(() => local[Symbol.dispose]());

/** Of the copiers that this process has started. */
const copierPids = () => copiersOf(process.pid, 0);
const whole = (files: number) => ({ 'files.copied': files, 'bytes.copied': files * LENGTH });

/** A program that takes its share of the lock, as far as the process that runs the job can tell. */
const ANSWER_HOLD = `process.on('message', ({ call, method }) => method === 'hold' && process.send({ answer: call }));`;

/** Copiers that run this program in place of their own. */
function started(code: string): CopierMeans {
  const file = join(local.top, 'program.mjs');
  writeFileSync(file, code);
  return { ...copiers, program: { ...copiers.program, file } };
}

/** Collects warnings. */
function listeningLog() {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };
  return { log, warnings };
}

/** Collects whose outcomes are told. */
function listener() {
  const told: string[] = [];
  const onOutcome = (batch: { readonly batch: number }, { unit }: { readonly unit: number }) => {
    told.push(`${batch.batch}.${unit}`);
  };
  return { told, onOutcome };
}

describe('copier processes', () => {
  it('copy each file once, tell of each once, and are gone at the end', async () => {
    await local.create(300);
    const { told, onOutcome } = listener();
    const progress = new Progress();
    const ended = await local.run({ onOutcome, progress });
    expect(ended).toMatchObject({ outcome: 'Successful', expectedFiles: 300 });
    expect(local.copied()).toHaveLength(300);
    expect(await local.counters()).toMatchObject(whole(300));
    expect(new Set(told).size).toBe(300);
    expect(told).toHaveLength(300);
    const { complete, failed, bytes, moved, transferring, copiers: processes } = progress;
    expect({ complete, failed, bytes, moved, transferring, processes }).toEqual({
      complete: 300,
      failed: 0,
      bytes: 300 * LENGTH,
      moved: 300 * LENGTH,
      transferring: 0,
      processes: 2,
    });
    expect(await copierPids()).toEqual([]);
    expect(readdirSync(local.state.locks)).toEqual(['locks.db']);
  });

  it('are none for a job that is over before they have started', async () => {
    await local.create(20);
    const broken = { ...copiers, program: { file: join(local.top, 'there is no such program'), args: [], flags: [] } };
    expect(await local.run({ copiers: broken })).toMatchObject({ outcome: 'Successful' });
  });

  it('share the transfers, and are not more than these', async () => {
    await local.create(300, { threads: 1 });
    const progress = new Progress();
    await local.run({ progress });
    expect(progress.copiers).toBe(1);
  });

  it.each([
    ['killed', 'SIGKILL'],
    ['gone by themselves', 'SIGABRT'],
  ] as const)('that are %s are replaced, and each file is counted once', async (_how, by) => {
    await local.create(300);
    const { told, onOutcome } = listener();
    const { state, stalled, release } = stalling(local.state, 61);
    const warnings: object[] = [];
    const log: Log = { ...silentLog, warn: (fields) => void warnings.push(fields) };
    const progress = new Progress();
    const killed: number[] = [];
    const onKilled = (pid: number) => void killed.push(pid);
    const watched = { ...copiers, program: { ...copiers.program, onKilled } };
    const running = local.run({ onOutcome, log, progress, state, copiers: watched });
    await stalled;
    const pids = await copierPids();
    for (const pid of pids) process.kill(pid, by);
    release();
    expect(await running).toMatchObject({ outcome: 'Successful' });
    expect(warnings).toContainEqual({ how: `killed by ${by}` });
    expect(killed.sort()).toEqual([...pids].sort());
    expect(local.copied()).toHaveLength(300);
    expect(await local.counters()).toMatchObject(whole(300));
    expect(new Set(told).size).toBe(300);
    expect(told).toHaveLength(300);
    expect([progress.complete, progress.bytes, progress.transferring]).toEqual([300, 300 * LENGTH, 0]);
    expect(await copierPids()).toEqual([]);
  });

  it('that die again and again with the same files end the job, which says how they died', async () => {
    await local.create(300);
    const running = local.run({
      copiers: started(`process.on('message', ({ method }) => method === 'copy' && call('next'));
      ${ANSWER_HOLD}
      const call = (method) => process.send({ call: 1, method, given: [] }, () => process.exit(7));`),
    });
    await expect(running).rejects.toThrow(
      'copier processes died 3 times without copying a file, the last one: exit code 7 (look for the reason in the log of the system, or copy with --copiers 1)',
    );
    expect(await local.state.store.get('job')).toMatchObject({ phase: 'copying', outcome: 'Failed' });
  });

  it('that cannot be started end a job for which the user asks for them', async () => {
    await local.create(300);
    await expect(local.run({ copiers: started('process.exit(7)') })).rejects.toThrow(
      'the last one: could not be started: exit code 7 (',
    );
  });

  it.each([
    ['end at once', () => started('process.exit(7)')],
    ['are not even tried', () => ({ ...copiers, program: { ...copiers.program, file: 'no\0file' } })],
  ])('that %s are done without where nobody asks for them', async (_how, broken) => {
    await local.create(300);
    const { log, warnings } = listeningLog();
    const { told, onOutcome } = listener();
    const progress = new Progress();
    const ended = await local.run({ copiers: { ...broken(), areAskedFor: false }, log, progress, onOutcome });
    expect(ended).toMatchObject({ outcome: 'Successful' });
    expect(await local.counters()).toMatchObject(whole(300));
    expect(told).toHaveLength(300);
    expect([progress.copiers, progress.complete, progress.bytes]).toEqual([1, 300, 300 * LENGTH]);
    expect(warnings).toEqual([
      'the job goes on with fewer copier processes',
      'no copier process can be started: the process that runs the job copies',
    ]);
  });

  it('go on with fewer where the machine gives no more', async () => {
    await local.create(300);
    const { log, warnings } = listeningLog();
    const main = JSON.stringify(copiers.program.file);
    const one = started(`
      import { mkdirSync } from 'node:fs';
      try { mkdirSync(${JSON.stringify(join(local.top, 'one'))}); } catch { process.exit(7); }
      await import(${main});`);
    const { state, stalled, release } = stalling(local.state, 61);
    const progress = new Progress();
    const running = local.run({ copiers: one, log, progress, state });
    await stalled;
    while (progress.copiers !== 1) await sleep(5);
    release();
    expect(await running).toMatchObject({ outcome: 'Successful' });
    expect(await local.counters()).toMatchObject(whole(300));
    expect(warnings).toEqual(['the job goes on with fewer copier processes']);
  });

  it('do without flags that this Node does not know', async () => {
    await local.create(300);
    const flags = ['--no-such-flag-of-any-node'];
    const progress = new Progress();
    await local.run({ copiers: { ...copiers, program: { ...copiers.program, flags } }, progress });
    expect(progress.copiers).toBe(2);
    expect(await local.counters()).toMatchObject(whole(300));
  });

  it('take the addresses of clusters for right only where this run has reached them', async () => {
    await local.create(300);
    const file = join(local.top, 'contact');
    const telling = started(`
      import { writeFileSync } from 'node:fs';
      ${ANSWER_HOLD}
      process.on('message', ({ call, method, given }) => {
        if (method !== 'copy') return;
        writeFileSync(${JSON.stringify(file)}, given[0].contact);
        process.send({ answer: call, error: { message: 'enough', isExpected: false, fields: {} } });
      });`);
    const contacts: string[] = [];
    for (let run = 0; run < 2; run++) {
      await expect(local.run({ copiers: telling })).rejects.toThrow('enough');
      contacts.push(readFileSync(file, 'utf8'));
    }
    expect(contacts).toEqual(['known', 'first']);
  });

  it('are not undone by a number of transfers that cannot be recorded', async () => {
    await local.create(300);
    const { store } = local.state;
    const forgetful = new Proxy(store, {
      get: (of, name) => {
        const member = Reflect.get(of, name, of) as unknown;
        if (typeof member !== 'function') return member;
        if (name !== 'update') return member.bind(of) as unknown;
        return (id: string, changes: object) =>
          'transfers' in changes ? Promise.reject(new Error('not now')) : of.update(id, changes);
      },
    });
    const ended = await local.run({ state: { ...local.state, store: forgetful } });
    expect(ended).toMatchObject({ outcome: 'Successful' });
    const here = await local.run({ state: { ...local.state, store: forgetful }, copiers: undefined });
    expect(here).toMatchObject({ outcome: 'Successful' });
  });

  it('stop together when too many files have failed, wherever they failed', async () => {
    mkdirSync(local.to);
    for (let file = 0; file < 300; file++) writeFileSync(join(local.to, `${file}`), Buffer.alloc(LENGTH, 'x'));
    await local.create(300, { maxFailures: 25 });
    const error = { name: 'TooManyFailuresError', disposition: 'fail-job' };
    const progress = new Progress();
    await expect(local.run({ progress })).rejects.toMatchObject(error);
    expect(progress.copiers).toBe(2);
    const { 'files.failed': failed } = await local.counters();
    expect(failed).toBeGreaterThan(25);
    expect(failed).toBeLessThan(300);
    expect(await copierPids()).toEqual([]);
  });

  it('end a job whose records cannot be written, with the error of the store', async () => {
    await local.create(300);
    const { store } = local.state;
    const full = new Proxy(store, {
      get: (of, name) => {
        if (name === 'record') return () => Promise.reject(new StateError('the disk is full', 'make room'));
        const member = Reflect.get(of, name, of) as unknown;
        return typeof member === 'function' ? (member.bind(of) as unknown) : member;
      },
    });
    const error = await local.run({ state: { ...local.state, store: full } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StateError);
    expect(error).toMatchObject({ name: 'StateError', disposition: 'fail-job', remedy: 'make room' });
  });

  it('take back what they have begun when the job is interrupted, and the job goes on later', async () => {
    await local.create(300);
    const { state, stalled, release } = stalling(local.state, 61);
    const interrupt = new AbortController();
    const running = local.run({ state, signal: interrupt.signal });
    await stalled;
    while (local.halfDone().length === 0) await sleep(5);
    interrupt.abort(new Error('interrupted'));
    release();
    await expect(running).rejects.toThrow('interrupted');
    expect(await copierPids()).toEqual([]);
    expect(local.halfDone()).toEqual([]);
    expect(await local.run()).toMatchObject({ outcome: 'Successful' });
    expect(await local.counters()).toMatchObject(whole(300));
  });
});

describe('copiers whose runner was killed', () => {
  const runner = join(import.meta.dirname, '../../../support/local-runner.ts');
  const root = () => [{ namespace: 'disk', path: local.to }];

  async function started(): Promise<{ readonly child: ChildProcess; readonly pids: readonly number[] }> {
    await local.create(300);
    const child = spawn(process.execPath, [runner, local.top], { stdio: ['ignore', 'ignore', 'inherit'] });
    const pids = await copiersOf(child.pid, 2);
    // On a busy machine one is half through the job before the other has begun, which then holds nothing yet.
    const isShared = () => pids.every((pid) => isHeld(local.state.locks, `job.copier-${pid}`));
    while (!isShared() || !(await local.counters())['files.copied'] || local.halfDone().length === 0) await sleep(5);
    return { child, pids };
  }

  it('hold its lock until the last of them has ended, and leave nothing half-done', async () => {
    const { child, pids } = await started();
    const [frozen = 0] = pids;
    process.kill(frozen, 'SIGSTOP');
    onTestFinished(() => {
      if (alive([frozen]).length > 0) process.kill(frozen, 'SIGKILL');
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isHeld(local.state.locks, 'job')).toBe(true);
    expect(() => DestinationLock.acquire(local.state.locks, 'job', root())).toThrow(
      'the copiers of the job job are still ending',
    );
    expect(() => DestinationLock.acquire(local.state.locks, 'another', root())).toThrow('the job job is writing to');
    process.kill(frozen, 'SIGCONT');
    let waits = 0;
    await copiersEnded(local.state.locks, 'job', signal, () => (waits += 1));
    expect(waits).toBe(1);
    expect(isHeld(local.state.locks, 'job')).toBe(false);
    expect(local.halfDone()).toEqual([]);
    expect(await local.run()).toMatchObject({ outcome: 'Successful' });
    expect(await local.counters()).toMatchObject(whole(300));
    expect(alive(pids)).toEqual([]);
    expect(readdirSync(local.state.locks).filter((name) => name.startsWith('job.'))).toEqual([]);
  });

  it('and that were killed with it leave no lock', async () => {
    const { child, pids } = await started();
    for (const pid of [child.pid ?? 0, ...pids]) process.kill(pid, 'SIGKILL');
    await once(child, 'exit');
    await copiersEnded(local.state.locks, 'job', signal, () => undefined);
    expect(await local.run()).toMatchObject({ outcome: 'Successful' });
    expect(await local.counters()).toMatchObject(whole(300));
    expect(readdirSync(local.state.locks)).toEqual(['locks.db']);
  });
});
