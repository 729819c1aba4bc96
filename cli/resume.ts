import pLimit from 'p-limit';
import { decide } from '../shared/job/decide.ts';
import { refuseSameTree } from '../shared/plan/same-tree.ts';
import { DestinationBusyError, printable, SpecError } from '../shared/errors.ts';
import { isHeld } from '../shared/machine/destination-lock.ts';
import type { State } from '../shared/machine/state.ts';
import type { Endpoints } from '../shared/endpoints/endpoints.ts';
import type { CopyFlags, GivenFlags } from './options.ts';
import { type Batch, destinationPathOf, type FileUnit, isNeverWritten, sourcePathOf } from '../shared/job/unit.ts';
import { type Job, keptNote, takenUp } from '../shared/job/job.ts';
import { liveRoots } from '../shared/job/root.ts';
import { mayReplace } from '../shared/job/existing.ts';
import { isCleaned } from '../shared/job/cleaned.ts';
import { hasCause, requireCause } from '../shared/job/cause.ts';
import { failedUnits } from '../shared/job/failed-units.ts';
import { withOptions } from '../shared/job/spec.ts';

/**
 * What each flag of `copy` does beside --resume. `job`: it changes the job, for this and later resumes. `run`: it concerns this process
 * alone. `kept`: it is refused, since it was settled when the job was planned.
 */
export const flagsOnResume: Readonly<Record<keyof CopyFlags, 'job' | 'run' | 'kept'>> = {
  existing: 'job',
  force: 'job',
  verify: 'job',
  openFiles: 'job',
  live: 'job',
  threads: 'job',
  maxFailures: 'job',
  bandwidth: 'job',
  namenodeOps: 'job',
  maxDelete: 'job',
  stallTimeout: 'job',
  minRate: 'job',
  partSize: 'job',
  bufferSize: 'job',
  resume: 'run',
  only: 'run',
  dryRun: 'run',
  conf: 'run',
  json: 'run',
  silent: 'run',
  verbose: 'run',
  logFile: 'run',
  copiers: 'run',
  metricsFile: 'run',
  metricsPort: 'run',
  metricsHost: 'run',
  src: 'kept',
  dest: 'kept',
  preserve: 'kept',
  attributes: 'kept',
  strictPreserve: 'kept',
  filesOnly: 'kept',
  checksum: 'kept',
  compare: 'kept',
  direct: 'kept',
  exact: 'kept',
  into: 'kept',
  mkpath: 'kept',
  minSize: 'kept',
  splitAbove: 'kept',
  chunkSize: 'kept',
  includePattern: 'kept',
  delete: 'kept',
  deleteExcluded: 'kept',
  skipTrash: 'kept',
  backupDir: 'kept',
  trackMissing: 'kept',
  include: 'kept',
  exclude: 'kept',
  filters: 'kept',
  filesFrom: 'kept',
  pairs: 'kept',
  maxSize: 'kept',
  modifiedAfter: 'kept',
  modifiedBefore: 'kept',
  snapshot: 'kept',
  repair: 'kept',
  planOnly: 'kept',
};

/** Options of the job that flags change, by name. */
export type Changes = Readonly<Record<string, unknown>>;

export function changesOf(flags: CopyFlags, given: GivenFlags): Changes {
  const names = [...given.keys()].filter((name) => flagsOnResume[name] === 'job');
  return Object.fromEntries(names.map((name) => [name, flags[name]]));
}

/** A job that may be resumed, with the options that were given. Nothing is changed yet. @throws SpecError */
export async function resumable(state: State, id: string, flags: CopyFlags, given: GivenFlags): Promise<Job> {
  const kept = [...given].filter(([name]) => flagsOnResume[name] === 'kept').map(([, flag]) => flag);
  if (kept.length > 0) {
    throw new SpecError(
      `${kept.join(' and ')} cannot change on a resume: the job keeps its own`,
      'or start a new copy',
    );
  }
  const job = await state.store.get(id);
  if (!job) throw new SpecError(`no job ${printable(id)} in ${state.directory}`, 'hdfs-fanout jobs lists them');
  if (job.undone) throw new SpecError(`the job ${id} was undone`, 'copy again');
  if (job.outcome === 'Successful') return job;
  if (flags.only !== undefined) await requireCause(flags.only, id, state.store);
  const spec = withOptions(job.spec, changesOf(flags, given));
  if (job.phase !== 'planning' && !isHeld(state.locks, id) && !state.manifests.has(id)) {
    // Another resume may have ended it just now.
    const now = await state.store.get(id);
    if (now?.outcome === 'Successful') return now;
    const why = isCleaned(job) ? 'was cleaned' : 'has lost its manifest';
    throw new SpecError(`the job ${id} ${why}`, 'copy again with --force: what is equal is skipped');
  }
  return { ...job, spec };
}

/**
 * Takes a job up: failed files are taken back, and it goes on with copying wherever it stopped, so that nothing is finished before it
 * is copied. Safe to be killed in. Only for the holder of the job's lock.
 *
 * @param only  of the failed files, take those back alone that failed for this cause
 * @throws RefusedError when the job may overwrite only from now on, and would overwrite its own source
 */
export async function takeUp(
  { store }: State,
  { id }: Job,
  options: Changes,
  { source, destination }: Endpoints,
  signal: AbortSignal,
  only?: string,
): Promise<Job> {
  const job = await store.get(id);
  if (!job) throw new SpecError(`no job ${id}`);
  // Another resume has ended it while this one waited for the lock.
  if (job.outcome === 'Successful') return job;
  // The options as they are now: another resume may have changed them while this one waited for the lock.
  const spec = withOptions(job.spec, options);
  const mayReplaceNow = mayReplace(spec.options.existing) && !mayReplace(job.spec.options.existing);
  if (mayReplaceNow)
    await refuseSameTree({ source, destination, mayReplace: true, makeProbe: true }, liveRoots(job.roots), signal);
  const ended = { outcome: undefined, error: undefined, endedAtMs: undefined, notDeleted: keptNote(job) } as const;
  const changes = { spec, ...takenUp(job, Date.now()), ...ended } as const;
  await store.update(id, changes);
  await store.reopenFailed(id, only === undefined ? undefined : hasCause(only));
  return { ...job, ...changes };
}

const LOOKED_AT_ONCE = 10;

/** Emits the units that a resume would take up, each decided from what stands at both endpoints now. @throws DestinationBusyError while the job runs */
export async function eachUnfinished(
  job: Job,
  state: State,
  { source, destination }: Endpoints,
  emit: (batch: Batch) => Promise<void>,
  signal: AbortSignal,
  only?: string,
): Promise<void> {
  if (isHeld(state.locks, job.id))
    throw new DestinationBusyError(`the job ${job.id} is running already`, 'wait for its end');
  const failed = await failedUnits(job.id, state.store, only === undefined ? undefined : hasCause(only));
  const limit = pLimit(LOOKED_AT_ONCE);
  const decided = async (unit: FileUnit): Promise<FileUnit> => {
    if (isNeverWritten(unit)) return unit;
    const [status, there] = await Promise.all([
      source.stat(sourcePathOf(job.roots, unit), signal),
      destination.stat(destinationPathOf(job.roots, unit), signal),
    ]);
    if (!status) return { ...unit, decision: 'fail', reason: 'it vanished before it was copied' };
    // A unit that stands for a directory that could not be walked stays what it is.
    if (status.kind !== 'file') return unit;
    const { kind, reason } = decide(status, there, job.spec.options);
    return { ...unit, lengthBytes: status.lengthBytes, decision: kind, reason };
  };
  for await (const { batch, units } of state.manifests.read(job.id)) {
    const done = state.store.doneUnits(job.id, batch);
    // A chunk is told of with its file, which is left as long as it is.
    const files = [...units.entries()].filter((entry): entry is [number, FileUnit] => entry[1].kind === 'file');
    const left = files.filter(([index]) => !done.has(index) || failed.get(batch)?.has(index)).map(([, unit]) => unit);
    if (left.length > 0)
      await emit({ batch, units: await Promise.all(left.map((unit) => limit(() => decided(unit)))) });
  }
}
