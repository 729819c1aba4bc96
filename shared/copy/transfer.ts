import {
  FanoutError,
  IntegrityError,
  messageOf,
  SourceChangedError,
  SourceVanishedError,
  TransportError,
} from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type Again, retry } from '../retry.ts';
import type { Log } from '../log.ts';
import { promoting, wholeFile } from '../storage/budget.ts';
import { isBeginningOf } from './content.ts';
import { FileAttributes } from './file-attributes.ts';
import type { Progress } from './progress.ts';
import { promote, withdraw } from '../storage/promote.ts';
import { OPEN_FOR_WRITING, refreshed, type Route, settle, type Settled } from './settle.ts';
import { explained } from './source.ts';
import { stream } from './stream.ts';
import { temporaryPath } from '../job/temporary.ts';
import { destinationPathOf, type FileUnit, sourcePathOf } from '../job/unit.ts';
import type { Claim, JobStore } from '../job/job-store.ts';
import type { Job } from '../job/job.ts';
import type { CopiedOutcome, FailedOutcome, FileOutcome, SkippedOutcome } from '../job/outcome.ts';
import type { Verification } from '../job/spec.ts';
import { hasCode, isExists, isOpen } from '../storage/errors.ts';

/** What every transfer of a job shares. */
export interface CopyContext {
  readonly job: Job;
  readonly source: Storage;
  readonly destination: Storage;
  readonly store: JobStore;
  readonly owner: string;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** For a temporary file's deletion after everything else was aborted, ms. */
const CLEANUP_MS = 10_000;
/**
 * Tries that end in one of the failures that another try seldom mends: a datanode's name that does not resolve, a refusal that is not known
 * here, bytes that differ, a plain IOException after bytes were moved.
 */
const DOUBTFUL_TRIES = 3;

/**
 * Copies one unit and tells how it ended. Writes to a temporary name, verifies, sets attributes, then promotes: a reader of
 * the destination sees the old file or the whole new one, never a part. Safe to run again.
 *
 * Never throws for one file.
 * @throws fail-job errors, and the signal's reason
 */
export async function transfer(
  context: CopyContext,
  batch: number,
  index: number,
  unit: FileUnit,
  claim: Claim,
): Promise<FileOutcome> {
  const file = new FileTransfer(context, batch, index, unit, claim);
  try {
    return await file.run();
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) context.log.error({ error, path: file.from }, 'unexpected error');
    return file.ended(error);
  }
}

class FileTransfer {
  readonly #context: CopyContext;
  readonly #batch: number;
  readonly #index: number;
  readonly #claim: Claim;
  readonly #planned: FileUnit;
  readonly from: string;
  readonly #to: string;
  #unit: FileUnit;
  /** Whether what stands at the destination may be replaced. */
  #overwrite = false;
  #retries = 0;
  #progressedAtMs = 0;
  readonly #attributes: FileAttributes;
  /** With --direct: the inode that stood under the final name before the latest try. */
  #old: number | undefined;

  constructor(context: CopyContext, batch: number, index: number, unit: FileUnit, claim: Claim) {
    this.#context = context;
    this.#batch = batch;
    this.#index = index;
    this.#claim = claim;
    this.#planned = unit;
    this.#unit = unit;
    this.from = sourcePathOf(context.job.roots, unit);
    this.#to = destinationPathOf(context.job.roots, unit);
    const { source, destination, job, log } = context;
    const { options } = job.spec;
    this.#attributes = new FileAttributes({ source, from: this.from, destination, to: this.#to, options, log });
  }

  async run(): Promise<FileOutcome> {
    const { signal, job } = this.#context;
    // A plan's refusal is looked at again wherever something may have changed since: the files, or what the job may do.
    const again = this.#claim.claim > 1 || (this.#planned.decision === 'fail' && job.spec.options.force);
    const settled = await settle(this.#route(), this.#planned, job.spec.options, again, signal);
    this.#unit = settled.unit;
    this.#overwrite = settled.kind === 'overwrite';
    if (settled.kind === 'equal') return this.#equal(settled);
    if (settled.kind === 'skip') return this.#kept(settled);
    if (settled.kind === 'fail') {
      if (!(await this.#isUnfinished(settled))) return this.#refused(settled.reason);
      this.#overwrite = true;
    }
    // What one file's refusal told of the limits holds for all after it.
    const unwritable = this.#context.destination.names?.unwritable(this.#to);
    if (unwritable !== undefined) return this.#refused(unwritable);
    return this.#copied(await this.#copyWithRetries());
  }

  #route(): Route {
    const { source, destination } = this.#context;
    return { source, from: this.from, destination, to: this.#to };
  }

  /** An equal file stood there before; or an earlier claim put it there, and died before it could say so. */
  async #equal(settled: Settled): Promise<FileOutcome> {
    const { there, proof = 'checksum' } = settled;
    const { job, progress, signal } = this.#context;
    const { decision, replaces } = this.#planned;
    const isNew = decision === 'copy' || decision === 'overwrite';
    const isAnother = replaces !== undefined && there?.fileId !== undefined && there.fileId !== replaces;
    // The inode that was planned is not ours, whatever is in it.
    const isOld = replaces !== undefined && there?.fileId === replaces;
    if (this.#claim.claim === 1 || isOld || !(isNew || isAnother)) return this.#kept(settled);
    // Without a temporary name a file gets its attributes after its name.
    if (job.spec.options.direct) await this.#attributes.set(this.#to, this.#unit, [], signal);
    progress.bytes += this.#unit.lengthBytes;
    return this.#copied(proof);
  }

  /**
   * Whether a file that was absent when planned, and differs now, is what an earlier claim left under the final name: then it holds the first
   * bytes of the source, and replacing it loses nothing.
   */
  async #isUnfinished({ there, unit: { lengthBytes } }: Settled): Promise<boolean> {
    const { source, destination, signal, job } = this.#context;
    const { direct } = job.spec.options;
    if (!direct || this.#planned.decision !== 'copy' || there?.kind !== 'file') return false;
    const part = { storage: destination, path: this.#to, lengthBytes: there.lengthBytes };
    return isBeginningOf(part, { storage: source, path: this.from, lengthBytes }, signal);
  }

  async #copyWithRetries(): Promise<Verification> {
    const { signal, store, job } = this.#context;
    let changed = false;
    let moved = false;
    let doubtful = 0;
    const again = (error: unknown): Again => {
      this.#context.log.warn({ path: this.from, error: messageOf(error) }, 'a try failed');
      if (error instanceof SourceChangedError && !changed) {
        changed = true;
        return 'soon';
      }
      if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
      // What is not known here is not paid for with a file's bytes again.
      if (hasCode(error, 'other') && moved) return 'no';
      if (!isDoubtful(error, moved)) return 'soon';
      doubtful += 1;
      if (doubtful >= DOUBTFUL_TRIES) return 'no';
      // A datanode that is gone for a moment takes a while to come back.
      return hasCode(error, 'io', 'no-block') ? 'late' : 'soon';
    };
    return retry(
      wholeFile,
      signal,
      again,
      async (number) => {
        if (number > 0) {
          this.#retries += 1;
          await store.noteAttempt(job.id, this.#batch, this.#context.owner, number);
          if (changed) await this.#refresh();
        }
        moved = false;
        return this.#attempt(number, () => (moved = true));
      },
      () => this.#progressedAtMs,
    );
  }

  /** Takes the source as it is now. */
  async #refresh(): Promise<void> {
    const { source, signal } = this.#context;
    const status = await source.stat(this.from, signal);
    if (!status) throw new SourceVanishedError({ operation: 'GETFILESTATUS', path: this.from });
    this.#unit = refreshed(this.#unit, status);
  }

  async #attempt(number: number, onMoved: () => void): Promise<Verification> {
    const { job, signal, source, destination, progress, store, owner } = this.#context;
    const { direct, verify: level } = job.spec.options;
    const temporary = direct ? this.#to : this.#temporary(number);
    const overwrite = this.#overwrite;
    const requireOwner = () => store.requireOwner(job.id, this.#batch, owner);
    await requireOwner();
    // Under its final name a file that appeared since planning is somebody else's: neither written over nor discarded.
    if (direct) {
      const there = await destination.stat(this.#to, signal);
      if (there && !overwrite) throw new AppearedError(this.#to);
      this.#old = there?.fileId;
    }
    const seen = { begun: false, bytes: 0 };
    const onBytes = (bytes: number) => {
      seen.begun = true;
      if (bytes === 0) return;
      seen.bytes += bytes;
      progress.bytes += bytes;
      progress.moved += bytes;
      this.#progressedAtMs = performance.now();
      onMoved();
    };
    try {
      const unit = this.#unit;
      const creation = await this.#attributes.creation(unit, signal);
      const how = { level, creation, overwrite: direct && overwrite, direct, onBytes };
      const { verification, writing } = await stream({ ...this.#route(), to: temporary, unit, ...how }, signal);
      await this.#attributes.set(temporary, unit, writing.refused ?? [], signal);
      if (!direct) {
        await requireOwner();
        const { lengthBytes } = unit;
        const promotion = { storage: destination, temporary, target: this.#to, overwrite, lengthBytes };
        await promote(promotion, promoting, signal).catch(asLast);
      }
      return verification;
    } catch (error) {
      progress.bytes -= seen.bytes;
      if (!direct || (seen.begun && !isExists(error))) await this.#discard(temporary, number);
      throw await explained(error, { storage: source, path: this.from, lengthBytes: this.#unit.lengthBytes }, signal);
    }
  }

  /** Takes a failed try back, also when the job was aborted. What cannot be done now is swept by name later. */
  async #discard(temporary: string, number: number): Promise<void> {
    const { destination, log, store, job, owner, signal } = this.#context;
    try {
      const limit = AbortSignal.timeout(CLEANUP_MS);
      if (temporary === this.#to && (await this.#isOld(limit))) return;
      const overwrite = this.#overwrite && temporary !== this.#to;
      await withdraw({ storage: destination, temporary, target: this.#to, overwrite }, wholeFile, limit);
    } catch (error) {
      log.warn({ path: temporary, error: messageOf(error) }, 'a temporary file is left for the sweep');
      // A batch of which something was tried again is swept whole at the end, this unit too.
      if (!signal.aborted) await store.noteAttempt(job.id, this.#batch, owner, number + 1);
    }
  }

  /** Whether the file that was to be replaced still stands under the final name; also where no inode numbers tell. */
  async #isOld(signal: AbortSignal): Promise<boolean> {
    if (!this.#overwrite) return false;
    const there = await this.#context.destination.stat(this.#to, signal);
    return there !== undefined && (there.fileId === undefined || there.fileId === this.#old);
  }

  #temporary(attempt: number): string {
    const job = this.#context.job.id;
    return temporaryPath(this.#to, { job, batch: this.#batch, unit: this.#index, claim: this.#claim.claim, attempt });
  }

  /** How a file ends whose transfer threw. */
  ended(error: unknown): FileOutcome {
    if (isOpen(error) && this.#context.job.spec.options.openFiles === 'skip') return this.#skipped(OPEN_FOR_WRITING);
    return this.#failed(error);
  }

  #failed(error: unknown): FailedOutcome {
    const where = error instanceof FanoutError ? error.where : undefined;
    const reason =
      error instanceof FanoutError ? `${error.reason}${error.remedy ? ` (${error.remedy})` : ''}` : messageOf(error);
    return {
      outcome: 'failed',
      ...this.#base(),
      failure: { path: this.from, operation: where?.operation ?? '', host: where?.host ?? '', reason },
    };
  }

  #refused(reason: string): FailedOutcome {
    const remedy = reason.startsWith('exists') ? ' (use --force to overwrite)' : '';
    return {
      outcome: 'failed',
      ...this.#base(),
      failure: { path: this.from, operation: 'PLAN', host: '', reason: `${this.#to}: ${reason}${remedy}` },
    };
  }

  /** The bytes stay; attributes that differ are set. */
  async #kept({ reason, there }: Settled): Promise<FileOutcome> {
    const told = await this.#attributes.update(this.#unit, there, this.#context.signal);
    return { ...this.#skipped(reason), ...told };
  }

  #skipped(reason: string): SkippedOutcome {
    return { outcome: 'skipped', ...this.#base(), reason };
  }

  #copied(verification: Verification): CopiedOutcome {
    return { outcome: 'copied', ...this.#base(), verification, ...this.#attributes.told() };
  }

  #base() {
    return { unit: this.#index, bytes: this.#unit.lengthBytes, retries: this.#retries };
  }
}

/** A promotion has had its tries: what it waits for is not paid for with a file's bytes again. */
function asLast(error: unknown): never {
  if (!(error instanceof FanoutError) || error.disposition !== 'retry') throw error;
  throw new NotPromotedError(error);
}

class NotPromotedError extends FanoutError {
  override readonly name = 'NotPromotedError';
  constructor({ reason, where, remedy, cause }: FanoutError) {
    super(reason, { disposition: 'fail-unit', where, remedy, cause });
  }
}

/** A failure that another try seldom mends. @param moved  whether bytes were moved for it, which then move again */
function isDoubtful(error: FanoutError, moved: boolean): boolean {
  if (error instanceof IntegrityError || hasCode(error, 'other')) return true;
  return isUnresolved(error) || (moved && hasCode(error, 'io', 'no-block') && !error.mayHaveWorked);
}

function isUnresolved(error: FanoutError): boolean {
  const { cause } = error;
  return error instanceof TransportError && cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND';
}

class AppearedError extends FanoutError {
  override readonly name = 'AppearedError';
  constructor(path: string) {
    const where = { operation: 'CREATE', path };
    super('it appeared after planning', { disposition: 'fail-unit', where, remedy: 'use --force to overwrite' });
  }
}
