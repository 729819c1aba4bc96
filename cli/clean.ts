import { sweepAll } from '../shared/finish/sweep-all.ts';
import { dropOwnSnapshot } from '../shared/finish/drop-snapshots.ts';
import { DestinationLock } from '../shared/machine/destination-lock.ts';
import { typeChangesOf } from '../shared/machine/type-changes.ts';
import { forgetRecords } from '../shared/machine/undo-records.ts';
import { removeSample, sampleOf } from '../shared/machine/sample.ts';
import { openState } from '../shared/machine/state.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageInCause } from '../shared/aws/cause.ts';
import { SpecError } from '../shared/errors.ts';
import { cleaned } from '../shared/job/cleaned.ts';
import { silentLog } from '../shared/log.ts';
import { newJobId } from './job-id.ts';
import { endpointsOf } from './clusters.ts';
import { interruptSignal } from './interrupt.ts';
import { knownJob, ofStack, openRecords } from './job-records.ts';
import { exitCodes } from './exit-codes.ts';
import { printError, printNote } from './output.ts';

export interface CleanFlags {
  conf?: string;
  stack?: string;
}

/** `hdfs-fanout clean JOB`: deletes by name what a job that will not be resumed may have left, and closes it. @returns the exit code */
export async function clean(id: string, { conf, stack }: CleanFlags): Promise<number> {
  if (stack !== undefined && conf !== undefined) {
    throw new SpecError('--conf and --stack do not go together', 'a stack has the definitions that were pushed to it');
  }
  const code = stack === undefined ? await cleanHere(id, conf) : await cleanInAws(id, stack);
  if (code === exitCodes.success) process.stdout.write(`${id} is clean: no temporary file of it is left\n`);
  return code;
}

async function cleanHere(id: string, conf: string | undefined): Promise<number> {
  const interrupt = interruptSignal();
  const state = openState();
  const sample = sampleOf(id, state);
  if (sample) {
    await using endpoints = await endpointsOf(sample.spec, conf, silentLog);
    const lock = DestinationLock.acquire(state.locks, id, []);
    try {
      await removeSample(sample, endpoints.destination, state);
    } finally {
      lock.release();
    }
    return exitCodes.success;
  }
  const known = await knownJob(await openRecords(undefined), id);
  await using endpoints = await endpointsOf(known.spec, conf, silentLog);
  const { source, destination } = endpoints;
  const lock = DestinationLock.acquire(state.locks, id, []);
  try {
    // As it is now that no resume can change it any more.
    const job = (await state.store.get(id)) ?? known;
    // What a successful job has made is there under its own names, and what it replaced is its undo's.
    if (job.outcome !== 'Successful' && state.manifests.has(id)) {
      const { store, manifests } = state;
      await sweepAll({ job, store, manifests, destination, signal: interrupt, isOver: () => false });
    }
    await forgetRecords(id, state);
    await state.lists.remove(id);
    await state.lists.remove(typeChangesOf(id));
    const left = await dropOwnSnapshot({ job, source, log: silentLog, signal: interrupt });
    if (left !== undefined) printNote(`its snapshot is still there: ${left}`);
    await state.store.keepFinishCursor(id, undefined);
    if (job.phase !== 'done') {
      await state.store.update(id, { ...cleaned, endedAtMs: job.endedAtMs ?? job.seenAtMs ?? job.startedAtMs });
    }
  } catch (error) {
    if (!interrupt.aborted) throw error;
    printError(`interrupted; go on with: hdfs-fanout clean ${id}`, false);
    return exitCodes.interrupted;
  } finally {
    lock.release();
  }
  return exitCodes.success;
}

const LOOK_EVERY_MS = 1000;

/** Lambdas reach the cluster: an execution of its own deletes. */
async function cleanInAws(id: string, stack: string): Promise<number> {
  const { findDeployment } = await import('../shared/aws/deployment.ts');
  const interrupt = interruptSignal();
  const { executions, stateMachine, store } = await findDeployment(stack);
  await knownJob({ store, ...ofStack(stack) }, id);
  const execution = await executions.start(stateMachine, newJobId(Date.now()), { clean: id });
  while (await executions.isRunning(execution)) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: interrupt }).catch(() => undefined);
    if (!interrupt.aborted) continue;
    printError('interrupted: it goes on in AWS', false);
    return exitCodes.interrupted;
  }
  const { status, error, cause } = await executions.describe(execution);
  if (status === 'SUCCEEDED') return exitCodes.success;
  printError(`${error}: ${messageInCause(cause)}`, false);
  return error === 'SpecError' ? exitCodes.usage : exitCodes.stopped;
}
