import { Checkpoint } from '../checkpoint.ts';
import type { Deadline } from '../deadline.ts';
import { SpecError } from '../errors.ts';
import { sweep, type SweepPosition, sweepStart } from '../finish/sweep.ts';
import { sweepChunks } from '../finish/sweep-chunks.ts';
import { sweepParts } from '../finish/sweep-parts.ts';
import { dropOwnSnapshot } from '../finish/drop-snapshots.ts';
import { cleaned, isCleaned } from '../job/cleaned.ts';
import { deletesOf } from '../job/deletion.ts';
import type { Job } from '../job/job.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { changesNothing } from '../job/spec.ts';
import { withSmallHeap } from '../memory.ts';
import { giveAccess } from './access.ts';
import { endJob } from './end-job.ts';
import { endpointsOfJob } from './endpoints.ts';
import { retryManifestOf } from './retry-manifest.ts';
import { manifestsOf, secondManifestOf } from './second-manifest.ts';
import type { Services } from './services.ts';

/** How far a job is cleaned. Plain JSON. */
type CleanCursor =
  | { readonly phase: 'names'; readonly at: SweepPosition }
  | { readonly phase: 'chunks' | 'parts'; readonly at: ManifestPosition }
  | { readonly phase: 'records' };

/**
 * Deletes by name what a job that will not be retried may have left, the chunks and parts of files that were not copied included: as much of it as there is
 * time for. Safe to run again wherever it was killed.
 *
 * @returns whether all is deleted: call again
 * @throws SpecError before anything was changed
 */
export async function cleanStep(
  id: string,
  execution: string,
  services: Services,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, manifests, lists, reports, log } = services;
  const job = await takeOver(id, execution, services);
  await giveAccess(id, job.spec, services, signal);
  await using endpoints = await endpointsOfJob(services, id, job.spec);
  const { source, destination } = endpoints;
  const isOver = () => deadline.isNear();
  const sweeping = { job, destination, store, manifests: manifestsOf(job, manifests), signal, isOver };
  const keep = (cursor: CleanCursor) => store.keepCloseCursor(id, cursor);
  // Nothing is written before a job is planned.
  const isPlanned = job.roots.length > 0 && job.expectedFiles > 0 && !changesNothing(job.spec);
  const begin: CleanCursor = isPlanned ? { phase: 'names', at: sweepStart } : { phase: 'records' };
  let cursor = ((await store.closeCursor(id)) as CleanCursor | undefined) ?? begin;
  while (cursor.phase !== 'records') {
    if (cursor.phase === 'names') {
      const checkpoint = new Checkpoint<SweepPosition>((at) => keep({ phase: 'names', at }));
      const from: SweepPosition = cursor.at;
      const at = await withSmallHeap(() => sweep(sweeping, () => true, from, checkpoint));
      cursor = at ? { phase: 'names', at } : { phase: 'chunks', at: manifestStart };
    } else {
      const { phase, at: from }: { readonly phase: 'chunks' | 'parts'; readonly at: ManifestPosition } = cursor;
      const checkpoint = new Checkpoint<ManifestPosition>((at) => keep({ phase, at }));
      const sweepAll = phase === 'chunks' ? sweepChunks : sweepParts;
      const at = await withSmallHeap(() => sweepAll(sweeping, from, checkpoint));
      const after: CleanCursor = phase === 'chunks' ? { phase: 'parts', at: manifestStart } : { phase: 'records' };
      cursor = at ? { phase, at } : after;
    }
    await keep(cursor);
    if (isOver()) return false;
  }
  await manifests.remove(retryManifestOf(id));
  await manifests.remove(id);
  await manifests.remove(secondManifestOf(id));
  await manifests.remove(deletesOf(id));
  await lists.remove(id);
  await reports.remove(id, job.report?.parts ?? 0);
  if (!changesNothing(job.spec)) await dropOwnSnapshot({ job, source, log, signal });
  await endJob(job, destination, services, signal);
  return true;
}

/** Makes sure that nobody is at work on a job and that nobody will be. @throws SpecError */
async function takeOver(id: string, execution: string, { store, active, lock }: Services): Promise<Job> {
  const job = await store.get(id);
  if (!job) throw new SpecError(`no job ${id}`, 'hdfs-fanout jobs --stack NAME lists them');
  const driven = await active.get(id);
  if (driven?.execution === execution) return job;
  if (driven && !(await lock.isGone(driven))) throw new SpecError(`job ${id} is still running`, 'wait for its end');
  if (job.outcome === 'Successful') throw new SpecError(`job ${id} was successful`, 'nothing of it is left');
  const changes = { ...cleaned, endedAtMs: job.endedAtMs ?? Date.now() };
  await store.closing.begin(id);
  // Where a cleaning stopped another one goes on.
  if (!isCleaned(job)) await store.keepCloseCursor(id, undefined);
  await store.update(id, changes);
  // Last: whoever is killed before this line begins anew.
  await active.put({ job: id, execution, startedAtMs: Date.now() });
  return { ...job, ...changes };
}
