import type { Job } from '../job/job.ts';
import { changesNothing } from '../job/spec.ts';
import type { Storage } from '../storage/storage.ts';
import { endAccess } from './access.ts';
import { recordedPathsOf } from './destination-lock.ts';
import { type FinalStatus, finalStatus } from './final-status.ts';
import { noteUsage } from './meter.ts';
import type { Services } from './services.ts';

/**
 * Lets go of all that a deployment holds for a job that has its final status: the destination's lock, its credentials, its place among the jobs at
 * work. Safe to run again.
 */
export async function endJob(
  job: Job,
  destination: Storage,
  services: Services,
  signal: AbortSignal,
): Promise<FinalStatus> {
  if (!changesNothing(job.spec)) await services.lock.release(job.id, await recordedPathsOf(job, destination, signal));
  await endAccess(job.id, services);
  await services.active.remove(job.id);
  // The renewer may have kept a new token until the job was among those at work no more.
  await endAccess(job.id, services);
  await noteUsage(services, job.id);
  return finalStatus(job, services);
}
