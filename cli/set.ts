import { printable, SpecError } from '../shared/errors.ts';
import type { Job } from '../shared/job/job.ts';
import { type JobOptions, withOptions } from '../shared/job/spec.ts';
import { requireZone } from '../shared/limits/limits.ts';
import { openState } from '../shared/machine/state.ts';
import { exitCodes } from './exit-codes.ts';
import { knownJob, openRecords } from './job-records.ts';
import { limitsText } from './limits-text.ts';
import type { GivenFlags } from './options.ts';
import { printEvent } from './output.ts';

export interface SetFlags {
  threads: number | 'auto';
  bandwidth?: string;
  namenodeOps?: number | 'off';
  json: boolean;
  stack?: string;
}

const NAMES = ['bandwidth', 'namenodeOps', 'threads'] as const;

/** `hdfs-fanout set JOB`: changes what a running job may use; whoever works on it sees that within seconds. @returns the exit code */
export async function set(id: string, flags: SetFlags, given: GivenFlags): Promise<number> {
  const named = NAMES.filter((name) => given.has(name));
  const changes = Object.fromEntries(named.map((name) => [name, flags[name]]));
  if (named.length === 0) throw new SpecError('nothing to set', 'give --bandwidth, --namenode-ops or --threads');
  const records = await openRecords(flags.stack);
  const job = await knownJob(records, id);
  if (job.outcome !== undefined || !records.isRunning(id)) {
    const again = flags.stack === undefined ? `copy --resume ${id}` : `retry ${id}${records.suffix}`;
    const state = job.outcome === undefined ? 'is not running' : `has ended: ${job.outcome}`;
    const remedy =
      job.outcome === 'Successful' ? undefined : `go on with other limits: hdfs-fanout ${again} --bandwidth …`;
    throw new SpecError(`the job ${printable(id)} ${state}`, remedy);
  }
  const { options } = withOptions(job.spec, changes);
  // Only what is named: somebody else may change another limit at the same time.
  const asked: Partial<JobOptions> = Object.fromEntries(named.map((name) => [name, options[name]]));
  const now = flags.stack === undefined ? await setHere(id, asked) : await setInAws(flags.stack, job, asked);
  if (flags.json) printEvent('set', { job: id, ...changes });
  else process.stdout.write(`${id}: ${limitsText(now) ?? 'no limit'}, threads: ${now.threads}\n`);
  return exitCodes.success;
}

/** @returns the options as they are then */
async function setHere(id: string, asked: Partial<JobOptions>): Promise<JobOptions> {
  const { store } = openState();
  await store.setOptions(id, asked);
  return optionsOf(await store.get(id));
}

/** @returns the options as they are then */
async function setInAws(stack: string, job: Job, asked: Partial<JobOptions>): Promise<JobOptions> {
  const { findDeployment } = await import('../shared/aws/deployment.ts');
  const { copiersFor } = await import('../shared/aws/scale.ts');
  requireZone(asked.bandwidth);
  const { store, active, executions } = await findDeployment(stack);
  await store.setOptions(job.id, asked);
  const now = optionsOf(await store.get(job.id));
  // While it is planned there is no map yet: it will begin with what was just kept.
  const { execution, scale } = (await active.get(job.id)) ?? {};
  if (execution === undefined || !scale) return now;
  const copiers = copiersFor(now, scale);
  const isForced = asked.threads !== undefined;
  if (isForced || copiers !== copiersFor(job.spec.options, scale)) await executions.setConcurrency(execution, copiers);
  return now;
}

function optionsOf(job: Job | undefined): JobOptions {
  if (!job) throw new SpecError('the job was removed meanwhile');
  return job.spec.options;
}
