import type { Batch } from '../shared/copy/batch.ts';
import type { Job, UnitOutcome } from '../shared/copy/job-store.ts';
import { jobStatus } from '../shared/copy/job-status.ts';
import { refuseAtOnce, resolveMapping } from '../shared/copy/mapping.ts';
import { Progress } from '../shared/copy/progress.ts';
import type { JobSpec } from '../shared/copy/spec.ts';
import { SpecError } from '../shared/errors.ts';
import { join } from '../shared/hdfs/path.ts';
import { DestinationLock } from '../shared/local/destination-lock.ts';
import { execute } from '../shared/local/executor.ts';
import { openState, type State } from '../shared/local/state.ts';
import type { Log } from '../shared/log.ts';
import { type Ends, openEnds } from './clusters.ts';
import { dryRun, tellHidden } from './dry-run.ts';
import { exitCodes, explain } from './exit-codes.ts';
import { newJobId } from './job-id.ts';
import { knownJob, openRecords } from './job-records.ts';
import { openLog } from './logging.ts';
import { type CopyFlags, specOf } from './options.ts';
import { printError, printEvent, printStatus } from './output.ts';
import { showProgress } from './progress-display.ts';

/** `hdfs-fanout copy`: starts or resumes a job in this process. @returns the exit code */
export async function copy(paths: readonly string[], flags: CopyFlags): Promise<number> {
  const interrupt = interruptSignal();
  const log = openLog(flags.logFile, flags.verbose);
  let ends: Ends | undefined;
  try {
    if (flags.resume !== undefined) {
      if (paths.length > 0) throw new SpecError('--resume takes no paths', 'the job knows its own');
      const state = openState();
      const job = await knownJob(await openRecords(undefined), flags.resume);
      if (job.outcome === 'Successful') {
        printStatus(jobStatus(job, await state.store.counters(job.id)), flags.json);
        return exitCodes.success;
      }
      if (job.phase !== 'planning' && !state.manifests.has(job.id)) {
        throw new SpecError(`the job ${job.id} was cleaned`, 'copy again with --force: what is equal is skipped');
      }
      ends = openEnds(job.spec, flags.conf, log);
      return await run(job, state, ends, flags, log, interrupt, () => reopened(state, job.id));
    }
    const spec = specOf(paths, flags);
    ends = openEnds(spec, flags.conf, log);
    refuseAtOnce(ends.source, ends.destination, ends.patterns, ends.target);
    const { patterns, target, source, destination } = ends;
    const hidden: string[] = [];
    const roots = await resolveMapping(spec, patterns, target, source, destination, interrupt, {
      makeProbe: !flags.dryRun,
      onHidden: (path) => hidden.push(path),
    });
    if (flags.dryRun) tellHidden(hidden, flags.json);
    if (flags.dryRun) return await dryRun(spec, roots, ends, flags.json, interrupt);
    const state = openState();
    const job = newJob(spec, roots);
    return await run(job, state, ends, flags, log, interrupt, async () => {
      await state.store.create(job);
      return job;
    });
  } catch (error) {
    if (interrupt.aborted) {
      printError('interrupted: nothing was changed', flags.json);
      return exitCodes.interrupted;
    }
    const { message, code } = explain(error);
    printError(message, flags.json);
    return code;
  } finally {
    await ends?.source.close();
    await ends?.destination.close();
  }
}

/** @param begin  what changes the job's record, which only the holder of its lock may do; gives the job as it is then */
async function run(
  job: Job,
  state: State,
  ends: Ends,
  flags: CopyFlags,
  log: Log,
  interrupt: AbortSignal,
  begin: () => Promise<Job>,
): Promise<number> {
  const { destination } = ends;
  const locked = await Promise.all(job.roots.map((root) => destination.lockedPaths(root.destination, interrupt)));
  const lock = DestinationLock.acquire(join(state.directory, 'locks'), job.id, locked.flat());
  const progress = new Progress();
  const display =
    flags.silent || flags.json ? undefined : showProgress(progress, process.stderr.isTTY && flags.verbose === 0);
  const onOutcome = (batch: Batch, outcome: UnitOutcome) => report(job, batch, outcome, flags.json, log);
  let failure: unknown;
  try {
    await execute(await begin(), { state, ...ends, progress, log, signal: interrupt, onOutcome });
  } catch (error) {
    failure = error;
  } finally {
    display?.stop();
    lock.release();
  }
  const ended = (await state.store.get(job.id)) ?? job;
  const status = jobStatus(ended, await state.store.counters(job.id));
  printStatus(status, flags.json);
  if (interrupt.aborted) {
    printError(`interrupted; go on with: hdfs-fanout copy --resume ${job.id}`, flags.json);
    return exitCodes.interrupted;
  }
  if (failure !== undefined) {
    const { message, code } = explain(failure);
    printError(`${message}; go on with: hdfs-fanout copy --resume ${job.id}`, flags.json);
    return code;
  }
  if (status.Outcome === 'Successful') return exitCodes.success;
  const failed = status['Files Failed'];
  const what = failed > 0 ? `${failed} files failed: hdfs-fanout status ${job.id} --failures` : (status.Error ?? '');
  printError(what, flags.json);
  return exitCodes.someFailed;
}

/** A finished job is resumed by taking its failed files back; an unfinished one goes on as well. */
async function reopened(state: State, id: string): Promise<Job> {
  const job = await knownJob(await openRecords(undefined), id);
  await state.store.reopenFailed(id);
  if (job.phase !== 'done') return job;
  await state.store.update(id, { phase: 'copying' });
  return { ...job, phase: 'copying' };
}

function newJob(spec: JobSpec, roots: Job['roots']): Job {
  const startedAtMs = Date.now();
  return {
    id: newJobId(startedAtMs),
    spec,
    roots,
    phase: 'planning',
    startedAtMs,
    endedAtMs: undefined,
    outcome: undefined,
    error: undefined,
    expectedFiles: 0,
    expectedBytes: 0,
    directoryWarnings: {},
  };
}

function report(job: Job, batch: Batch, outcome: UnitOutcome, json: boolean, log: Log): void {
  const unit = batch.units[outcome.unit];
  const path = join(job.roots[unit?.root ?? 0]?.source ?? '/', unit?.path ?? '');
  const { failure, outcome: ending, bytes, verification, reason, warnings, retries } = outcome;
  const event = { path, outcome: ending, bytes, verification, reason, warnings, retries, ...failure };
  if (json) printEvent('file', event);
  if (outcome.outcome === 'failed') log.error(event, 'failed');
  else log.info(event, outcome.outcome);
}

/** Aborts at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort(new Error('interrupted'));
    });
  }
  return controller.signal;
}
