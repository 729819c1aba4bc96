import type { Backup } from '../storage/backup.ts';
import type { Promoted } from '../storage/promote.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { backupOf } from '../job/backup.ts';
import type { Deadline } from '../deadline.ts';
import type { Log } from '../log.ts';
import { isBeginningOf } from './content.ts';
import { FileAttributes } from './file-attributes.ts';
import type { Progress } from './progress.ts';
import type { Route } from './settle.ts';
import type { PartedFile, PartsName } from '../job/parts.ts';
import { takePartsBack } from '../job/parts-leftovers.ts';
import { partsPath, temporaryPath } from '../job/temporary.ts';
import { destinationPathOf, type FileUnit, sourcePathOf } from '../job/unit.ts';
import type { BatchStore, Claim } from '../job/job-store.ts';
import type { Job } from '../job/job.ts';

/** What every transfer of a job shares. */
export interface CopyContext {
  readonly job: Job;
  readonly source: Storage;
  readonly destination: Storage;
  readonly store: BatchStore;
  readonly owner: string;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Until when this process copies, where that is known from the beginning. */
  readonly deadline?: Deadline | undefined;
}

/** The copy of one file under one claim, and its state between tries. */
export class FileCopy implements Route {
  readonly context: CopyContext;
  readonly source: Storage;
  readonly sourcePath: string;
  readonly destination: Storage;
  readonly destinationPath: string;
  readonly attributes: FileAttributes;
  /** The unit as the manifest has it. */
  readonly planned: FileUnit;
  /** The unit as the two files were when they were looked at last. */
  unit: FileUnit;
  /** Whether the file that stands at the destination may be replaced. */
  overwrite = false;
  /** Number of tries after the first one. */
  retries = 0;
  /** Hosts at which a try failed, each as often as one did. */
  readonly hosts: string[] = [];
  /** Whether a try may have left what it wrote, because deleting that failed. */
  hasRemains = false;
  /** What the job replaces is kept there, where that was asked for. */
  readonly backup: Backup | undefined;
  /** The new file under its name, where it was looked at. */
  promoted: Promoted | undefined;
  /** Number of the claim, from 1. */
  readonly claim: number;
  /** Index of the unit in its batch. */
  readonly index: number;
  readonly #batch: number;

  constructor(context: CopyContext, batch: number, index: number, unit: FileUnit, { claim }: Claim) {
    const { source, destination, job, log } = context;
    this.context = context;
    this.#batch = batch;
    this.index = index;
    this.claim = claim;
    this.planned = unit;
    this.unit = unit;
    this.source = source;
    this.sourcePath = sourcePathOf(job.roots, unit);
    this.destination = destination;
    this.destinationPath = destinationPathOf(job.roots, unit);
    this.backup = backupOf(job, destination);
    this.attributes = new FileAttributes(this, job.spec.options, log);
  }

  /** Whether a part of the file may stand under its own name, where a reader takes it for the whole. */
  get leftPart(): boolean {
    return this.hasRemains && this.context.job.spec.options.direct;
  }

  /** Whether a file at the destination holds the first bytes of the source and no others: replacing it loses nothing. */
  async holdsBeginning(there: FileStatus | undefined): Promise<boolean> {
    if (there?.kind !== 'file') return false;
    const part = { storage: this.destination, path: this.destinationPath, lengthBytes: there.lengthBytes };
    const whole = { storage: this.source, path: this.sourcePath, lengthBytes: this.unit.lengthBytes };
    return isBeginningOf(part, whole, this.context.signal);
  }

  /** The name under which one try writes, unless it writes under the file's own. */
  temporaryPath(attempt: number): string {
    const { job } = this.context;
    const { index: unit, claim } = this;
    return temporaryPath(this.destinationPath, { job: job.id, batch: this.#batch, unit, claim, attempt });
  }

  /** The name under which a file that goes in parts is written. */
  partsPath(name: PartsName): string {
    return partsPath(this.destinationPath, { job: this.context.job.id, batch: this.#batch, unit: this.index, ...name });
  }

  /** What earlier tries have left of a file in parts. */
  knownParts(): Promise<PartedFile | undefined> {
    const { store, job } = this.context;
    return store.parts(job.id, this.#batch, this.index);
  }

  /** Deletes what may stand of a file in parts. */
  takePartsBack(known: PartedFile): Promise<void> {
    const { job, signal } = this.context;
    const of = { batch: this.#batch, index: this.index, unit: this.planned };
    return takePartsBack(this.destination, job, of, known, signal);
  }

  /** @throws SupersededError when another copier has taken the batch over */
  keepParts(known: PartedFile): Promise<void> {
    const { store, job, owner } = this.context;
    return store.keepParts(job.id, this.#batch, owner, this.index, known);
  }

  /** @throws SupersededError when another copier has taken the batch over */
  requireOwner(): Promise<void> {
    const { store, job, owner } = this.context;
    return store.requireOwner(job.id, this.#batch, owner);
  }

  /** Makes the sweep look for the temporary name of this try too. @throws SupersededError when another copier has taken the batch over */
  noteAttempt(attempt: number): Promise<void> {
    const { store, job, owner } = this.context;
    return store.noteAttempt(job.id, this.#batch, owner, attempt);
  }
}
