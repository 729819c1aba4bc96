import { jobStatus } from '../shared/job/job-status.ts';
import { refuseAtOnce, resolveMapping } from '../shared/plan/mapping.ts';
import { messageOf, SpecError } from '../shared/errors.ts';
import { hasList, type JobSpec } from '../shared/job/spec.ts';
import type { Log } from '../shared/log.ts';
import { openState } from '../shared/machine/state.ts';
import { type ClusterEndpoints, endpointsOf } from './clusters.ts';
import { hidden as hiddenLine } from '../shared/dry-run/told.ts';
import { dryRun, type UnitsToTell } from './dry-run.ts';
import { printTold } from './dry-run-text.ts';
import { exitCodes, explain } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { newJobId } from './job-id.ts';
import { listInput, listOnDisk } from './list-input.ts';
import { openLog } from './logging.ts';
import { notesOn } from './job-notes.ts';
import type { JobMetrics } from './job-metrics.ts';
import { type Metrics, openMetrics } from './metrics.ts';
import { type CopyFlags, type GivenFlags, specOf } from './options.ts';
import { printError, printNote, printStatus, readerGone } from './output.ts';
import { requirePlace } from './place.ts';
import { whoIAm } from './who.ts';
import { changesOf, eachUnfinished, resumable, takeUp } from './resume.ts';
import { runJob } from './run-job.ts';
import { newJob } from '../shared/job/job.ts';

/** `hdfs-fanout copy`: starts or resumes a job in this process. @returns the exit code */
export async function copy(paths: readonly string[], flags: CopyFlags, given: GivenFlags): Promise<number> {
  const interrupt = interruptSignal();
  const log = openLog(flags.logFile, flags.verbose);
  const tell = (error: unknown): number => {
    if (interrupt.aborted) {
      printError('interrupted: nothing was changed', flags.json);
      return exitCodes.interrupted;
    }
    if (flags.dryRun && readerGone.aborted) return exitCodes.success;
    const { message, code } = explain(error);
    printError(message, flags.json);
    return code;
  };
  let endpoints: ClusterEndpoints | undefined;
  let metrics: Metrics | undefined;
  const open = async (spec: JobSpec) => {
    endpoints = await endpointsOf(spec, flags.conf, log);
    metrics?.job.measure(endpoints.source, endpoints.destination);
    return endpoints;
  };
  let code: number;
  try {
    metrics = await openMetrics(flags, log);
    code = await (flags.resume === undefined
      ? begin(paths, flags, log, interrupt, open, metrics?.job)
      : goOn(flags.resume, paths, flags, given, log, interrupt, open, metrics?.job));
  } catch (error) {
    code = tell(error);
  }
  // Closing may wait for servers, and fail: what ended the copy is told before.
  try {
    await endpoints?.[Symbol.asyncDispose]();
  } catch (error) {
    if (code === exitCodes.success) code = tell(error);
    else log.warn({ error: messageOf(error) }, 'the clusters could not be closed');
  }
  await metrics?.end(code);
  return code;
}

type Open = (spec: JobSpec) => Promise<ClusterEndpoints>;

/** A new job. */
async function begin(
  paths: readonly string[],
  flags: CopyFlags,
  log: Log,
  interrupt: AbortSignal,
  open: Open,
  metrics?: JobMetrics,
): Promise<number> {
  if (flags.only !== undefined)
    throw new SpecError('--only needs --resume', 'name the job whose files are tried again');
  if (flags.dryRun && flags.planOnly)
    throw new SpecError('--dry-run changes nothing, and --plan-only keeps a job', 'leave out one of them');
  const spec = specOf(paths, flags);
  if (spec.options.trackMissing !== '') requirePlace('--track-missing', spec.options.trackMissing);
  for (const note of notesOn(spec, flags.silent)) printNote(note);
  const endpoints = await open(spec);
  const { patterns, destinationPath, source, destination } = endpoints;
  refuseAtOnce(spec, source, destination, patterns, destinationPath);
  const hidden: string[] = [];
  const roots = await resolveMapping(spec, patterns, destinationPath, source, destination, interrupt, {
    makeProbe: !flags.dryRun,
    onHidden: (path) => hidden.push(path),
  });
  if (flags.dryRun) {
    for (const path of hidden) printTold(hiddenLine(path), flags.json);
    if (spec.options.snapshot) printNote('a dry run makes no snapshot: it looks at all of the source as it is now');
    using list = hasList(spec.options)
      ? await listOnDisk(spec.options.filesFrom, roots[0]?.source ?? '/', interrupt)
      : undefined;
    return await dryRun(spec, roots, endpoints, flags.json, AbortSignal.any([interrupt, readerGone]), { list });
  }
  const state = openState();
  const startedAtMs = Date.now();
  const job = { ...newJob(newJobId(startedAtMs), spec, roots, startedAtMs), startedBy: whoIAm() };
  const create = async () => {
    if (hasList(spec.options)) {
      const input = listInput('--files-from', spec.options.filesFrom, interrupt);
      await state.lists.keep(job.id, input, roots[0]?.source ?? '/');
    }
    await state.store.create(job);
    return job;
  };
  return runJob(job, state, endpoints, flags, log, interrupt, create, metrics);
}

/** A job that was begun before. */
async function goOn(
  id: string,
  paths: readonly string[],
  flags: CopyFlags,
  given: GivenFlags,
  log: Log,
  interrupt: AbortSignal,
  open: Open,
  metrics?: JobMetrics,
): Promise<number> {
  if (paths.length > 0) throw new SpecError('--resume takes no paths', 'the job knows its own');
  const state = openState();
  const job = await resumable(state, id, flags, given);
  if (job.outcome === 'Successful') {
    printStatus(jobStatus(job, await state.store.counters(job.id)), flags.json);
    return exitCodes.success;
  }
  const endpoints = await open(job.spec);
  if (!flags.dryRun) {
    const take = () => takeUp(state, job, changesOf(flags, given), endpoints, interrupt, flags.only);
    return runJob(job, state, endpoints, flags, log, interrupt, take, metrics);
  }
  const showing = AbortSignal.any([interrupt, readerGone]);
  const { spec, roots } = job;
  if (job.phase === 'planning') {
    using list = hasList(spec.options) ? state.lists.open(id) : undefined;
    return await dryRun(spec, roots, endpoints, flags.json, showing, { list });
  }
  const unfinished: UnitsToTell['batches'] = (emit) => eachUnfinished(job, state, endpoints, emit, showing, flags.only);
  return dryRun(spec, roots, endpoints, flags.json, showing, { batches: unfinished });
}
