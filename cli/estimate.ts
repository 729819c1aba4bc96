import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { copiersFor } from '../shared/aws/scale.ts';
import { usEast1 } from '../shared/cost/prices.ts';
import { messageOf, printable, RefusedError } from '../shared/errors.ts';
import { Collector } from '../shared/estimate/collector.ts';
import { type Estimate, estimateOf, type Findings, type Place } from '../shared/estimate/estimate.ts';
import { Sampler } from '../shared/estimate/sampler.ts';
import { requireFewDeletes } from '../shared/finish/delete-brake.ts';
import type { Root } from '../shared/job/root.ts';
import { hasList, type JobSpec } from '../shared/job/spec.ts';
import { type Batch, type FileUnit, sourcePathOf } from '../shared/job/unit.ts';
import { Timetable } from '../shared/limits/timetable.ts';
import { copierCount } from '../shared/machine/copier-count.ts';
import { NamesOnDisk } from '../shared/machine/name-set.ts';
import { abandonedSamples, measure, type Measured, removeSample } from '../shared/machine/sample.ts';
import { threadsHere } from '../shared/machine/shared-transfers.ts';
import { openState } from '../shared/machine/state.ts';
import type { Log } from '../shared/log.ts';
import { withSmallHeap } from '../shared/memory.ts';
import { refuseAtOnce, resolveMapping } from '../shared/plan/mapping.ts';
import { plan } from '../shared/plan/plan.ts';
import { chosenAttributes } from '../shared/preserve/attributes.ts';
import { type ClusterEndpoints, endpointsOf } from './clusters.ts';
import { copierMeans } from './copier.ts';
import { estimateText } from './estimate-text.ts';
import { exitCodes, explain } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { newJobId } from './job-id.ts';
import { listOnDisk } from './list-input.ts';
import { openLog } from './logging.ts';
import { tellExtras } from '../shared/dry-run/extras.ts';
import { type Decided, look } from '../shared/dry-run/look.ts';
import { type JobFlags, specOf } from './options.ts';
import { printError, printEvent, printNote, readerGone } from './output.ts';
import { pricesIn } from './prices-file.ts';
import { showLine } from './progress-display.ts';

export interface EstimateFlags extends JobFlags {
  conf?: string;
  copiers?: number;
  awsCopiers: number;
  awsTransfers: number;
  prices?: string;
  /** Seconds. */
  sample?: number;
  json: boolean;
  silent: boolean;
  verbose: number;
  logFile?: string;
}

const COMPARISONS_AT_ONCE = 10;

/** `hdfs-fanout estimate SOURCE DESTINATION`: what a copy would do, take and cost. Changes nothing. @returns the exit code */
export async function estimate(paths: readonly string[], flags: EstimateFlags): Promise<number> {
  const interrupt = interruptSignal();
  const spec = specOf(paths, flags);
  const prices = flags.prices === undefined ? usEast1 : pricesIn(flags.prices);
  const log = openLog(flags.logFile, flags.verbose);
  const signal = AbortSignal.any([interrupt, readerGone]);
  let endpoints: ClusterEndpoints | undefined;
  let code: number;
  try {
    const opened = await endpointsOf(spec, flags.conf, log);
    endpoints = opened;
    const { source, destination, patterns, destinationPath } = opened;
    refuseAtOnce(spec, source, destination, patterns, destinationPath);
    const roots = await resolveMapping(spec, patterns, destinationPath, source, destination, signal, {
      makeProbe: false,
    });
    const sampler = flags.sample === undefined ? undefined : new Sampler();
    const looked = await withSmallHeap(() => findOut({ spec, roots, endpoints: opened, flags, signal, sampler }));
    const found = {
      ...looked,
      measured: sampler && (await sample(sampler, { spec, roots, endpoints: opened, flags, signal }, log)),
    };
    const told = estimateOf(
      found,
      placeHere(spec, endpoints, found, flags),
      placeInAws(spec, endpoints, flags),
      prices,
    );
    const ends = { source: spec.source, destination: spec.destination };
    if (flags.json) printEvent('estimate', { ...ends, ...told });
    else process.stdout.write(estimateText(ends, told));
    code = isClear(told) ? exitCodes.success : exitCodes.someFailed;
  } catch (error) {
    code = tellError(error);
  }
  // What was found out stands, whatever becomes of connections and tokens.
  try {
    await endpoints?.[Symbol.asyncDispose]();
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the clusters could not be closed');
  }
  return code;

  function tellError(error: unknown): number {
    if (interrupt.aborted) {
      printError('interrupted: nothing is left of it', flags.json);
      return exitCodes.interrupted;
    }
    if (readerGone.aborted) return exitCodes.success;
    const { message, code: told } = explain(error);
    printError(message, flags.json);
    return told;
  }
}

interface Looking {
  readonly spec: JobSpec;
  readonly roots: readonly Root[];
  readonly endpoints: ClusterEndpoints;
  readonly flags: EstimateFlags;
  readonly signal: AbortSignal;
  /** Gets what is to be copied. */
  readonly sampler?: Sampler | undefined;
}

/** Plans as a copy would, and keeps sums of it. */
async function findOut({ spec, roots, endpoints, flags, signal, sampler }: Looking): Promise<Findings> {
  const { options } = spec;
  const { source, destination } = endpoints;
  const began = performance.now();
  if (options.snapshot) printNote('an estimate makes no snapshot: it looks at all of the source as it is now');
  const collector = new Collector(chosenAttributes(options).has('replication'));
  const leftOut: Record<string, number> = {};
  let newDirectories = 0;
  const add = (unit: FileUnit, { action, reason }: Decided) => {
    collector.add(unit, { action, reason, path: sourcePathOf(roots, unit) });
    if (action === 'copy' || action === 'overwrite') sampler?.add(unit);
  };
  const limit = pLimit(COMPARISONS_AT_ONCE);
  const ends = { options, roots, source, destination };
  const emit = async (batch: Batch) => {
    // Chunks are counted with their file.
    const files = batch.units.filter((unit) => unit.kind === 'file');
    const told = await Promise.all(files.map((unit) => limit(() => look(ends, unit, signal))));
    for (const [index, unit] of files.entries()) {
      const one = told[index];
      if (one) add(unit, one);
    }
  };
  const isShown = !flags.silent && !flags.json;
  const progress = () => `estimating: ${collector.collected.source.files} files so far`;
  const display = isShown
    ? showLine(
        (width = Infinity) => progress().slice(0, Math.max(0, width)),
        process.stderr.isTTY && flags.verbose === 0,
      )
    : undefined;
  try {
    using names = new NamesOnDisk();
    using list = hasList(options) ? await listOnDisk(options.filesFrom, roots[0]?.source ?? '/', signal) : undefined;
    const expected = await plan({
      source,
      destination,
      roots,
      options,
      signal,
      emit,
      names,
      list,
      makeDirectories: false,
      onTypeChange: options.delete ? () => 'replaced' : undefined,
      onSettled: (unit, { reason }) => add(unit, { action: 'skip', reason }),
      onDirectory: (isNew) => void (newDirectories += isNew ? 1 : 0),
      onLeftOut: (_path, why) => void (leftOut[why] = (leftOut[why] ?? 0) + 1),
    });
    const deletes = options.delete ? await deletesOf(spec, roots, endpoints, signal) : undefined;
    const room = await destination.room?.(roots[0]?.destination ?? endpoints.destinationPath, signal);
    signal.throwIfAborted();
    const planSeconds = (performance.now() - began) / 1000;
    return { collected: collector.collected, expected, newDirectories, leftOut, deletes, room, planSeconds };
  } finally {
    display?.stop();
  }
}

/** Copies a sample with as many transfers as a copy would have in one process. What an earlier estimate left that was killed goes first. */
async function sample(
  sampler: Sampler,
  { spec, roots, endpoints: { source, destination }, flags, signal }: Looking,
  log: Log,
): Promise<Measured | undefined> {
  const { sample: seconds = 0 } = flags;
  const state = openState();
  for (const left of abandonedSamples(state)) {
    if (aliasOf(left.spec) !== aliasOf(spec)) continue;
    await removeSample(left, destination, state);
    printNote(`removed ${printable(left.directory)}, which an estimate had left that was killed`);
  }
  const { units } = sampler;
  if ([...units.values()].every(({ length }) => length === 0)) return undefined;
  const { first: transfers } = threadsHere({ spec }, source, destination);
  const id = newJobId(Date.now());
  const ends = { source, destination, transfers, lastsMs: seconds * 1000, log, signal };
  const measured = await measure({ id, spec, roots, units, ...ends }, state);
  if (measured.failed > 0) printNote(`${measured.failed} files of the sample could not be copied: see --log-file`);
  return measured;
}

function aliasOf({ destination }: JobSpec): string {
  return destination.slice(0, destination.indexOf(':'));
}

async function deletesOf(
  { options }: JobSpec,
  roots: readonly Root[],
  endpoints: ClusterEndpoints,
  signal: AbortSignal,
): Promise<Findings['deletes']> {
  const { source, destination } = endpoints;
  const looking = { source, destination, roots, options };
  const found = await tellExtras(
    looking,
    () => undefined,
    signal,
    () => false,
  );
  if ('cursor' in found) throw new Error('the search stopped although nothing told it to');
  const { files, bytes } = found;
  try {
    requireFewDeletes(options, found);
    return { files, bytes };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { files, bytes, refused: error.message };
  }
}

/** As `copy` would run it on this machine. */
function placeHere(
  spec: JobSpec,
  { source, destination, clusters, limits }: ClusterEndpoints,
  { collected: { source: of } }: Findings,
  { copiers: asked }: EstimateFlags,
): Place {
  const { first } = threadsHere({ spec }, source, destination);
  const { atMost, leastThreads } = copierMeans(asked, clusters);
  const worth = copierCount(of.files, of.bytes);
  const copiers = Math.max(1, Math.min(atMost, Math.floor(first / leastThreads), worth, availableParallelism()));
  return { copiers, transfers: Math.max(1, Math.floor(first / copiers)), ...heldTo(spec, limits) };
}

/** As `start` would run it by so many copiers. */
function placeInAws(
  spec: JobSpec,
  { source, destination, limits }: ClusterEndpoints,
  { awsCopiers, awsTransfers: transfers }: EstimateFlags,
): Place {
  const held = heldTo(spec, limits);
  const most = Math.min(source.maxConcurrency ?? Infinity, destination.maxConcurrency ?? Infinity);
  const { bytesPerSecond, opsPerSecond } = held;
  const within = {
    ...(most === Infinity ? {} : { most }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(opsPerSecond === undefined ? {} : { opsPerSecond }),
  };
  return { copiers: copiersFor(spec.options, { transfers, copiers: awsCopiers, ...within }), transfers, ...held };
}

/** What bounds a job wherever it runs; of a timetable the highest rate. */
function heldTo(
  { options }: JobSpec,
  limits: ClusterEndpoints['limits'],
): Pick<Place, 'bytesPerSecond' | 'opsPerSecond'> {
  const { most } = new Timetable(options.bandwidth);
  const own = options.namenodeOps;
  return {
    bytesPerSecond: least(most === 'off' ? undefined : most, limits.mostOfClusters),
    opsPerSecond: least(own === 'off' ? undefined : own, limits.mostOpsOfClusters),
  };
}

function least(...limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length > 0 ? Math.min(...set) : undefined;
}

/** Whether nothing that was found would stop a copy or fail a file. */
function isClear({ collected, needed, deletes }: Estimate): boolean {
  return (collected.actions.fail?.files ?? 0) === 0 && needed.lacks.length === 0 && deletes?.refused === undefined;
}
