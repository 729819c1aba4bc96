import type { HeldBatches } from '../job/held-batches.ts';
import type { Storage } from '../storage/storage.ts';
import type { Job } from '../job/job.ts';
import type { Claim, JobStore } from '../job/job-store.ts';
import type { ManifestStore, ManifestWriter } from '../job/manifest.ts';
import type { DeleteUnit } from '../job/deletion.ts';
import type { DeleteOutcome, FileOutcome } from '../job/outcome.ts';
import type { Batch, SplitFile } from '../job/unit.ts';
import type { Log } from '../log.ts';
import type { Narrowed } from '../plan/narrowed.ts';
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

/** What a job deletes with. */
export interface Deleting {
  /** Where the list of what is to be deleted is kept, under a name of its own. */
  readonly lists: DeleteLists;
  /** Where extras are listed in place of being deleted; called once, and only where that was asked for. */
  readonly track: () => Promise<ExtrasFile>;
  /** The type changes that planning has left for a second pass, where there are any. */
  readonly typeChanges?: PathList | undefined;
  /** Called with each deletion once it is recorded. */
  readonly onDeletion: (unit: DeleteUnit, path: string, outcome: DeleteOutcome) => void;
  /** Aborted when the time is over: what is on its way ends there, and what has ended is recorded. Never where it is absent. */
  readonly late?: AbortSignal;
}

export interface DeleteLists extends Pick<ManifestStore, 'create' | 'read'> {
  /** Goes on with a list whose writer was suspended, if it was. Absent where no writer is. */
  resume?(name: string): Promise<{ readonly writer: ManifestWriter; readonly cursor: unknown } | undefined>;
}

/** A list of extras for a person. */
export interface ExtrasFile {
  add(unit: DeleteUnit, path: string): Promise<void>;
  /** The list has its name from here on. */
  close(): Promise<void>;
  discard(): Promise<void>;
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
    held: HeldBatches,
    signal: AbortSignal,
  ) => Promise<FileOutcome>;
  /** Called with the outcome of each of these files once it is recorded. */
  readonly onOutcome: (batch: Batch, outcome: FileOutcome) => void;
  /** What it takes to delete what the destination has and the source has not; undefined where that cannot be done. */
  readonly deleting?: Deleting | undefined;
  /** Of `filesFrom`, where the job has one. */
  readonly list?: PathList | undefined;
  /** Both trees, where only a part of them is looked at. */
  readonly narrowed?: Narrowed | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Asked after each step: whether to stop there. */
  readonly isOver: () => boolean;
}
