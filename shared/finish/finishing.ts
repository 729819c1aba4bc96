import type { Storage } from '../storage/storage.ts';
import type { Job } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import type { ManifestStore } from '../job/manifest.ts';
import type { Log } from '../log.ts';
import type { DeathRecords } from './deaths.ts';

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
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Asked after each step: whether to stop there. */
  readonly isOver: () => boolean;
}
