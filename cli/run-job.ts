import { jobStatus } from '../shared/job/job-status.ts';
import { Progress } from '../shared/copy/progress.ts';
import { copiersEnded, DestinationLock } from '../shared/machine/destination-lock.ts';
import type { CopierMeans } from '../shared/machine/copier-pool.ts';
import { execute } from '../shared/machine/executor.ts';
import type { State } from '../shared/machine/state.ts';
import type { Log } from '../shared/log.ts';
import { adviceOn } from './advice.ts';
import type { ClusterEndpoints } from './clusters.ts';
import { copierMeans } from './copier.ts';
import { exitCodes, explain } from './exit-codes.ts';
import type { JobMetrics } from './job-metrics.ts';
import { printAdvice, printError, printEvent, printNote, printStatus } from './output.ts';
import { mayRewriteLines, showProgress } from './progress-display.ts';
import { type Batch, fileOf, sourcePathOf } from '../shared/job/unit.ts';
import { type Job, lockedPathsOf } from '../shared/job/job.ts';
import { liveRoots } from '../shared/job/root.ts';
import type { Deleting } from '../shared/finish/finishing.ts';
import type { DeleteUnit } from '../shared/job/deletion.ts';
import { type DeleteOutcome, isOfChunk, isUnsettled, type UnitOutcome } from '../shared/job/outcome.ts';

/** How soon a change of the job's limits by another process is seen, ms. */
const LOOK_EVERY_MS = 1000;

interface RunFlags {
  readonly json: boolean;
  readonly silent: boolean;
  readonly verbose: number;
  readonly copiers?: number;
}

/**
 * Runs a job to its end or until it is interrupted, and tells how it ended.
 * @param begin  what changes the job's record, which only the holder of its lock may do; gives the job as it is then
 * @param metrics  told of the job from then on
 * @returns the exit code
 */
export async function runJob(
  job: Job,
  state: State,
  endpoints: ClusterEndpoints,
  { json, silent, verbose, copiers: asked }: RunFlags,
  log: Log,
  interrupt: AbortSignal,
  begin: () => Promise<Job>,
  metrics?: JobMetrics,
): Promise<number> {
  const locked = await lockedPathsOf(job, endpoints.destination, interrupt);
  const onWait = () => printNote(`waiting for the copiers of the job ${job.id} to end, at most a minute`);
  await copiersEnded(state.locks, job.id, interrupt, onWait);
  const lock = DestinationLock.acquire(state.locks, job.id, locked);
  const progress = new Progress();
  progress.limit = () => endpoints.limits.binding ?? progress.limitOfCopiers;
  const display = silent || json ? undefined : showProgress(progress, mayRewriteLines() && verbose === 0);
  const onOutcome = (batch: Batch, outcome: UnitOutcome) => report(job, batch, outcome, json, log);
  const onDeletion: Deleting['onDeletion'] = (unit, path, outcome) => reportDeletion(unit, path, outcome, json, log);
  let failure: unknown;
  try {
    const begun = await begin();
    metrics?.follow({ job: begun, store: state.store, progress });
    endpoints.limits.follow(job.id, state.store, LOOK_EVERY_MS);
    if (begun.outcome !== 'Successful') {
      const { source, destination, clusters } = endpoints;
      const onAnswer: CopierMeans['onAnswer'] =
        metrics && (({ cluster, operation, tookMs }) => metrics.noteAnswer(cluster, operation, tookMs));
      const copiers = copierMeans(asked, clusters, onAnswer);
      const how = { progress, log, signal: interrupt, onOutcome, onDeletion, copiers };
      await execute(begun, { state, source, destination, ...how });
    }
  } catch (error) {
    failure = error;
  } finally {
    display?.stop();
    lock.release();
  }
  const ended = await state.store.get(job.id);
  // It could not even be recorded: there is nothing to go on with.
  if (!ended) throw failure;
  const status = jobStatus(ended, await state.store.counters(job.id));
  printStatus(status, json);
  const { message, code } = adviceOn(status);
  if (failure === undefined || interrupt.aborted) {
    printAdvice(message, code !== exitCodes.success, json);
    return code;
  }
  const explained = explain(failure);
  printError(`${explained.message}; go on with: hdfs-fanout copy --resume ${job.id}`, json);
  return explained.code;
}

function report(job: Job, batch: Batch, outcome: UnitOutcome, json: boolean, log: Log): void {
  const unit = batch.units[outcome.unit];
  if (!unit) throw new Error(`the batch ${batch.batch} has no unit ${outcome.unit}`);
  const { outcome: ending, bytes, retries } = outcome;
  const path = sourcePathOf(liveRoots(job.roots), fileOf(unit));
  const chunk = isOfChunk(outcome) ? { chunk: outcome.chunk } : {};
  const event = { path, ...chunk, outcome: ending, bytes, ...detailsOf(outcome), retries };
  // A file is told of once, when it has ended.
  if (json && !isOfChunk(outcome)) printEvent('file', event);
  if (ending === 'failed') log.error(event, ending);
  else if (isUnsettled(outcome)) log.warn(event, ending);
  else log.info(event, ending);
}

function reportDeletion(unit: DeleteUnit, path: string, outcome: DeleteOutcome, json: boolean, log: Log): void {
  const { outcome: ending, files, bytes } = outcome;
  const told =
    outcome.outcome === 'failed' ? outcome.failure : outcome.outcome === 'kept' ? { reason: outcome.reason } : {};
  const event = { path, kind: unit.kind, outcome: ending, files, bytes, ...told };
  if (json) printEvent('deletion', event);
  if (ending === 'failed') log.error(event, 'deletion failed');
  else log.info(event, ending);
}

/** What is told of a file beside how it ended. */
function detailsOf(outcome: UnitOutcome): object {
  if (isOfChunk(outcome)) return outcome.outcome === 'failed' ? outcome.failure : {};
  switch (outcome.outcome) {
    case 'copied':
      return { verification: outcome.verification, warnings: outcome.warnings };
    case 'skipped':
      return { reason: outcome.reason, warnings: outcome.warnings };
    case 'failed':
    case 'vanished':
    case 'changed':
      return outcome.failure;
  }
}
