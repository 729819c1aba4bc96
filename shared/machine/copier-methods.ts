import type { Progress } from '../copy/progress.ts';
import type { Access, Means } from '../endpoints/registry.ts';
import type { Job, Transfers } from '../job/job.ts';
import type { Threads } from '../job/threads.ts';
import type { BatchStore, Claim, JobStore } from '../job/job-store.ts';
import type { Batch } from '../job/unit.ts';
import type { Log } from '../log.ts';
import type { CarriedError } from './carried-error.ts';

/** What a copier process copies, and with what. Holds secrets: they go over the channel, which nobody else can read. */
export interface Assignment {
  readonly job: Job;
  /** How each cluster of the job is reached, by its alias. */
  readonly clusters: readonly Access['cluster'][];
  /** Whether this run of the job has reached the clusters, so that their addresses are known to be right. */
  readonly contact: Means['contact'];
  /** Transfers at once: its share of the job's. */
  readonly threads: Threads;
  /** Which share, of how many. */
  readonly share: { readonly index: number; readonly count: number };
  /** Whether it is to tell how long its requests took. */
  readonly isMeasured: boolean;
}

/** A request that a server has answered. */
export interface Answered {
  readonly cluster: string;
  readonly operation: string;
  readonly tookMs: number;
}

/** What the process that runs a job calls in a copier process, in this order. */
export interface CopierMethods {
  /**
   * Takes its share of the job's lock. Before this has answered it is given no batch.
   * @param locks  a directory
   * @param version  of the program that runs the job: the file that a copier is started from may have been replaced since
   */
  hold(locks: string, job: string, version: string): void;
  /** Copies batches until `next` gives no more. Resolves with its connections closed. @throws what ends the job */
  copy(assignment: Assignment): Promise<void>;
  /** Ends `copy` for this reason, with what was begun taken back. */
  abort(reason: CarriedError): void;
}

/** Figures of one process from its start. */
export interface Figures extends Pick<Progress, 'bytes' | 'moved' | 'transferring' | 'atOnce'> {
  /** Which limit holds it up. */
  readonly limit: string | undefined;
}

/** What a copier process calls in the one that runs the job, which alone writes to the job store. */
export interface RunnerMethods extends Omit<BatchStore, 'claim'>, Pick<JobStore, 'get' | 'lease'> {
  /** The next batch; undefined when there is none left. */
  next(): Promise<Batch | undefined>;
  /** Every unit of the batch has its outcome. */
  copied(batch: number): void;
  claim(...batch: Parameters<BatchStore['claim']>): Promise<SentClaim>;
  moved(figures: Figures): void;
  /** Requests that were answered since this was called last. */
  answered(answers: readonly Answered[]): void;
  /** What there is to tell of the number of its transfers, at its end. */
  transfers(told: Transfers | undefined): void;
  log(level: keyof Log, fields: object, message: string): void;
}

/** A claim as it is sent. */
export interface SentClaim extends Omit<Claim, 'done'> {
  /** Of the bitmap. */
  readonly done: Uint8Array;
}
