import { type Bill, billOf, type Usage } from './usage.ts';
import type { Prices } from './prices.ts';
import { copierSeconds, type Rates, sizeClasses, type WorkBySize } from './work.ts';

/** What a job has to do, and what it is held to. */
export interface Task {
  readonly work: WorkBySize;
  /** Of the manifest: no more copiers than these have something to do. */
  readonly batches: number;
  /** The longest piece that one transfer copies by itself, bytes. */
  readonly longestBytes: number;
  /** Bytes a second over the whole job; undefined where nothing limits them. */
  readonly bytesPerSecond?: number | undefined;
  /** Requests a second to one cluster's namenodes. */
  readonly opsPerSecond?: number | undefined;
}

export interface Copiers {
  readonly copiers: number;
  readonly rates: Rates;
}

export type Bound = 'copiers' | 'bandwidth' | 'namenode requests' | 'the longest file';

export interface Forecast {
  /** From the first byte to the last. Planning comes before it, directories' attributes and deletions come after it. */
  readonly seconds: number;
  readonly bound: Bound;
  /** For how long copiers run, all together. */
  readonly copierSeconds: number;
}

/** Of a copied file, at each end's namenodes. */
const OPS_PER_FILE = 4;

/** How long copying takes. */
export function forecast(task: Task, { copiers, rates }: Copiers): Forecast {
  const { work, batches, longestBytes, bytesPerSecond = Infinity, opsPerSecond = Infinity } = task;
  const alone = copierSeconds(work, rates);
  const atWork = Math.max(1, Math.min(copiers, batches));
  const [files, bytes] = [sum(work, 'files'), sum(work, 'bytes')];
  const bounds: [Bound, number][] = [
    ['copiers', alone / atWork],
    ['bandwidth', bytes / bytesPerSecond],
    ['namenode requests', (files * OPS_PER_FILE) / opsPerSecond],
    ['the longest file', longestBytes / rates.large.bytesPerSecond],
  ];
  const [bound, seconds] = bounds.reduce((most, one) => (one[1] > most[1] ? one : most));
  // Whoever waits for a limit is paid for as well; who has no batch left is not.
  const isHeldUp = bound === 'bandwidth' || bound === 'namenode requests';
  return { seconds, bound, copierSeconds: isHeldUp ? Math.max(alone, seconds * atWork) : alone };
}

/** What a deployment is made of, as far as it is paid for. */
export interface Lambdas {
  readonly copierGb: number;
  readonly plannerGb: number;
  readonly architecture: keyof Usage['gbSeconds'];
}

/** A deployment as it is unless its file says otherwise: infra/functions.ts. */
export const usualLambdas: Lambdas = { copierGb: 1769 / 1024, plannerGb: 1769 / 1024, architecture: 'arm64' };

/** Input, CopyBatch, its choice, end. */
const TRANSITIONS_OF_BATCH = 4;
/** Of the job itself: Plan, Copy, Finish, their choices, begin and end. */
const TRANSITIONS_OF_JOB = 8;
/** Two checks of the owner, each a consistent read. */
const READS_OF_FILE = 2;
/** A transaction of two items counts twice. */
const WRITES_OF_RECORD = 4;
const RECORD_EVERY_S = 2;
/** A planner walks so many files a second, and writes a part of the manifest for so many batches. */
const PLANNED_PER_SECOND = 10_000;
const BATCHES_OF_PART = 80;

/** What a job is going to use of AWS. @param planSeconds  that planning takes; undefined: assumed by its files */
export function usageOf(
  { work, batches }: Pick<Task, 'work' | 'batches'>,
  { copierSeconds: seconds }: Pick<Forecast, 'copierSeconds'>,
  { copierGb, plannerGb, architecture }: Lambdas,
  planSeconds = sum(work, 'files') / PLANNED_PER_SECOND,
): Usage {
  const gbSeconds = { arm64: 0, x64: 0, [architecture]: seconds * copierGb + planSeconds * plannerGb };
  return {
    invocations: batches,
    gbSeconds,
    transitions: batches * TRANSITIONS_OF_BATCH + TRANSITIONS_OF_JOB,
    dynamoReads: sum(work, 'files') * READS_OF_FILE,
    dynamoWrites: (seconds / RECORD_EVERY_S + batches) * WRITES_OF_RECORD,
    s3Puts: Math.ceil(batches / BATCHES_OF_PART) + 2,
    s3Gets: Math.ceil(batches / BATCHES_OF_PART) + 2,
  };
}

/** What a job is going to cost, the network aside. */
export function costOf(task: Task, copiers: Copiers, prices: Prices, lambdas = usualLambdas): Forecast & Bill {
  const told = forecast(task, copiers);
  return { ...told, ...billOf(usageOf(task, told, lambdas), prices) };
}

function sum(work: WorkBySize, what: 'files' | 'bytes'): number {
  return sizeClasses.reduce((all, name) => all + work[name][what], 0);
}
