import type { JobStore } from '../job/job-store.ts';
import type { Job } from '../job/job.ts';
import type { ManifestStore } from '../job/manifest.ts';
import type { MadeFile } from '../job/outcome.ts';
import type { Storage } from '../storage/storage.ts';

/** What a job is undone with. No copier of it is at work, and what it has left under temporary names is gone. */
export interface Undoing {
  readonly job: Job;
  readonly destination: Storage;
  readonly store: Pick<JobStore, 'claims'> & {
    /** The files that a batch has made, by their units. */
    madeFiles(job: string, batch: number): Promise<ReadonlyMap<number, MadeFile>>;
  };
  readonly manifests: Pick<ManifestStore, 'read'> & { has(name: string): boolean };
  /** The directories that it has made, each before the one that it lies in. */
  readonly madeDirectories: Iterable<string>;
  /** Delete for good what the job has made. */
  readonly skipTrash: boolean;
  /** Tells what would be done, and changes nothing. */
  readonly dryRun: boolean;
  /** Told of each step once it is done. */
  readonly onStep: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** What is done about one thing that a job did. */
export type Step =
  /** A file that the job has made goes into the trash. */
  | { readonly action: 'remove'; readonly path: string; readonly bytes: number }
  /** The file that the job replaced comes back; what the job has made goes into the trash, where it stands there. */
  | { readonly action: 'put back'; readonly path: string; readonly from: string; readonly bytes: number }
  /** What the job has deleted comes back. */
  | {
      readonly action: 'restore';
      readonly path: string;
      readonly from: string;
      readonly files: number;
      readonly bytes: number;
    }
  /** What the job has renamed gets its old name again. */
  | { readonly action: 'rename'; readonly path: string; readonly from: string }
  /** A directory that the job has made is deleted when nothing is in it. */
  | { readonly action: 'remove directory'; readonly path: string }
  /** Nothing is done. */
  | Left;

export interface Left {
  readonly action: 'leave' | 'fail';
  readonly path: string;
  readonly reason: string;
}

/** What was done, or would be. */
export interface Undone {
  readonly removed: number;
  readonly removedBytes: number;
  readonly putBack: number;
  readonly putBackBytes: number;
  readonly restored: number;
  readonly restoredBytes: number;
  readonly renamed: number;
  readonly directories: number;
  readonly left: number;
  readonly failed: number;
}

export const nothingUndone: Undone = {
  removed: 0,
  removedBytes: 0,
  putBack: 0,
  putBackBytes: 0,
  restored: 0,
  restoredBytes: 0,
  renamed: 0,
  directories: 0,
  left: 0,
  failed: 0,
};

export function withStep(sum: Undone, step: Step): Undone {
  switch (step.action) {
    case 'remove':
      return { ...sum, removed: sum.removed + 1, removedBytes: sum.removedBytes + step.bytes };
    case 'put back':
      return { ...sum, putBack: sum.putBack + 1, putBackBytes: sum.putBackBytes + step.bytes };
    case 'restore':
      return { ...sum, restored: sum.restored + step.files, restoredBytes: sum.restoredBytes + step.bytes };
    case 'rename':
      return { ...sum, renamed: sum.renamed + 1 };
    case 'remove directory':
      return { ...sum, directories: sum.directories + 1 };
    case 'leave':
      return { ...sum, left: sum.left + 1 };
    case 'fail':
      return { ...sum, failed: sum.failed + 1 };
  }
}
