import { createInterface } from 'node:readline/promises';
import { bytesText } from '../shared/bytes.ts';
import { printable, RefusedError, SpecError } from '../shared/errors.ts';
import { dropOwnSnapshot } from '../shared/finish/drop-snapshots.ts';
import { sweepAll } from '../shared/finish/sweep-all.ts';
import { cleaned, isCleaned } from '../shared/job/cleaned.ts';
import { type Job, lockedPathsOf } from '../shared/job/job.ts';
import { silentLog } from '../shared/log.ts';
import { DestinationLock, isHeld } from '../shared/machine/destination-lock.ts';
import { openState, type State } from '../shared/machine/state.ts';
import type { Storage } from '../shared/storage/storage.ts';
import { undo as undoJob } from '../shared/undo/undo.ts';
import type { Step, Undoing, Undone } from '../shared/undo/undoing.ts';
import { endpointsOf } from './clusters.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { knownJob, openRecords } from './job-records.ts';
import { printError, printEvent, printNote } from './output.ts';

export interface UndoFlags {
  conf?: string;
  stack?: string;
  yes: boolean;
  dryRun: boolean;
  skipTrash: boolean;
  json: boolean;
}

/** `hdfs-fanout undo JOB`: puts back what a job has replaced or deleted, and removes what it has made. @returns the exit code */
export async function undo(id: string, flags: UndoFlags): Promise<number> {
  const { conf, stack, yes, dryRun, skipTrash, json } = flags;
  if (stack !== undefined) {
    throw new SpecError(
      'a job of a deployment in AWS cannot be undone: nothing there records what it has made',
      'what it replaced or deleted lies in its --backup-dir, or in the trash: move it back with hdfs dfs -mv',
    );
  }
  if (!yes && !dryRun && !process.stdin.isTTY)
    throw new SpecError('undo changes the destination', 'look with --dry-run, then say --yes');
  const interrupt = interruptSignal();
  const state = openState();
  const known = undoable(await knownJob(await openRecords(undefined), id), state);
  if (known.undone?.isWhole) {
    printNote(`the job ${id} was undone before: nothing is left to do`);
    return exitCodes.success;
  }
  await using endpoints = await endpointsOf(known.spec, conf, silentLog);
  const { source, destination } = endpoints;
  const lock = DestinationLock.acquire(state.locks, id, await lockedPathsOf(known, destination, interrupt));
  try {
    const job = undoable((await state.store.get(id)) ?? known, state);
    if (!skipTrash) await requireTrash(job, destination, interrupt);
    if (job.spec.options.backupDir === '') printNote(WITHOUT_BACKUPS);
    const { store, manifests } = state;
    const unknown = await store.unknownFiles(id);
    if (unknown > 0) printNote(`${unknown} ${WITHOUT_RECORDS}`);
    const undoing = {
      ...{ job, destination, store, manifests, skipTrash, signal: interrupt },
      madeDirectories: { [Symbol.iterator]: () => state.madeDirectories(id).reversed() },
    };
    if (!yes) {
      const wanted = await undoJob({ ...undoing, dryRun: true, onStep: (step) => tell(step, json) });
      tellTotals(wanted, true, json);
      if (dryRun) return exitCodes.success;
      if (!(await isWanted(interrupt))) {
        printNote('nothing was changed');
        return exitCodes.success;
      }
    }
    const begun = { atMs: Date.now(), isWhole: false };
    await store.update(id, { undone: begun });
    await closeUnfinished(job, state, destination, interrupt);
    // Before prune may forget whose it is.
    const snapshotLeft = await dropOwnSnapshot({ job, source, log: silentLog, signal: interrupt });
    if (snapshotLeft !== undefined) printNote(`its snapshot is still there: ${snapshotLeft}`);
    const onStep: Undoing['onStep'] = (step) => {
      if (yes || step.action === 'leave' || step.action === 'fail') tell(step, json);
    };
    const done = await undoJob({ ...undoing, dryRun: false, onStep });
    tellTotals(done, false, json);
    const isWhole = done.left + done.failed + unknown === 0;
    await store.update(id, { undone: { ...begun, isWhole } });
    return isWhole ? exitCodes.success : exitCodes.someFailed;
  } catch (error) {
    if (!interrupt.aborted) throw error;
    printError(`interrupted; go on with: hdfs-fanout undo ${id}`, json);
    return exitCodes.interrupted;
  } finally {
    lock.release();
  }
}

const WITHOUT_BACKUPS =
  'the job kept no backups (--backup-dir): what it replaced stays as it is, and what it deleted comes back as far as the trash has it';

const WITHOUT_RECORDS =
  'files were copied by an earlier version, which did not keep what it made: these stay, and what they replaced in the backups';

/** @throws SpecError where nothing tells what the job did */
function undoable(job: Job, { manifests, directory, locks }: State): Job {
  const { id, phase, spec } = job;
  if (phase === 'planning' || manifests.has(id) || isHeld(locks, id)) return job;
  const { backupDir } = spec.options;
  const why = isCleaned(job) ? 'was cleaned' : `has no records in ${directory} any more`;
  const where = backupDir === '' ? 'what it deleted may be in the trash' : `its backups lie in ${backupDir}/${id}`;
  throw new SpecError(`the job ${id} ${why}: nothing tells what it did`, `${where}: move it back with hdfs dfs -mv`);
}

/** @throws RefusedError */
async function requireTrash({ roots }: Job, { name, trash }: Storage, signal: AbortSignal): Promise<void> {
  for (const { destination } of roots) {
    const obstacle = trash ? await trash.obstacle(destination, signal) : 'it has no trash';
    if (obstacle === undefined) continue;
    throw new RefusedError(
      `what the job made cannot be moved to the trash of ${name}:${destination}: ${obstacle}`,
      '--skip-trash deletes it for good',
    );
  }
}

/** A job that could go on would take what was undone for copied. */
async function closeUnfinished(job: Job, state: State, destination: Storage, signal: AbortSignal): Promise<void> {
  if (job.outcome === 'Successful') return;
  const { store, manifests } = state;
  if (manifests.has(job.id)) await sweepAll({ job, store, manifests, destination, signal, isOver: () => false });
  await store.keepFinishCursor(job.id, undefined);
  if (job.phase !== 'done')
    await store.update(job.id, { ...cleaned, endedAtMs: job.endedAtMs ?? job.seenAtMs ?? job.startedAtMs });
}

async function isWanted(signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Undo this? [y/N] ', { signal })).trim());
  } finally {
    terminal.close();
  }
}

function tell(step: Step, json: boolean): void {
  const { action, path } = step;
  if (json) {
    printEvent('undo', step);
    return;
  }
  const from = 'from' in step && step.from !== '' ? `from ${printable(step.from)}` : '';
  const why = 'reason' in step ? step.reason : action === 'remove directory' ? 'once it is empty' : from;
  const name = action === 'remove directory' ? 'remove' : action;
  process.stdout.write(`${name.padEnd(9)} ${printable(path)}${why === '' ? '' : `  (${why})`}\n`);
}

function tellTotals(sum: Undone, isDry: boolean, json: boolean): void {
  if (json) {
    printEvent('undone', { ...sum, dryRun: isDry });
    return;
  }
  const { removed, removedBytes, putBack, putBackBytes, restored, restoredBytes, renamed, directories, left, failed } =
    sum;
  const files = (what: string, count: number, bytes: number) =>
    count > 0 ? `${what} ${count} files, ${bytesText(bytes)}` : '';
  const parts = [
    files('remove', removed, removedBytes),
    files('put back', putBack, putBackBytes),
    files('restore', restored, restoredBytes),
    renamed > 0 ? `rename back ${renamed}` : '',
    directories > 0 ? `remove ${directories} directories` : '',
    left > 0 ? `leave ${left}` : '',
    failed > 0 ? `fail ${failed}` : '',
  ].filter((part) => part !== '');
  const nothing = 'nothing: all is as it was before the job, but for attributes';
  process.stdout.write(`${isDry ? 'Would' : 'Did'}: ${parts.join('; ') || nothing}\n`);
}
