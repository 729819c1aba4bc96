import { type Deployment, findDeployment } from '../shared/aws/deployment.ts';
import { SpecError } from '../shared/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { listInput } from './list-input.ts';
import { requireCause } from '../shared/job/cause.ts';
import { knownJob, ofStack } from './job-records.ts';
import { newJobId } from './job-id.ts';
import { notesOn } from './job-notes.ts';
import { type GivenFlags, type JobFlags, retryOptions, specOf } from './options.ts';
import { printEvent, printNote } from './output.ts';
import { tellDryRun } from './start-dry-run.ts';
import { follow, type FollowFlags } from './watch.ts';
import { locationsOf } from '../shared/endpoints/location.ts';
import { isCleaned } from '../shared/job/cleaned.ts';
import { changesNothing, hasList, type JobSpec, parseJobSpec, withOptions } from '../shared/job/spec.ts';
import { requireZone } from '../shared/limits/limits.ts';

export interface StartFlags extends JobFlags, FollowFlags {
  stack: string;
  wait: boolean;
  dryRun: boolean;
}

/** `hdfs-fanout start`: the same job as `copy`, in AWS. @returns the exit code */
export async function start(paths: readonly string[], flags: StartFlags): Promise<number> {
  const asked = specOf(paths, flags);
  const spec = flags.dryRun ? parseJobSpec({ ...asked, dryRun: true }) : asked;
  for (const note of notesOn(spec, flags.silent)) printNote(note);
  if (flags.dryRun && spec.options.snapshot)
    printNote('a dry run makes no snapshot: it looks at all of the source as it is now');
  const { deployment, id, execution } = await begin(spec, flags.stack);
  if (flags.dryRun) {
    if (!flags.json && !flags.silent) printNote(`job ${id}`);
    return follow(deployment, id, execution, flags, () => tellDryRun(deployment, id, flags.json));
  }
  tellStarted(id, execution, flags);
  return flags.wait ? follow(deployment, id, execution, flags) : exitCodes.success;
}

/** A job that was started. */
interface Started {
  readonly deployment: Deployment;
  readonly id: string;
  /** ARN. */
  readonly execution: string;
}

/** Starts an execution for a job. @throws SpecError before anything was asked of a cluster */
export async function begin(spec: JobSpec, stack: string): Promise<Started> {
  const { sourceAlias, destinationAlias } = locationsOf(spec);
  requireZone(spec.options.bandwidth);
  requireShort(spec);
  const deployment = await findDeployment(stack);
  const { aliases } = deployment.secrets;
  for (const alias of [sourceAlias, destinationAlias]) {
    if (alias === 'local')
      throw new SpecError('AWS does not see the disk of this machine', 'leave out --stack, or use hdfs-fanout copy');
    if (!aliases.includes(alias)) {
      throw new SpecError(`the stack ${stack} has no cluster "${alias}"`, `it has ${aliases.join(', ')}`);
    }
  }
  const id = newJobId(Date.now());
  const input = await withList(spec, id, deployment);
  const execution = await deployment.executions.start(deployment.stateMachine, id, input);
  return { deployment, id, execution };
}

/**
 * Of an execution's input, bytes, with 2 KiB of room for what the state machine lays around it:
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
const MOST_INPUT_BYTES = 262_144 - 2048;

/** @throws SpecError for a job that is too long to be an execution's input */
export function requireShort(spec: JobSpec): void {
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes <= MOST_INPUT_BYTES) return;
  throw new SpecError(
    `the job is ${bytes} bytes long, and Step Functions takes ${MOST_INPUT_BYTES}`,
    'cut its pairs or patterns into several jobs, or use hdfs-fanout copy',
  );
}

/** The job with its list where the planner finds it, unless it names one that is there. */
async function withList(spec: JobSpec, id: string, { lists }: Deployment): Promise<JobSpec> {
  const { filesFrom } = spec.options;
  if (!hasList(spec.options) || filesFrom.startsWith('s3://')) return spec;
  const chunks = listInput('--files-from', filesFrom, interruptSignal());
  return { ...spec, options: { ...spec.options, filesFrom: await lists().upload(id, chunks) } };
}

/** Prints the job's id on stdout and what to do next on stderr; with --json one object on stdout. */
export function tellStarted(id: string, execution: string, { json, stack, wait }: StartFlags | RetryFlags): void {
  if (json) printEvent('started', { job: id, execution });
  else process.stdout.write(`${id}\n`);
  if (!json && !wait) process.stderr.write(`follow it with: hdfs-fanout watch ${id} --stack ${stack}\n`);
}

type RetryOption = keyof typeof retryOptions;

export interface RetryFlags extends FollowFlags, Pick<JobFlags, RetryOption> {
  stack: string;
  wait: boolean;
  only?: string;
}

/** `hdfs-fanout retry JOB`: what failed or was not reached, with the job's own mapping. @returns the exit code */
export async function retry(id: string, flags: RetryFlags, given: GivenFlags): Promise<number> {
  const deployment = await findDeployment(flags.stack);
  const job = await knownJob({ store: deployment.store, ...ofStack(flags.stack) }, id);
  if (changesNothing(job.spec))
    throw new SpecError(`the job ${id} copied nothing that could be retried`, 'start it anew');
  if (isCleaned(job))
    throw new SpecError(`the job ${id} was cleaned`, 'copy again with --force: what is equal is skipped');
  const active = await deployment.active.get(id);
  if (active) throw new SpecError(`job ${id} is still running`, `hdfs-fanout watch ${id} --stack ${flags.stack}`);
  const names = Object.keys(retryOptions) as RetryOption[];
  const options = Object.fromEntries(names.filter((name) => given.has(name)).map((name) => [name, flags[name]]));
  withOptions(job.spec, options);
  const { only } = flags;
  if (only !== undefined) await requireCause(only, id, deployment.store);
  const chosen = only === undefined ? {} : { only };
  const input = { retry: id, ...chosen, ...(Object.keys(options).length > 0 ? { options } : {}) };
  const execution = await deployment.executions.start(deployment.stateMachine, newJobId(Date.now()), input);
  tellStarted(id, execution, flags);
  return flags.wait ? follow(deployment, id, execution, flags) : exitCodes.success;
}
