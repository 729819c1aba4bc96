import type { Storage } from '../storage/storage.ts';
import type { Job } from '../job/job.ts';
import type { Claim, JobStore } from '../job/job-store.ts';
import type { ManifestStore } from '../job/manifest.ts';
import type { FileOutcome } from '../job/outcome.ts';
import type { Batch, SplitFile } from '../job/unit.ts';
import type { Log } from '../log.ts';
import type { PathList } from '../plan/path-list.ts';

/** What the state machine was told of batches whose copier died each time it was tried, without a word of its own. */
export interface DeathRecords {
  hasDeaths(job: string): Promise<boolean>;
  /** The error of a batch's copier; undefined when it did not die. */
  deathOf(job: string, batch: number): Promise<string | undefined>;
  /** Whether all are forgotten when it returns: it stops when the time is over. */
  forgetDeaths(job: string, isOver: () => boolean): Promise<boolean>;
  /** Takes back that an owner may be at work on a batch. */
  release(job: string, batch: number, owner: string): Promise<void>;
}

/** What a job is finished with. No copier of it is at work. */
export interface Finishing {
  readonly job: Job;
  readonly source: Storage;
  readonly destination: Storage;
  readonly store: JobStore;
  readonly manifests: Pick<ManifestStore, 'read'>;
  /** Where the deaths of copiers are told; undefined where a copier dies with its whole process. */
  readonly deaths: DeathRecords | undefined;
  /** In whose name outcomes are recorded. */
  readonly owner: string;
  /** Puts a file together that chunks have copied. */
  readonly assemble: (
    batch: number,
    index: number,
    unit: SplitFile,
    claim: Claim,
    signal: AbortSignal,
  ) => Promise<FileOutcome>;
  /** Called with the outcome of each of these files once it is recorded. */
  readonly onOutcome: (batch: Batch, outcome: FileOutcome) => void;
  /** Of `filesFrom`, where the job has one. */
  readonly list?: PathList | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Asked after each step: whether to stop there. */
  readonly isOver: () => boolean;
}
