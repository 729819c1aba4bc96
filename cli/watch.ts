import { setTimeout as sleep } from 'node:timers/promises';
import { messageInCause } from '../shared/aws/cause.ts';
import { type Deployment, findDeployment } from '../shared/aws/deployment.ts';
import { limitsText } from './limits-text.ts';
import { settledBytes, settledFiles } from '../shared/job/ending.ts';
import { jobStatus } from '../shared/job/job-status.ts';
import { Progress } from '../shared/copy/progress.ts';
import { adviceOn } from './advice.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { knownJob, ofStack } from './job-records.ts';
import { printAdvice, printError, printStatus } from './output.ts';
import { mayRewriteLines, showProgress } from './progress-display.ts';
import { withPlanned } from '../shared/job/outcome.ts';

export interface FollowFlags {
  json: boolean;
  silent: boolean;
}

const LOOK_EVERY_MS = 1000;
/** How long after its execution's end a job may be closed: the event must come, copiers stop, temporary files be deleted. */
const CLOSING_MS = 20 * 60_000;

/** `hdfs-fanout watch JOB`: the display of `copy`, from the job's records. @returns the exit code */
export async function watch(id: string, flags: FollowFlags & { stack: string }): Promise<number> {
  const deployment = await findDeployment(flags.stack);
  const driven = await deployment.active.get(id);
  if (driven) return follow(deployment, id, driven.execution, flags);
  await knownJob({ store: deployment.store, ...ofStack(flags.stack) }, id);
  return tellEnd(deployment, id, flags);
}

/**
 * Shows an execution's progress until its job has ended or was closed.
 * @param tell  says how it ended. Default: by its Job Status
 * @returns the exit code
 */
export async function follow(
  deployment: Deployment,
  id: string,
  execution: string,
  flags: FollowFlags,
  tell = () => tellEnd(deployment, id, flags),
): Promise<number> {
  const { store, active, executions } = deployment;
  const progress = new Progress();
  const interrupt = interruptSignal();
  const aWhile = () => sleep(LOOK_EVERY_MS, undefined, { signal: interrupt });
  const display = flags.silent || flags.json ? undefined : showProgress(progress, mayRewriteLines());
  try {
    while (await executions.isRunning(execution)) {
      await refresh(progress, deployment, id);
      await aWhile();
    }
    const untilMs = Date.now() + CLOSING_MS;
    while ((await active.get(id))?.execution === execution && Date.now() < untilMs) await aWhile();
    await refresh(progress, deployment, id);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    printError(`interrupted: the job goes on in AWS; hdfs-fanout watch ${id} --stack ${deployment.stack}`, flags.json);
    return exitCodes.interrupted;
  } finally {
    display?.stop();
  }
  const job = await store.get(id);
  const { status, error, cause } = await executions.describe(execution);
  if (job && (status === 'SUCCEEDED' || job.endedAtMs !== undefined)) return tell();
  // The execution was refused before its job was made, or before the job was taken up again.
  printError(`${error}: ${messageInCause(cause)}`, flags.json);
  return error === 'SpecError' ? exitCodes.usage : exitCodes.stopped;
}

async function refresh(progress: Progress, { store }: Deployment, id: string): Promise<void> {
  const job = await store.get(id);
  if (!job) return;
  const counters = withPlanned(await store.counters(id), job);
  const count = (name: string) => counters.get(name) ?? 0;
  const limits = limitsText(job.spec.options);
  progress.limit = () => limits;
  progress.planning = job.phase === 'planning';
  progress.expectedFiles = job.expectedFiles;
  progress.expectedBytes = job.expectedBytes;
  progress.bytes = settledBytes(counters);
  progress.moved = count('bytes.copied') + count('bytes.compared') + count('chunks.bytes');
  progress.failed = count('files.failed');
  progress.complete = settledFiles(counters) - progress.failed;
}

async function tellEnd({ store, stack }: Deployment, id: string, flags: FollowFlags): Promise<number> {
  const job = await store.get(id);
  if (!job) return exitCodes.stopped;
  const status = jobStatus(job, await store.counters(id));
  printStatus(status, flags.json);
  const { message, code } = adviceOn(status, stack);
  printAdvice(message, code !== exitCodes.success, flags.json);
  return code;
}
