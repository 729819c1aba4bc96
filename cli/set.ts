import { printable, SpecError } from '../shared/errors.ts';
import type { Job } from '../shared/job/job.ts';
import { type JobSpec, withOptions } from '../shared/job/spec.ts';
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
  const changes = Object.fromEntries(NAMES.filter((name) => given.has(name)).map((name) => [name, flags[name]]));
  if (Object.keys(changes).length === 0)
    throw new SpecError('nothing to set', 'give --bandwidth, --namenode-ops or --threads');
  const records = await openRecords(flags.stack);
  const job = await knownJob(records, id);
  if (job.outcome !== undefined || !records.isRunning(id)) {
    const again = flags.stack === undefined ? `copy --resume ${id}` : `retry ${id}${records.suffix}`;
    const state = job.outcome === undefined ? 'is not running' : `has ended: ${job.outcome}`;
    const remedy =
      job.outcome === 'Successful' ? undefined : `go on with other limits: hdfs-fanout ${again} --bandwidth …`;
    throw new SpecError(`the job ${printable(id)} ${state}`, remedy);
  }
  const spec = withOptions(job.spec, changes);
  if (flags.stack === undefined) await openState().store.update(id, { spec });
  else await setInAws(flags.stack, job, spec, given.has('threads'));
  const { threads } = spec.options;
  if (flags.json) printEvent('set', { job: id, ...changes });
  else process.stdout.write(`${id}: ${limitsText(spec.options) ?? 'no limit'}, threads: ${threads}\n`);
  return exitCodes.success;
}

async function setInAws(stack: string, { id, spec: before }: Job, spec: JobSpec, isForced: boolean): Promise<void> {
  const { findDeployment } = await import('../shared/aws/deployment.ts');
  const { copiersFor } = await import('../shared/aws/scale.ts');
  requireZone(spec.options.bandwidth);
  const { store, active, executions } = await findDeployment(stack);
  await store.update(id, { spec });
  // While it is planned there is no map yet: it will begin with what was just kept.
  const { execution, scale } = (await active.get(id)) ?? {};
  if (execution === undefined || !scale) return;
  const copiers = copiersFor(spec.options, scale);
  if (isForced || copiers !== copiersFor(before.options, scale)) await executions.setConcurrency(execution, copiers);
}
