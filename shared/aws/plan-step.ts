import { z } from 'zod';
import type { Deadline } from '../deadline.ts';
import { refuseAtOnce, resolveMapping } from '../plan/mapping.ts';
import { ListOnDisk } from '../machine/list-on-disk.ts';
import { NamesOnDisk } from '../machine/name-set.ts';
import { cursorIn, keptCursor } from '../plan/kept-cursor.ts';
import { refuseSameTree } from '../plan/same-tree.ts';
import { forgetLosses } from '../finish/finish.ts';
import { SpecError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { withSmallHeap } from '../memory.ts';
import { endAccess, giveAccess } from './access.ts';
import { cleanStep } from './clean-step.ts';
import { recordedPathsOf } from './destination-lock.ts';
import { endJob } from './end-job.ts';
import { type Endpoints, openEndpoints } from '../endpoints/endpoints.ts';
import { decoratorsOf, endpointsOfJob } from './endpoints.ts';
import { Limits, requireZone } from '../limits/limits.ts';
import { Timetable } from '../limits/timetable.ts';
import { Logins } from './logins.ts';
import { retryManifestOf, writeRetryManifest } from './retry-manifest.ts';
import { copiersFor, type Scale } from './scale.ts';
import type { Services } from './services.ts';
import { hasCause, requireCause } from '../job/cause.ts';
import { estimatedOf, type PlannedCounts } from '../job/estimated.ts';
import { endsPlanned, type Job, keptNote, newJob, noLosses, takenUp } from '../job/job.ts';
import { isCleaned } from '../job/cleaned.ts';
import { mayReplace } from '../job/existing.ts';
import { liveRoots, type Root } from '../job/root.ts';
import { changesNothing, hasList, type JobSpec, parseJobSpec, withOptions } from '../job/spec.ts';
import { plannedFirst, type Sharing } from '../plan/packer.ts';
import { planStretch } from '../plan/plan.ts';
import { plannedSnapshot, plannedSource, prepareSnapshot, requireSnapshot } from '../plan/snapshot.ts';
import { ofBothPasses, secondPassOf } from '../plan/second-pass.ts';
import type { TypeChange } from '../plan/type-change.ts';
import { openTypeChanges } from './open-type-changes.ts';
import { secondManifestOf } from './second-manifest.ts';
import { planDryRun } from './dry-run-plan.ts';
import { planVerification } from './verify-plan.ts';
import { rootsToVerify } from '../verify/roots.ts';

/** What the state machine hands over: who drives the job, and what was typed. */
export interface PlanRequest {
  /** ARN; its name is the id of a new job. */
  readonly execution: string;
  /** ISO 8601. */
  readonly startTime: string;
  readonly input: unknown;
}

export interface PlanAnswer {
  readonly job: string;
  /** False: call again. */
  readonly done: boolean;
  readonly batches: number;
  /** Copiers at once. */
  readonly maxConcurrency: number;
  readonly bucket: string;
  /** The manifest's. */
  readonly key: string;
  /** The job was cleaned, as was asked for: there is nothing to copy or to finish. */
  readonly cleaned: boolean;
  /** The job waits as planned, as was asked for: nothing is to be copied now. */
  readonly planned: boolean;
}

/** What a plan has come to. */
export interface Planned {
  /** Changes of the job. */
  readonly expected: Partial<Job>;
  /** What is handed out. */
  readonly ready: { readonly batches: number; readonly key: string };
  /** Of what an estimate is made of. */
  readonly counts?: PlannedCounts;
}

export interface PlanLimits {
  /** Transfers at once in one copier. */
  readonly transfers: number;
  /** Copiers at once. */
  readonly copiers: number;
}

/** The id of a job that will not be retried. */
const cleanSchema = z.strictObject({ clean: z.string().min(1) });

/** A job's id, the cause of the failed files that are meant where not all are, and options that change. */
const retrySchema = z.strictObject({
  retry: z.string().min(1),
  only: z.string().min(1).optional(),
  options: z.record(z.string(), z.unknown()).default({}),
});
type Retry = z.output<typeof retrySchema>;

/**
 * Begins a job, or takes one up again, and writes its manifest: as much of it as there is time for. Safe to run again wherever it
 * was killed.
 *
 * @throws SpecError, RefusedError, DestinationBusyError before anything was changed on a cluster
 */
export async function planStep(
  { execution, startTime, input }: PlanRequest,
  services: Services,
  limits: PlanLimits,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<PlanAnswer> {
  const { store, active, manifests } = services;
  const cleaning = cleanSchema.safeParse(input);
  if (cleaning.success) {
    const { clean: job } = cleaning.data;
    const done = await cleanStep(job, execution, services, deadline, signal);
    const nothing = { batches: 0, maxConcurrency: 1, bucket: manifests.bucket, key: '', planned: false };
    return { job, done, ...nothing, cleaned: true };
  }
  const again = typeof input === 'object' && input !== null && 'retry' in input ? retryOf(input) : undefined;
  const id = again?.retry ?? nameOf(execution);
  let job = await store.get(id);
  const driven = await active.get(id);
  // Of this execution: one that takes the job up runs its plan.
  const isPlanned = (of: Job) => of.phase === 'planned' && of.plannedBy === execution;
  if (!job || (driven?.execution !== execution && !isPlanned(job))) {
    job = again
      ? await takeUp(again, job, execution, services, signal)
      : await begin(id, parseJobSpec(input), execution, Date.parse(startTime), services, signal);
  }
  // All was let go of, and what this was answered is lost: a job that is not at work can be given no access.
  if (isPlanned(job) && driven?.execution !== execution) {
    await endAccess(id, services);
    return waiting();
  }
  if (job.phase !== 'done') await giveAccess(id, job.spec, services, signal);
  await using endpoints = await endpointsOfJob(services, id, job.spec);
  if (isPlanned(job)) return await letWait(job);
  if (job.phase === 'planning') {
    const begun = job;
    const plan = planOf(job.spec);
    const scale = scaleOf(endpoints, limits);
    const sharing = plannedFirst(copiersFor(job.spec.options, scale));
    const planned = await withSmallHeap(() => plan(begun, endpoints, services, deadline, signal, sharing));
    if (!planned) return await answer(job, endpoints, { batches: 0, key: '' }, false);
    const estimated = planned.counts && estimatedOf(planned.counts, heldTo(job.spec, scale));
    const expected = { ...planned.expected, ...(estimated ? { estimated } : {}) };
    if (endsPlanned(job)) {
      const waiting = { ...expected, phase: 'planned', plannedAtMs: Date.now(), plannedBy: execution } as const;
      await store.update(id, waiting);
      return await letWait({ ...job, ...waiting });
    }
    const changes = { ...expected, phase: 'copying' } as const;
    // Where the retry found it in its second pass, what was taken back of the first one is copied with that, from a manifest of both.
    const isOfBoth = again !== undefined && job.pass === 2 && !(await active.get(id))?.ready;
    if (!isOfBoth) await active.setReady(id, planned.ready, scale);
    await store.update(id, changes);
    if (!isOfBoth) return await answer(job, endpoints, planned.ready, true);
    job = { ...job, ...changes };
  }
  if (job.phase === 'copying') await requireSnapshot(job, endpoints.source, signal);
  if (job.phase !== 'copying') return await answer(job, endpoints, { batches: 0, key: '' }, true);
  let ready = (await active.get(id))?.ready;
  if (!ready) {
    ready = await writeRetryManifest(job, services, deadline);
    if (!ready) return await answer(job, endpoints, { batches: 0, key: '' }, false);
    await active.setReady(id, ready, scaleOf(endpoints, limits));
  }
  return await answer(job, endpoints, ready, true);

  async function answer(of: Job, ends: Endpoints, ready: { batches: number; key: string }, done: boolean) {
    // As it is now: planning takes its time, and hdfs-fanout set may have been called.
    const { options } = ((await store.get(id)) ?? of).spec;
    const maxConcurrency = copiersFor(options, scaleOf(ends, limits));
    return { job: id, done, ...ready, maxConcurrency, bucket: manifests.bucket, cleaned: false, planned: false };
  }

  /** Nothing is held for a job that waits: neither its destination nor tokens. */
  async function letWait(of: Job): Promise<PlanAnswer> {
    await endJob(of, endpoints.destination, services, signal);
    return waiting();
  }

  function waiting(): PlanAnswer {
    const nothing = { batches: 0, maxConcurrency: 1, bucket: manifests.bucket, key: '', cleaned: false };
    return { job: id, done: true, ...nothing, planned: true };
  }
}

function scaleOf({ source, destination, limits: within }: Endpoints, limits: PlanLimits): Scale {
  const { mostOfClusters, mostOpsOfClusters } = within;
  const most = Math.min(source.maxConcurrency ?? Infinity, destination.maxConcurrency ?? Infinity);
  return {
    ...limits,
    ...(most === Infinity ? {} : { most }),
    ...(mostOfClusters === undefined ? {} : { bytesPerSecond: mostOfClusters }),
    ...(mostOpsOfClusters === undefined ? {} : { opsPerSecond: mostOpsOfClusters }),
  };
}

/** What a job is kept within on AWS; of a timetable the highest rate. */
function heldTo({ options }: JobSpec, scale: Scale) {
  const { most } = new Timetable(options.bandwidth);
  const { transfers, bytesPerSecond = Infinity, opsPerSecond = Infinity } = scale;
  const ops = options.namenodeOps === 'off' ? Infinity : options.namenodeOps;
  return {
    copiers: copiersFor(options, scale),
    transfers,
    bytesPerSecond: Math.min(most === 'off' ? Infinity : most, bytesPerSecond),
    opsPerSecond: Math.min(ops, opsPerSecond),
  };
}

/** A new job: checked, mapped, locked, recorded. */
async function begin(
  id: string,
  spec: JobSpec,
  execution: string,
  startedAtMs: number,
  services: Services,
  signal: AbortSignal,
): Promise<Job> {
  const { store, active, lock, lists } = services;
  if (spec.options.trackMissing !== '')
    throw new SpecError('options.trackMissing names a file of one machine, which AWS has not', 'use hdfs-fanout copy');
  await using logins = new Logins(services);
  const accessTo = async (alias: string) => ({ cluster: await logins.clusterOf(alias) });
  const limits = new Limits(spec.options, true);
  const means = { accessTo, disk: undefined, contact: 'first', log: services.log, limits } as const;
  await using endpoints = await openEndpoints(spec, means, decoratorsOf(spec));
  const { destination } = endpoints;
  const job = { ...newJob(id, spec, await rootsOf(spec, endpoints, signal), startedAtMs), startedBy: execution };
  if (!changesNothing(spec)) await lock.acquire(id, execution, await recordedPathsOf(job, destination, signal));
  if (hasList(spec.options)) await lists.keep(id, spec.options.filesFrom);
  // A planner that was killed after this line finds the job when it is called again.
  if (!(await store.get(id))) await store.create(job);
  await active.put({ job: id, execution, startedAtMs });
  return job;
}

async function rootsOf(
  spec: JobSpec,
  { source, destination, patterns, destinationPath }: Endpoints,
  signal: AbortSignal,
): Promise<readonly Root[]> {
  if (spec.verify) {
    const pairs = await rootsToVerify(spec.options, patterns[0] ?? '/', destinationPath, source, destination, signal);
    // What they are is looked at by the walk.
    return pairs.map((pair) => ({ ...pair, kind: 'directory' }));
  }
  refuseAtOnce(spec, source, destination, patterns, destinationPath);
  return resolveMapping(spec, patterns, destinationPath, source, destination, signal, { makeProbe: !spec.dryRun });
}

function planOf({ verify, dryRun }: JobSpec) {
  if (verify) return planVerification;
  return dryRun ? planDryRun : planOn;
}

/** A job that ended before its end, or with failed files: those and what was not reached are done again. */
async function takeUp(
  { retry: id, only, options }: Retry,
  job: Job | undefined,
  execution: string,
  services: Services,
  signal: AbortSignal,
): Promise<Job> {
  const { store, active, lock, manifests } = services;
  if (!job) throw new SpecError(`no job ${id}`, 'hdfs-fanout jobs --stack NAME lists them');
  const driven = await active.get(id);
  if (driven && !(await lock.isGone(driven))) throw new SpecError(`job ${id} is still running`, 'wait for its end');
  if (changesNothing(job.spec))
    throw new SpecError(`the job ${id} copied nothing that could be retried`, 'start it anew');
  if (isCleaned(job))
    throw new SpecError(`the job ${id} was cleaned`, 'copy again with --force: what is equal is skipped');
  // A planner that was killed behind this has taken them back, and is called again. Of a plan that waits nothing has failed.
  const isTakenUp = job.outcome === undefined && job.phase !== 'planned';
  if (only !== undefined && !isTakenUp) await requireCause(only, id, store);
  const spec = withOptions(job.spec, options);
  requireZone(spec.options.bandwidth);
  await using endpoints = await endpointsOfJob(services, id, spec);
  const { source, destination } = endpoints;
  const mayReplaceNow = mayReplace(spec.options.existing) && !mayReplace(job.spec.options.existing);
  // Nothing is changed yet: a job that may overwrite only from now on might overwrite its own source.
  if (mayReplaceNow)
    await refuseSameTree({ source, destination, mayReplace: true, makeProbe: true }, liveRoots(job.roots), signal);
  await lock.acquire(id, execution, await recordedPathsOf(job, destination, signal));
  // What was given may be old by now, and got tokens may have ended.
  await endAccess(id, services);
  await store.closing.reopen(id);
  const next = takenUp(job, Date.now());
  const { phase } = next.phase !== 'planning' && job.outcome === 'Successful' ? { phase: 'done' as const } : next;
  const ended = { error: undefined, outcome: undefined, endedAtMs: undefined, notDeleted: keptNote(job) } as const;
  const changes = { spec, ...next, phase, ...ended, ...noLosses } as const;
  if (phase !== 'done') {
    await store.update(id, changes);
    await forgetLosses(job, store);
  }
  await store.reopenFailed(id, only === undefined ? undefined : hasCause(only));
  // What an earlier retry began to write lacks what has failed since.
  await manifests.remove(retryManifestOf(id));
  await active.put({ job: id, execution, startedAtMs: Date.now() });
  return phase === 'done' ? job : { ...job, ...changes };
}

/** @returns undefined when the time was over: what was planned is kept */
async function planOn(
  begun: Job,
  endpoints: Endpoints,
  services: Services,
  deadline: Deadline,
  signal: AbortSignal,
  sharing: Sharing,
): Promise<Planned | undefined> {
  const { store, manifests, takenNames, lists } = services;
  const { source, destination } = endpoints;
  const second = begun.pass === 2 ? secondPassOf(begun) : undefined;
  if (second) await requireSnapshot(begun, source, signal);
  const name = second ? secondManifestOf(begun.id) : begun.id;
  const resumed = await manifests.resume(name);
  const suspended = cursorIn(resumed?.cursor);
  using changed = new ListOnDisk();
  // A second pass is narrow by itself: it looks at what the first one has made way for.
  const isNarrowed = begun.spec.options.snapshot && !second;
  const { job, narrowed, begins } = isNarrowed
    ? await prepareSnapshot({ job: begun, source, destination, store, list: changed, signal }, !suspended)
    : { job: begun, narrowed: undefined, begins: !suspended };
  const kept = begins ? undefined : suspended;
  const writer = resumed && kept ? resumed.writer : await manifests.create(name);
  using names = new NamesOnDisk();
  const namesKept = kept?.cursor.names ?? 0;
  await takenNames.refill(job.id, names, namesKept);
  using changes = new NamesOnDisk();
  const changesKept = kept?.typeChanges ?? 0;
  let typeChanges = changesKept;
  await services.typeChanges.refill(job.id, changes, changesKept);
  const { roots, spec } = job;
  const sourceRoot = roots[0]?.source ?? '/';
  using named = hasList(spec.options) ? await lists.open(job.id, sourceRoot) : undefined;
  using waiting = second ? await openTypeChanges(job, services) : undefined;
  const onTypeChange = ({ path }: TypeChange) => {
    if (changes.add(path)) typeChanges += 1;
    return 'later' as const;
  };
  const planned = await planStretch({
    source: plannedSource(job, narrowed?.source ?? source),
    destination: narrowed?.destination ?? destination,
    roots,
    options: spec.options,
    signal,
    emit: (batch) => writer.append(batch),
    sharing,
    makeDirectories: true,
    names,
    list: waiting ?? named,
    onTypeChange: spec.options.delete && !second ? onTypeChange : undefined,
    isOver: () => deadline.isNear(),
    from: kept?.cursor ?? second,
  });
  await services.typeChanges.keep(job.id, changes, changesKept);
  if ('cursor' in planned) {
    await takenNames.keep(job.id, names, namesKept);
    await writer.suspend(keptCursor({ cursor: planned.cursor, typeChanges }));
    return undefined;
  }
  await writer.close();
  const key = manifests.keyOf(name);
  if (second)
    return {
      expected: ofBothPasses(job, planned),
      ready: { batches: planned.batches - second.packer.next, key },
    };
  const { files, bytes, batches, split, notSplit, planned: settled } = planned;
  const counts = { files, bytes, batches, planned: settled };
  const later = typeChanges > 0 ? { typeChanges: { names: typeChanges, batches } } : {};
  return {
    expected: {
      expectedFiles: files,
      expectedBytes: bytes,
      split,
      notSplit,
      planned: settled,
      ...later,
      ...(await plannedSnapshot(job, destination, signal)),
    },
    ready: { batches, key },
    counts,
  };
}

function retryOf(input: object): Retry {
  const parsed = retrySchema.safeParse(input);
  if (!parsed.success) throw new SpecError(`the input is wrong: ${issuesOf(parsed.error)}`);
  return parsed.data;
}

/** `arn:aws:states:region:account:execution:machine:NAME` */
function nameOf(execution: string): string {
  return execution.slice(execution.lastIndexOf(':') + 1);
}
